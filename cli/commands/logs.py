"""`perennial logs`: what functions and jobs wrote."""

import re
import time
from typing import Annotated

import typer

from cli import output
from cli.main import Shared, app
from cloud.logs import Logs
from lifecycle import names

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_JOB_GROUPS = ("/aws/sagemaker/TrainingJobs", "/aws/sagemaker/ProcessingJobs")


@app.command()
def logs(
    context: typer.Context,
    which: Annotated[
        str, typer.Argument(help="Part of a log group's name: a model, a function, or TrainingJobs.")
    ] = "",
    since: Annotated[str, typer.Option(help="How far back: 30s, 10m, 2h, 7d.")] = "1h",
    contains: Annotated[str | None, typer.Option(help="Only lines that contain this text.")] = None,
) -> None:
    """Print log lines of functions and jobs, oldest first."""
    shared: Shared = context.obj
    matched = re.fullmatch(r"(\d+)([smhd])", since)
    if matched is None:
        output.fail(f"--since takes a number and s, m, h or d (such as 10m), got {since!r}", output.EXIT_USAGE)
    target = shared.target()
    reader = Logs(target.client("logs"))
    mine = f"{names.PRODUCT}-{target.stage}"
    candidates = {*reader.groups(f"/aws/lambda/{mine}"), *reader.groups(f"/{names.PRODUCT}"), *_JOB_GROUPS}
    groups = sorted(group for group in candidates if which.lower() in group.lower())
    begin = int((time.time() - int(matched[1]) * _UNITS[matched[2]]) * 1000)
    lines = sorted((line for group in groups for line in reader.lines(group, begin, contains)), key=lambda x: x.at_ms)
    shared.out.value([{"at": output.when(line.at_ms / 1000), "group": line.group, "text": line.text} for line in lines])
    for line in lines:
        name = line.group.rsplit("/", 1)[-1].removeprefix(f"{mine}-")
        shared.out.line(f"[dim]{output.when(line.at_ms / 1000)} {name}[/dim] {output.escape(line.text)}")
    if not lines:
        shared.out.line(f"No lines in the last {since} in: {', '.join(groups) or 'no group matches ' + which}")
