"""`perennial predictions`: from one prediction back to its model, data, files, code and training run."""

from typing import Annotated, Any, NoReturn

import typer

from cli import output, reports
from cli.main import MODELS, Shared, app, example
from cli.target import Target
from cloud.packages import Package, Packages
from cloud.predictions import LATE_HOURS, Predictions
from lifecycle import keys, names
from lifecycle.prediction_id import time_of

ARRIVAL_SECONDS = 180.0  # a minute in Firehose's buffer, and what CloudWatch Logs takes before it
SHOWN_FILES = 12
_TOLD = {"decision", "probability", "probabilities", "value"}


@app.command(
    rich_help_panel=MODELS,
    epilog=example("perennial predictions 01a1fd8c-6900-7c31-9d2a-0c5b1f3e7a42"),
)
def predictions(
    context: typer.Context,
    prediction_id: Annotated[str, typer.Argument(metavar="ID", help="The prediction_id of an answer.")],
    model: Annotated[str | None, typer.Option(help="Look in the log of this model only.")] = None,
    late: Annotated[
        int, typer.Option(min=0, max=48, help="Also look this many hours after the prediction.")
    ] = LATE_HOURS,
) -> None:
    """Show where one prediction came from: answer, row, model, gates, training run, data files and code.

    The prediction log holds it about two minutes after the answer.
    """
    shared: Shared = context.obj
    wanted = prediction_id.strip().lower()
    asked = time_of(wanted)
    if asked is None:
        text = f"{prediction_id!r} is no prediction id; answers carry one per row, such as " + _EXAMPLE
        output.fail(text, output.EXIT_USAGE)
    target = shared.target()
    models = _logging(target, model)
    found = _find(target, models, wanted, asked, late)
    if found is None:
        _absent(wanted, asked, target.now(), models, late)
    shown = _lineage(target, found)
    if shared.out.as_json:
        shared.out.value(shown)
        return
    for part, values in shown.items():
        shared.out.line(f"[bold]{part}[/bold]")
        shared.out.record({f"  {name}": _cell(value) for name, value in values.items()})


_EXAMPLE = "01a1fd8c-6900-7c31-9d2a-0c5b1f3e7a42"


def _logging(target: Target, model: str | None) -> list[str]:
    """The models to look at; ends the command when none of them has a prediction log."""
    asked = [model] if model else target.models()
    logging = [name for name in asked if names.OUTPUT_PREDICTION_STREAM in target.serving(name)]
    if not logging:
        whose = ", ".join(asked) or "no model"
        output.fail(
            f"no prediction log: {whose} deployed with `monitoring: {{prediction_log: false}}`. "
            "Without the log nothing is known of single predictions"
        )
    return logging


def _find(target: Target, models: list[str], wanted: str, asked: float, late: int) -> dict[str, Any] | None:
    bucket = reports.data(target)
    for name in models:
        for record in Predictions(bucket, name).records(asked, asked + 0.001, late_hours=late):
            if record["prediction_id"] == wanted:
                return record
    return None


def _absent(wanted: str, asked: float, now: float, models: list[str], late: int) -> NoReturn:
    """End the command with what may be the matter."""
    if asked > now:
        output.fail(f"{wanted} tells a time to come ({output.when(asked)}); it is no id of a prediction")
    if now - asked < ARRIVAL_SECONDS:
        output.fail(
            f"{wanted} was given {now - asked:.0f} s ago and is not in the log yet: lines arrive within about two "
            "minutes. Try again then",
        )
    output.fail(
        f"{wanted} ({output.when(asked)}) is not in the log of {', '.join(models)}, arrivals up to {late} h later "
        "included. Deliveries that AWS had to repeat may take 48 h: --late 48"
    )


def _lineage(target: Target, record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    model = str(record["model"])
    package = _package(target, model, str(record["model_version"]))
    run = reports.run_record(target, model, package.properties["run_id"]) if package else {}
    told = {name: record[name] for name in ("prediction_id", "model", "model_version", "arm", "latency_ms", "rows")}
    registered = run.get("registration", {})
    return {
        "prediction": {"time": output.when(record["time"] / 1000), **told},
        "answer": {name: record[name] for name in sorted(_TOLD & record.keys())},
        "row": record["row"] if record["row"] is not None else {"cut": f"{record.get('row_bytes')} bytes, too long"},
        "model": {
            "package": package.arn if package else None,
            "family": package.properties.get("family") if package else None,
            "status": package.approval if package else "no longer registered",
            "decided_by": package.by if package else None,
            "gates": registered.get("reasons", []),
        },
        "training": {
            name: run.get(name) for name in ("run_id", "started_at", "status", "reason", "parent", "spec_id", "seed")
        },
        "data": {
            "dataset": run.get("dataset"),
            "version": record["data_version"],
            "contract_id": record["contract_id"],
            "files": _files(target, run.get("dataset"), str(record["data_version"])),
        },
        "code": {
            "serving": record["code_version"],
            "training": run.get("code_asset"),
            "image": run.get("image"),
            "lock_sha256": run.get("lock_sha256"),
            "features_sha256": run.get("features_sha256"),
            "estimators_sha256": run.get("estimators_sha256"),
        },
    }


def _package(target: Target, model: str, version: str) -> Package | None:
    packages = Packages(target.client("sagemaker"), target.training(model)[names.OUTPUT_PACKAGE_GROUP])
    return next((package for package in packages.all() if str(package.number) == version), None)


def _files(target: Target, dataset: str | None, version: str) -> list[dict[str, Any]]:
    manifest = reports.data(target).read_json(keys.manifest(dataset, version)) if dataset else None
    objects = manifest["objects"] if manifest else []
    return [{name: entry[name] for name in ("name", "sha256", "size")} for entry in objects]


def _cell(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        more = [f"and {len(value) - SHOWN_FILES} more (--json has all)"] if len(value) > SHOWN_FILES else []
        return [f"{one['name']}  {output.size(one['size'])}" for one in value[:SHOWN_FILES]] + more
    if isinstance(value, dict):
        return [f"{name}: {entry:.4g}" for name, entry in value.items()]
    return value
