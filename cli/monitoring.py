"""What monitoring left of a model: a window, its page on the local disk, alarms, the last decision about a run."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from cli import output, reports
from cli.target import Target
from cloud.alarms import Alarms
from cloud.functions import Functions
from cloud.ledger import LedgerTable
from lifecycle import keys, ledger, monitor_page, names
from lifecycle.monitor_words import START, epoch

FOLDER: Final = reports.FOLDER / "monitoring"
SCHEMA: Final = 1
WATCHED: Final = (*names.ALERTS, "errors", "failures", "monitor")
"""What a model's alarms are about, the alerts of monitoring first."""


def look(target: Target, model: str) -> None:
    """Run the model's monitor function now and wait for it; ends the command when there is none, or when it fails."""
    outputs = target.stacks.outputs(names.monitoring_stack(target.stage, model))
    if outputs is None:
        output.fail(_unwatched(target, model))
    called = Functions(target.client("lambda")).invoke(outputs[names.OUTPUT_MONITOR], "$LATEST", {})
    if called.error:
        output.fail(f"the monitor function of {model} failed: {called.error.rstrip('.')}. See: perennial logs monitor")


def window(target: Target, model: str, at: float | None) -> dict[str, Any]:
    """Return the window of the newest look, or of the newest one by `at` (epoch seconds), without the looks' memory.

    Ends the command when there is none; the message says why, and what to do.
    """
    found = _newest(target, model) if at is None else _by(target, model, at)
    if found is None:
        output.fail(_none(target, model, at))
    if found.get("schema") != SCHEMA:
        output.fail(
            f"the window of {model} has schema {found.get('schema')}, this command reads {SCHEMA}. "
            "Check out the deployed commit, or deploy this one"
        )
    return {name: part for name, part in found.items() if name != "memory"}


def _newest(target: Target, model: str) -> Any:
    return reports.artifacts(target).read_json(keys.monitoring(model, "latest.json"))


def _by(target: Target, model: str, at: float) -> Any:
    """The newest look by then; keys sort by time."""
    bucket, prefix = reports.artifacts(target), keys.monitoring(model, "windows", "")
    stored = [key for key in bucket.keys(prefix) if key.endswith(".json")]
    past = [key for key in stored if epoch(_stamp(key[len(prefix) :])) <= at]
    return bucket.read_json(past[-1]) if past else None


def _stamp(name: str) -> str:
    """The time in a window's file name.

    >>> _stamp("2026-11-21T1000.json")
    '2026-11-21T10:00'
    """
    return f"{name[:13]}:{name[13:15]}"


def _unwatched(target: Target, model: str) -> str:
    target.training(model)  # a model that does not exist ends the command with the names of those that do
    return (
        f"{model} is not watched: stage {target.stage} has no stack {names.monitoring_stack(target.stage, model)}. "
        "Monitoring needs the prediction log: leave out `monitoring: {prediction_log: false}` of its model.yaml and "
        "deploy again"
    )


def _none(target: Target, model: str, at: float | None) -> str:
    if target.stacks.outputs(names.monitoring_stack(target.stage, model)) is None:
        return _unwatched(target, model)
    if at is not None:
        return f"nobody looked at {model} by {output.when(at)}. See the newest: perennial monitor {model}"
    return (
        f"no window of {model} yet: a first look comes by schedule once a version is live (monitoring.every_minutes "
        f"of its model.yaml). Look now: perennial monitor {model} --now"
    )


def decided(target: Target, model: str) -> dict[str, Any] | None:
    """Return the newest decision about a new run, with its time `at`; None before the first."""
    table = LedgerTable(target.client("dynamodb"), target.shared()[names.OUTPUT_LEDGER_TABLE])
    for entry in reversed(table.entries(ledger.model(model))):
        if entry["kind"] == ledger.RETRAINING_DECIDED:
            detail = entry["detail"]
            return {"at": entry["at"], **{name: detail.get(name) for name in ("decision", "reason", "until")}}
    return None


def with_decision(window: dict[str, Any], decision: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the window with the decision that followed it, or that still holds a run back.

    The window is written before the decision is taken; a wait or a refusal that goes on is not written down again.
    """
    if decision is None:
        return window
    followed = epoch(decision["at"]) >= epoch(window["at"])
    still = decision["decision"] != START and window["alerts"]
    return {**window, "retraining": dict(decision)} if followed or still else window


def alarms(target: Target, model: str) -> list[dict[str, Any]]:
    """Return the state of each of the model's alarms; `what` is what it is about."""
    about = {names.alarm(target.stage, model, what): what for what in WATCHED}
    states = Alarms(target.client("cloudwatch")).states(list(about))
    return [{"what": about[state.name], **asdict(state)} for state in states]


def save(window: Mapping[str, Any]) -> Path:
    """Write the window's page to the local disk and return its path."""
    stamp = str(window["at"])[:16].replace(":", "")
    path = FOLDER / str(window["model"]) / f"{stamp}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(monitor_page.page(window), encoding="utf-8")
    return path
