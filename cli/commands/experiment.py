"""`perennial experiment`: one family with given hyperparameters, as a training job that registers nothing."""

import json
import time
from typing import Annotated, Any

import typer

from cli import data_versions, experiments, output
from cli.experiments import Experiment
from cli.follow import POLL_SECONDS, Board
from cli.main import DATA, Shared, app, example
from cli.target import Target
from cloud.logs import Logs
from cloud.training_jobs import LOG_GROUP, Standing, TrainingJobs
from lifecycle import names

AWS_POLL_SECONDS = 5.0
_BEGINS = "Executing command: "  # the last line of the SDK's start script before our code


@app.command(
    rich_help_panel=DATA,
    epilog=example(
        "perennial experiment flights random-forest --set max_leaf_nodes=64 --set n_estimators=200",
        "perennial experiment flights hist-gradient-boosting --data 84f2",
    ),
)
def experiment(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    family: Annotated[str, typer.Argument(help="One of its candidate families.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A hyperparameter; as often as needed.")
    ] = None,
    version: Annotated[str | None, typer.Option("--data", help="Data version (default: the newest).")] = None,
    follow: Annotated[bool, typer.Option(help="Print the job's log, and its metrics at the end.")] = True,
) -> None:
    """Train one family with hyperparameters of your choice, with the code and model.yaml of this checkout.

    A SageMaker training job, submitted by the SageMaker SDK's ModelTrainer, on AWS or on the laptop. Nothing is
    registered or deployed, no run is recorded. With --set: one trial, the other hyperparameters having their
    defaults. Without: a search, as a run makes it.
    """
    shared: Shared = context.obj
    experiments.need_sdk()
    target = shared.target()
    dataset = target.training(model)[names.OUTPUT_DATASET]
    chosen = data_versions.chosen(target, dataset, version) if version else data_versions.newest(target, dataset)
    parameters = dict(_setting(text) for text in settings) if settings else None
    board = Board(quiet=shared.out.as_json)
    asked = Experiment(model=model, family=family, version=chosen, parameters=parameters)
    job = experiments.submit(target, asked, board)
    if not follow:
        shared.out.value({"job": job, "status": "InProgress"})
        shared.out.line(f"Started {job}. Its log: perennial logs TrainingJobs")
        return
    ended = _followed(target, job, shared.out)
    if ended.status != "Completed":
        output.fail(f"{job} ended {ended.status.lower()}: {ended.reason or 'no reason given'}")
    _show(shared.out, job, experiments.result(target, ended.artifact), ended.artifact)


def _setting(text: str) -> tuple[str, Any]:
    """Return name and value of `name=value`; the value is JSON if it reads as such, else text.

    >>> _setting("max_depth=8"), _setting("penalty=l2"), _setting("bootstrap=false")
    (('max_depth', 8), ('penalty', 'l2'), ('bootstrap', False))
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        output.fail(f"--set takes name=value, such as max_leaf_nodes=64, got {text!r}", output.EXIT_USAGE)
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _followed(target: Target, job: str, out: output.Output) -> Standing:
    """Print the job's log as it grows until the job is over; Ctrl-C leaves the job running."""
    jobs, logs = TrainingJobs(target.client("sagemaker")), Logs(target.client("logs"))
    log, token = _Log(out), None
    while True:
        standing = jobs.standing(job)
        lines, token = logs.tail(LOG_GROUP, f"{job}/", token)
        log.show(lines)
        if standing.is_over:
            log.close()
            return standing
        time.sleep(POLL_SECONDS if target.is_local else AWS_POLL_SECONDS)


class _Log:
    """Prints what our training code says: the SDK's start script says a page before it, and echoes each command."""

    def __init__(self, out: output.Output) -> None:
        self._out = out
        self._before: list[str] | None = []

    def show(self, lines: list[str]) -> None:
        for line in lines:
            if self._before is None:
                self._print([line])
            elif line.startswith(_BEGINS):
                self._before = None
            else:
                self._before.append(line)

    def close(self) -> None:
        """Print what came before, if our code never began: it says why."""
        self._print(self._before or [])

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            if not line.startswith("+"):
                self._out.raw(f"  {line}")


def _show(out: output.Output, job: str, found: dict[str, Any], artifact: str) -> None:
    record = {
        "job": job,
        "family": found["family"],
        "parameters": found["parameters"],
        "metric": found["metric"],
        "validation": found["validation"],
        "rows": found["rows"],
        "trials": found["trials"],
        "model": artifact,
    }
    if out.as_json:
        out.value(record)
        return
    shown = {name: record[name] for name in ("job", "family")}
    shown["parameters"] = ", ".join(f"{name}={value}" for name, value in found["parameters"].items())
    shown["rows"] = ", ".join(f"{name} {count:,}" for name, count in found["rows"].items())
    shown["validation"] = ", ".join(f"{n} {v:.5g}" for n, v in found["validation"].items() if v is not None)
    out.record({**shown, "trials": len(found["trials"]), "model": artifact})
    out.line("\nNothing was registered. To make it a candidate of the next run, name it in model.yaml.")
