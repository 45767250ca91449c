"""`perennial train`, `status` and `runs`: starting a run, what happens now, and what happened."""

import json
from typing import Annotated, Any

import typer

from cli import output, reports
from cli.follow import Board, step_text
from cli.main import Shared, app
from cli.target import Target
from cloud.history import History
from lifecycle import keys, names


@app.command()
def train(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    version: Annotated[str, typer.Option("--data", help="Data version, all digits or the first of them.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the run's record.")] = "asked for by an operator",
    follow: Annotated[bool, typer.Option(help="Show the steps until the run ends.")] = True,
) -> None:
    """Train a model again on a data version, even if this was done before."""
    shared: Shared = context.obj
    target = shared.target()
    dataset = target.training(model)[names.OUTPUT_DATASET]
    bucket = reports.data(target)
    known = [key.split("/")[2] for key in bucket.keys(keys.versions(dataset)) if key.endswith("/manifest.json")]
    matching = [v for v in known if v.startswith(version)]
    if len(matching) != 1:
        output.fail(f"{version!r} names {len(matching)} data versions; see: perennial data list {dataset}")
    detail = {
        "stage": target.stage, "dataset": dataset, "version": matching[0], "rerun": True, "reason": reason,
    }  # fmt: skip
    history = History(target.client("stepfunctions"))
    arn = history.start(target.training(model)[names.OUTPUT_TRAINING_MACHINE], json.dumps({"detail": detail}))
    shared.out.value({"execution": arn})
    if follow and not shared.out.as_json:
        ended = Board(quiet=False).watch(history, arn)
        if ended.status != "SUCCEEDED":
            output.fail(f"the run ended {ended.status}: {ended.error} {ended.cause}")


@app.command()
def status(context: typer.Context) -> None:
    """Show for each model what is live, what runs now and how far it is, and how the last run ended."""
    shared: Shared = context.obj
    target = shared.target()
    history = History(target.client("stepfunctions"))
    shared.out.line(target.where)
    rows = []
    for model in target.models():
        rows += _machine_rows(history, model, "training", target.training(model)[names.OUTPUT_TRAINING_MACHINE])
        rows += _machine_rows(history, model, "deployment", target.serving(model)[names.OUTPUT_DEPLOYMENT_MACHINE])
    shared.out.table(
        rows,
        ["model", "machine", "started", "status", "step", "error"],
        empty="Nothing has run yet. Upload data: perennial upload MODEL FILE...",
    )


def _machine_rows(history: History, model: str, machine: str, arn: str) -> list[dict[str, Any]]:
    """The running executions of a machine and the newest one that ended."""
    recent = history.recent(arn)
    ended = [e for e in recent if e.is_over][:1]
    rows = []
    for execution in [e for e in recent if not e.is_over] + ended:
        steps = history.steps(execution.arn)
        rows.append(
            {
                "model": model,
                "machine": machine,
                "started": output.when(execution.started),
                "status": execution.status.lower(),
                "step": step_text(steps[-1]) if steps else "",
                "error": next((s.error[:300] for s in reversed(steps) if s.error), ""),
                "execution": execution.arn,
            }
        )
    return rows


@app.command()
def runs(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    run: Annotated[str | None, typer.Argument(help="A run, to see all of its record.")] = None,
) -> None:
    """List the runs of a model, newest first, or show one; its reports are copied to .perennial/reports/."""
    shared: Shared = context.obj
    target = shared.target()
    if run is not None:
        record = reports.run_record(target, model, run)
        folder = reports.fetch(target, model, run)
        shared.out.value(record)
        shared.out.line(json.dumps(record, indent=2, default=str))
        shared.out.line(f"Reports: {folder}/")
        return
    rows = [_run_row(record) for record in _records(target, model)]
    shared.out.table(
        sorted(rows, key=lambda row: row["started"], reverse=True),
        ["run", "started", "status", "data", "reason", "winner", "registered"],
        empty=f"No runs of {model} yet. Upload data: perennial upload {model} FILE...",
    )


def _records(target: Target, model: str) -> list[dict[str, Any]]:
    bucket = reports.artifacts(target)
    return [bucket.need_json(key) for key in bucket.keys(keys.runs(model)) if key.endswith("/run.json")]


def _run_row(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": record["run_id"],
        "started": output.when(record.get("started_at")),
        "status": record.get("status"),
        "data": output.short(record.get("version", "")),
        "reason": record.get("reason", ""),
        "winner": (record.get("winner") or {}).get("family", ""),
        "registered": (record.get("registration") or {}).get("status", ""),
    }
