"""Scored rows -> log lines: one JSON line per prediction, one embedded-metrics line per request.

The prediction line is what feedback, monitoring and replay read later: raw columns as the caller sent them (typed,
times in UTC), score and decision, and what they were made with. Of private columns it holds nothing, or a pseudonym
where the contract says `private: hash`. A line stays under 64 KB, since longer ones are split on their way; then `row`
is null and `row_bytes` says how long it was. A request that we could not answer leaves one line of kind "failure".
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecycle import names
from lifecycle.checksum import sha256_hex
from lifecycle.request import inputs_of

PREDICTION: Final = "prediction"
FAILURE: Final = "failure"
PATTERN: Final = f'{{ ($.kind = "{PREDICTION}") || ($.kind = "{FAILURE}") }}'  # CloudWatch Logs, of a subscription
HASHED: Final = "hash"  # the value of `private` that keeps a pseudonym; true keeps nothing
SCHEMA: Final = 2
LINE_BYTES: Final = 65_536
PSEUDONYM_DIGITS: Final = 32

Row = Mapping[str, Any]


def _time_text(value: Any) -> str:
    """A typed row holds times as datetimes in UTC, and nothing else that JSON does not know."""
    text: str = value.isoformat()
    return text.removesuffix("+00:00") + "Z"


_ENCODER = json.JSONEncoder(default=_time_text)


class PredictionLog:
    """Writes lines of one model, whose contract is given as plain data.

    `facts` are the members that every line carries (versions, ids, arm); `stage` and `model` are among them, because
    pseudonyms differ between stages and models.
    """

    def __init__(self, contract: Mapping[str, Any], facts: Mapping[str, str]) -> None:
        inputs = inputs_of(contract)
        private = any(column.get("private") for column in inputs)
        self._kept = [column["name"] for column in inputs if not column.get("private")] if private else None
        place = f"{facts['stage']}/{facts['model']}"
        hashed = [column["name"] for column in inputs if column.get("private") == HASHED]
        self._hashed = [(name, f"{place}/{name}=") for name in hashed]
        self._head = json.dumps({"kind": PREDICTION, "schema": SCHEMA, **facts})[:-1]

    def lines(
        self, rows: Sequence[Row], predictions: Sequence[Mapping[str, Any]], *, time_ms: int, latency_ms: float
    ) -> list[str]:
        """Return one line per row. `time_ms` is epoch milliseconds, `latency_ms` the whole request's so far."""
        tail = f', "time": {time_ms}, "latency_ms": {latency_ms:.3f}, "rows": {len(rows)}'
        return [self._line(row, prediction, tail) for row, prediction in zip(rows, predictions, strict=True)]

    def _line(self, row: Row, prediction: Mapping[str, Any], tail: str) -> str:
        kept = row if self._kept is None else self._public(row)
        answer = json.dumps(prediction)[1:-1]
        written = _ENCODER.encode(kept)
        line = f'{self._head}{tail}, {answer}, "row": {written}}}'
        if len(line) < LINE_BYTES:  # ASCII: characters are bytes
            return line
        return f'{self._head}{tail}, {answer}, "row": null, "row_bytes": {len(written)}}}'

    def _public(self, row: Row) -> Row:
        kept = {name: row[name] for name in self._kept or ()}
        for name, salt in self._hashed:
            value = row[name]
            kept[name] = None if value is None else pseudonym(salt, value)
        return kept


def pseudonym(salt: str, value: Any) -> str:
    """Return what stands for a private value: equal values of one column, model and stage have the same.

    It hides a value from a reader, not from somebody who can guess values: the salt is no secret, so a column of few
    or guessable values (a postcode, a birthday) can be found out by trying them. Such a column is left out instead.
    """
    return sha256_hex((salt + _ENCODER.encode(value)).encode())[:PSEUDONYM_DIGITS]


def failure_lines(facts: Mapping[str, str | None], *, time_ms: int, status: int, error: str) -> list[str]:
    """Return what a request leaves that our code answered with 5xx: its line, and its metric.

    `facts` names stage, model, model_version (None when no model could be loaded), arm and request_id; `error` says
    why, without anything of the rows.
    """
    line = {"kind": FAILURE, "schema": SCHEMA, **facts, "time": time_ms, "status": status, "error": error}
    return [json.dumps(line), _failed(facts, time_ms)]


def _failed(facts: Mapping[str, str | None], time_ms: int) -> str:
    """Return the count of one failed request in CloudWatch's embedded metric format."""
    name = names.METRIC_REQUESTS_FAILED
    directive = {
        "Namespace": names.METRIC_NAMESPACE,
        "Dimensions": [["Stage", "Model"]],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    }
    found = {"_aws": {"Timestamp": time_ms, "CloudWatchMetrics": [directive]}}
    return json.dumps({**found, "Stage": facts["stage"], "Model": facts["model"], name: 1})
