"""`perennial logs`: what functions and jobs wrote."""

import re
from typing import Annotated

import typer

from cli import output
from cli.main import CARE, Shared, app, example
from cloud.logs import Logs
from lifecycle import names

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_JOBS = "/aws/sagemaker/"
_MACHINES = "/aws/vendedlogs/states/"


@app.command(
    rich_help_panel=CARE,
    epilog=example(
        "perennial logs flights --since 10m", "perennial logs predict --contains ERROR", "perennial logs TrainingJobs"
    ),
)
def logs(
    context: typer.Context,
    which: Annotated[
        str, typer.Argument(help="Part of a log's name: a model, a function, TrainingJobs, ProcessingJobs.")
    ] = "",
    since: Annotated[str, typer.Option(help="How far back: 30s, 10m, 2h, 7d.")] = "1h",
    contains: Annotated[str | None, typer.Option(help="Only lines that contain this text.")] = None,
) -> None:
    """Print what functions, state machines and jobs wrote, oldest first.

    Without a name: everything of the stage, state machines' histories left out.
    """
    shared: Shared = context.obj
    matched = re.fullmatch(r"(\d+)([smhd])", since)
    if matched is None:
        output.fail(f"--since takes a number and s, m, h or d (such as 10m), got {since!r}", output.EXIT_USAGE)
    target = shared.target()
    target.shared()
    reader = Logs(target.client("logs"))
    mine = f"{names.PRODUCT}-{target.stage}-"
    known = {
        group: _short(group, mine) for prefix in (mine, _MACHINES + mine, _JOBS) for group in reader.groups(prefix)
    }
    groups = [group for group, name in known.items() if _wanted(name, which)]
    if which and not groups:
        output.fail(f"no log's name contains {which!r}; there are: {', '.join(sorted(set(known.values()))) or 'none'}")
    begin = int((target.now() - int(matched[1]) * _UNITS[matched[2]]) * 1000)
    lines = sorted((line for group in groups for line in reader.lines(group, begin, contains)), key=lambda x: x.at_ms)
    shared.out.value([{"at": output.when(line.at_ms / 1000), "group": line.group, "text": line.text} for line in lines])
    for line in lines:
        shared.out.raw(f"{output.when(line.at_ms / 1000)} {known[line.group]}  {line.text}")
    if not lines:
        shared.out.line(f"No lines in the last {since} in {len(groups)} logs. Look further back: --since 7d")


def _wanted(name: str, which: str) -> bool:
    return which.lower() in name.lower() if which else not name.startswith("machine ")


def _short(group: str, mine: str) -> str:
    """Return a log group's name for people.

    >>> _short("perennial-dev-flights-serving-PredictLogsC25933C3-11382a1d32b0", "perennial-dev-")
    'flights-serving Predict'
    >>> _short("/aws/sagemaker/TrainingJobs", "perennial-dev-")
    'TrainingJobs'
    >>> _short("/aws/vendedlogs/states/perennial-dev-flights-training-Training-3de1a242", "perennial-dev-")
    'machine flights-training'
    """
    if group.startswith(_MACHINES):
        return "machine " + re.sub(r"-(Training|Deployment)-.*", "", group.removeprefix(_MACHINES).removeprefix(mine))
    found = re.fullmatch(r"(.+)-(\w+?)(?:Logs?)?[0-9A-F]{8}-\w+", group.removeprefix(mine))
    return f"{found[1]} {found[2]}" if found else group.removeprefix(_JOBS).removeprefix(mine)
