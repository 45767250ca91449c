"""Ledger and alarms of a model -> what happened since the last look, as a simulation's result tells it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cli.target import Target
from cloud.alarms import IN_ALARM, Alarms
from cloud.ledger import LedgerTable
from lifecycle import ledger, names
from lifecycle.runs import Status

ALARM, RUN, PROMOTION, REJECTION, ROLLBACK = "alarm", "run", "promotion", "rejection", "rollback"
FAILURE: Final = "failure"
WATCHED: Final = (*names.ALERTS, "monitor", "errors", "failures")
Event = dict[str, str]
"""`at` (ISO 8601, UTC), `kind` (one of the above) and `text`."""


class Watch:
    """Looks at the ledger and the alarms of one model; each thing that happened is told once."""

    def __init__(self, target: Target, model: str) -> None:
        self._ledger = LedgerTable(target.client("dynamodb"), target.shared()[names.OUTPUT_LEDGER_TABLE])
        self._alarms = Alarms(target.client("cloudwatch"))
        self._subject = ledger.model(model)
        self._watched = {names.alarm(target.stage, model, what): what for what in WATCHED}
        self._told = 0
        self._states: dict[str, str] = {}

    def look(self) -> list[Event]:
        """Return what happened since the last look, the earliest first."""
        entries = self._ledger.entries(self._subject, after=self._told)
        fresh = [event for entry in entries if (event := told(entry))]
        self._told = max([self._told, *(entry["number"] for entry in entries)])
        return sorted([*fresh, *self._changed()], key=lambda event: datetime.fromisoformat(event["at"]))

    def _changed(self) -> list[Event]:
        """Alarms that went off."""
        found = []
        for alarm in self._alarms.states(list(self._watched)):
            if alarm.value == IN_ALARM != self._states.get(alarm.name):
                at = datetime.fromtimestamp(alarm.since, UTC).isoformat(timespec="seconds")
                found.append({"at": at, "kind": ALARM, "text": self._watched[alarm.name]})
            self._states[alarm.name] = alarm.value
        return found


def told(entry: Mapping[str, Any]) -> Event | None:
    """Return what a simulation tells of an entry of the ledger, None for what it leaves to the ledger."""
    found = _told(entry["kind"], entry["detail"])
    return None if found is None else {"at": entry["at"], "kind": found[0], "text": found[1]}


def _told(kind: str, detail: Mapping[str, Any]) -> tuple[str, str] | None:
    if kind == ledger.CANDIDATE_REGISTERED:
        return (REJECTION, _first(detail, "reasons")) if detail["status"] == "Rejected" else None
    if kind == ledger.RUN_ENDED and detail["status"] in (Status.SUCCEEDED, Status.REJECTED):
        return None
    say = _SAID.get(kind)
    return None if say is None else (say[0], say[1](detail))


_SAID: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any]], str]]]] = {
    ledger.RUN_STARTED: (RUN, lambda detail: detail.get("reason") or f"data version {detail['version'][:8]}"),
    ledger.VERSION_REJECTED: (REJECTION, lambda detail: f"data version: {_first(detail, 'problems')}"),
    ledger.RUN_ENDED: (FAILURE, lambda detail: f"run {detail['run_id']}: {detail.get('error') or detail['status']}"),
    ledger.MODEL_LIVE: (PROMOTION, lambda detail: f"version {detail['model_version']} is live"),
    ledger.VERSION_WITHDRAWN: (
        ROLLBACK,
        lambda detail: f"version {detail['model_version']} was given up: {_first(detail, 'reasons')}",
    ),
    ledger.ROLLED_BACK: (ROLLBACK, lambda detail: f"back to version {detail['model_version']}: {detail['reason']}"),
    ledger.DEPLOYMENT_FAILED: (FAILURE, lambda detail: f"deployment: {detail.get('error')}"),
}


def _first(detail: Mapping[str, Any], name: str) -> str:
    first = next(iter(detail.get(name) or ["no reason given"]))
    return str(first["text"] if isinstance(first, Mapping) else first)
