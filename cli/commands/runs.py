"""`perennial train`, `status` and `runs`: starting a run, what happens now, and what happened."""

import json
from typing import Annotated, Any

import typer

from cli import data_versions, monitoring, output, reports
from cli.follow import Board, step_text
from cli.main import DATA, Shared, app, example
from cli.served_by import served_by
from cli.target import Target
from cloud.functions import Functions
from cloud.history import Execution, History
from cloud.packages import Packages
from lifecycle import live, monitor_words, names
from lifecycle.progress import readable


@app.command(rich_help_panel=DATA, epilog=example("perennial train flights --data 84f2", "perennial status"))
def train(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    version: Annotated[str, typer.Option("--data", help="Data version, all digits or the first of them.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the run's record.")] = "asked for by an operator",
    follow: Annotated[bool, typer.Option(help="Wait for the end of the run and show its steps.")] = True,
) -> None:
    """Train a model again on a data version, even if this was done before.

    For a second look at the same data: an upload, or a changed model.yaml, starts its run by itself.
    """
    shared: Shared = context.obj
    target = shared.target()
    stack = target.training(model)
    chosen = data_versions.chosen(target, stack[names.OUTPUT_DATASET], version)
    detail = {"stage": target.stage, "dataset": stack[names.OUTPUT_DATASET], "version": chosen, "rerun": True}
    history = History(target.client("stepfunctions"))
    started = json.dumps({"detail": {**detail, "reason": reason}})
    arn = history.start(stack[names.OUTPUT_TRAINING_MACHINE], started)
    if not follow:
        shared.out.value({"execution": arn, "status": "running"})
        shared.out.line("Started. Watch it: perennial status")
        return
    ended = Board(quiet=shared.out.as_json).watch(history, arn)
    said = readable(ended.error, ended.cause)
    shared.out.value({"execution": arn, "status": ended.status.lower(), "error": said})
    if ended.status != "SUCCEEDED":
        output.fail(f"the run ended {ended.status.lower()}: {said}")
    shared.out.line(f"See: perennial runs {model}, perennial models {model}")


@app.command(rich_help_panel=DATA, epilog=example("perennial status", "perennial status --json"))
def status(context: typer.Context) -> None:
    """Show for each model what is live, what runs now and how far it is, how the last run ended, if a new one waits."""
    shared: Shared = context.obj
    target = shared.target()
    shared.out.line(f"[dim]{output.escape(target.where)}[/dim]")
    found = [_standing(target, model) for model in target.models()]
    shared.out.value(found)
    for standing in found:
        _show(shared.out, standing)
    if not found:
        shared.out.line("No model is deployed: there is none in models/. Write one: perennial new NAME --from FILE")


def _standing(target: Target, model: str) -> dict[str, Any]:
    """What is live of a model, the newest executions of its two machines, the newest decision about a new run."""
    history = History(target.client("stepfunctions"))
    training, serving = target.training(model), target.serving(model)
    alias = Functions(target.client("lambda")).alias(serving[names.OUTPUT_PREDICT_FUNCTION], names.LIVE)
    standing = live.parse(alias.description) if alias else None
    answering = None
    if standing:
        package = Packages(target.client("sagemaker"), training[names.OUTPUT_PACKAGE_GROUP]).describe(
            standing.package_arn
        )
        answering = {"version": package.number, "run": standing.run_id, "served_by": served_by(package)}
    machines = {
        "training": training[names.OUTPUT_TRAINING_MACHINE],
        "deployment": serving[names.OUTPUT_DEPLOYMENT_MACHINE],
    }
    executions = [found for machine, arn in machines.items() for found in _executions(history, machine, arn)]
    return {
        "model": model,
        "dataset": training[names.OUTPUT_DATASET],
        "live": answering,
        "executions": executions,
        "retraining": monitoring.decided(target, model),
    }


def _executions(history: History, machine: str, arn: str) -> list[dict[str, Any]]:
    """The running executions of a machine and the newest one that ended."""
    recent = history.recent(arn)
    shown = [e for e in recent if not e.is_over] + [e for e in recent if e.is_over][:1]
    return [_execution(history, machine, execution) for execution in shown]


def _execution(history: History, machine: str, execution: Execution) -> dict[str, Any]:
    steps = history.steps(execution.arn)
    return {
        "machine": machine,
        "started": output.when(execution.started),
        "status": execution.status.lower(),
        "step": step_text(steps[-1]) if steps else "",
        "errors": [{"step": step_text(step), "error": step.error} for step in steps if step.error],
        "execution": execution.arn,
    }


def _show(out: output.Output, standing: dict[str, Any]) -> None:
    answering = standing["live"]
    said = f"version {answering['version']} is live (run {answering['run']})" if answering else "nothing is live yet"
    out.line(f"\n[bold]{standing['model']}[/bold]  {said}")
    if answering and answering["served_by"] != "lambda":
        out.line(f"  served by an {output.escape(answering['served_by'])}")
    if not standing["executions"]:
        out.line(f"  nothing has run yet. Upload data: perennial upload {standing['dataset']} FILE...")
    tones = {"running": "cyan", "succeeded": "green"}
    for one in standing["executions"]:
        tone = tones.get(one["status"], "red")
        step = one["step"] if one["status"] == "running" or one["errors"] else ""
        said = f"[{tone}]{one['status']:<9}[/{tone}]  {output.escape(step)}".rstrip()
        out.line(f"  {one['machine']:<10} {one['started']}  {said}")
        for fault in one["errors"]:
            out.indented(f"{fault['step']}: {fault['error']}", 13)
    decided = standing["retraining"]
    if decided is not None:
        said = monitor_words.decision(decided).removeprefix("Next: ")
        out.line(f"  {'retraining':<10} {output.when(decided['at'])}")
        out.indented(said, 13)


@app.command(
    rich_help_panel=DATA, epilog=example("perennial runs flights", "perennial runs flights flights-1a2b3c4d-a1")
)
def runs(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    run: Annotated[str | None, typer.Argument(help="A run, to see what became of it.")] = None,
) -> None:
    """List the runs of a model, newest first, or show one; its reports are copied to .perennial/reports/."""
    shared: Shared = context.obj
    target = shared.target()
    target.training(model)
    if run is not None:
        record = reports.run_record(target, model, run)
        folder = reports.fetch(target, model, run)
        shared.out.record(record if shared.out.as_json else _summary(record))
        shared.out.line("\nReports and the whole record:")
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            shared.out.raw(f"  {path}")
        return
    shared.out.table(
        [_row(record) for record in reports.run_records(target, model)],
        ["run", "started", "status", "data", "winner", "registered"],
        empty=f"No runs of {model} yet. Upload data: perennial upload {model} FILE...",
    )


def _row(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": record["run_id"],
        "started": output.when(record.get("started_at")),
        "status": record.get("status"),
        "data": output.short(record.get("version", "")),
        "reason": record.get("reason", ""),
        "winner": (record.get("winner") or {}).get("family", ""),
        "registered": (record.get("registration") or {}).get("status", ""),
    }


def _summary(record: dict[str, Any]) -> dict[str, Any]:
    """A run in a person's words: what it was asked, what it found, what became of it. What is empty is left out."""
    registration, rows = record.get("registration") or {}, record.get("rows") or {}
    metrics = (record.get("metrics") or {}).get("winner") or {}
    found = {
        **_row(record),
        "data": f"{record['dataset']} {record['version']}",
        "seconds": record.get("seconds"),
        "rows": ", ".join(f"{name} {count:,}" for name, count in rows.items()),
        "rejected for": [reports.sentence(problem) for problem in (record.get("validation") or {}).get("problems", [])],
        "error": readable(record.get("error") or "", record.get("cause") or ""),
        "failed families": [f"{f['family']}: {f['reason']}" for f in record.get("failed_families") or []],
        "holdout": ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()),
        "because": list(registration.get("reasons", [])),
        "package": registration.get("package"),
    }
    return {name: value for name, value in found.items() if value not in (None, "", [])}
