"""`perennial feedback`: what really happened, told about predictions: one label over HTTP, or a file by upload."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import output, reports
from cli.ask import refusal
from cli.follow import POLL_SECONDS, Board
from cli.main import MODELS, Shared, app, example
from cli.target import Target
from lifecycle import keys, names
from lifecycle.feedback_verdict import REFUSED
from lifecycle.schema import Kind

PATIENCE_SECONDS = 900.0  # the reader's own time-out
SHOWN_ROWS = 20


@app.command(
    rich_help_panel=MODELS,
    epilog=example(
        "perennial feedback flights labels.csv",
        "perennial feedback flights --id 01a1fd8c-6900-7c31-9d2a-0c5b1f3e7a42 --label true",
        "perennial feedback flights --id 01a1fd8c-6900-7c31-9d2a-0c5b1f3e7a42 --label false --correct",
    ),
)
def feedback(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="CSV, CSV.gz, Parquet or JSONL with prediction_id and label."),
    ] = None,
    prediction_id: Annotated[str | None, typer.Option("--id", help="One prediction_id, instead of a file.")] = None,
    label: Annotated[str | None, typer.Option(help="Its label, as the training data spells it.")] = None,
    correct: Annotated[bool, typer.Option("--correct", help="Replace a label that is stored already.")] = False,
) -> None:
    """Send labels of predictions, by their prediction_id, and say what became of each.

    A file may also have the columns time (when the label became known) and correct (true replaces a stored label).
    """
    shared: Shared = context.obj
    single = prediction_id is not None and label is not None
    if (file is None) is not single or (file and (prediction_id or label or correct)):
        output.fail("name a file, or --id and --label; see: perennial feedback --help", output.EXIT_USAGE)
    target = shared.target()
    _need_feedback(target, model)
    if file is not None:
        _file(shared, target, model, file)
    else:
        _one(shared, target, model, {"prediction_id": prediction_id, "label": label, "correct": correct})


def _need_feedback(target: Target, model: str) -> None:
    if names.OUTPUT_PREDICTION_STREAM not in target.serving(model):
        output.fail(
            f"{model} takes no feedback: it is deployed with `monitoring: {{prediction_log: false}}`, so no label "
            "could be joined with its prediction"
        )


def _one(shared: Shared, target: Target, model: str, item: dict[str, Any]) -> None:
    item["label"] = _typed(str(item["label"]), target, model)
    door = target.door()
    answer = door.call("POST", f"/models/{model}/feedback", json.dumps({"labels": [item]}).encode())
    if answer.status != 200:
        output.fail(refusal(answer))
    (result,) = answer.body["results"]
    shared.out.record({name: value for name, value in result.items() if name != "item"})
    if result["status"] in REFUSED:
        raise SystemExit(output.EXIT_FAILED)


def _typed(text: str, target: Target, model: str) -> Any:
    """The label as JSON has it; what cannot be read is sent as it is, and refused with the rule."""
    contract = reports.spec(target, model).contract
    kind = contract.by_name[contract.target].kind
    if kind is Kind.BOOLEAN:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in (Kind.NUMBER, Kind.INTEGER):
        try:
            return int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError:
            return text
    return text


def _file(shared: Shared, target: Target, model: str, file: Path) -> None:
    bucket = reports.data(target)
    board = Board(quiet=shared.out.as_json)
    with board.doing(f"upload {file.name} ({output.size(file.stat().st_size)})"):
        version = bucket.upload(file, keys.feedback(model, file.name))
    key = keys.feedback_report(model, file.name, version)
    with board.doing("read it, label by label"):
        report = _report(bucket, key, model)
    if shared.out.as_json:
        shared.out.value(report)
    elif not report["refused"]:
        _show(shared, report, key)
    if report["refused"]:
        output.fail(report["refused"])
    if report["refused_rows"]:
        raise SystemExit(output.EXIT_FAILED)


def _show(shared: Shared, report: dict[str, Any], key: str) -> None:
    shared.out.record({name: count for name, count in report["counts"].items() if count})
    if rows := report["refused_rows"]:
        shared.out.table(rows[:SHOWN_ROWS], ["row", "prediction_id", "status", "message", "stored"], empty="")
        if len(rows) > SHOWN_ROWS:
            shared.out.line(f"and {len(rows) - SHOWN_ROWS} more. All of them: {key}")


def _report(bucket: Any, key: str, model: str) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := bucket.read_json(key)) is None:
        if time.monotonic() > until:
            output.fail(f"no report yet at {bucket.uri(key)}; see: perennial logs {model} --contains feedback")
        time.sleep(POLL_SECONDS)
    return dict(found)
