"""Scored rows -> log lines: one JSON line per prediction, one embedded-metrics line per request.

The prediction line is what feedback, monitoring and replay read later: raw columns as the caller sent them (typed,
times in UTC, private ones left out), score and decision, and what they were made with. A line stays under 64 KB, since
longer ones are split on their way; then `row` is null and `row_bytes` says how long it was.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecycle import names
from lifecycle.request import inputs_of

PREDICTION: Final = "prediction"
FAILURE: Final = "failure"
SCHEMA: Final = 2
LINE_BYTES: Final = 65_536

Row = Mapping[str, Any]


def _time_text(value: Any) -> str:
    """A typed row holds times as datetimes in UTC, and nothing else that JSON does not know."""
    text: str = value.isoformat()
    return text.removesuffix("+00:00") + "Z"


_ENCODER = json.JSONEncoder(default=_time_text)


class PredictionLog:
    """Writes lines of one model, whose contract is given as plain data.

    `facts` are the members that every line carries (versions, ids, stage, model).
    """

    def __init__(self, contract: Mapping[str, Any], facts: Mapping[str, str]) -> None:
        inputs = inputs_of(contract)
        private = any(column.get("private") for column in inputs)
        self._kept = [column["name"] for column in inputs if not column.get("private")] if private else None
        self._head = json.dumps({"kind": PREDICTION, "schema": SCHEMA, **facts})[:-1]

    def lines(
        self, rows: Sequence[Row], predictions: Sequence[Mapping[str, Any]], *, time_ms: int, latency_ms: float
    ) -> list[str]:
        """Return one line per row. `time_ms` is epoch milliseconds, `latency_ms` the whole request's so far."""
        tail = f', "time": {time_ms}, "latency_ms": {latency_ms:.3f}, "rows": {len(rows)}'
        return [self._line(row, prediction, tail) for row, prediction in zip(rows, predictions, strict=True)]

    def _line(self, row: Row, prediction: Mapping[str, Any], tail: str) -> str:
        kept = row if self._kept is None else {name: row[name] for name in self._kept}
        answer = json.dumps(prediction)[1:-1]
        written = _ENCODER.encode(kept)
        line = f'{self._head}{tail}, {answer}, "row": {written}}}'
        if len(line) < LINE_BYTES:  # ASCII: characters are bytes
            return line
        return f'{self._head}{tail}, {answer}, "row": null, "row_bytes": {len(written)}}}'


def metrics_line(stage: str, model: str, *, scored: int, refused: int, time_ms: int) -> str:
    """Return the request's figures in CloudWatch's embedded metric format."""
    found = {
        "_aws": {
            "Timestamp": time_ms,
            "CloudWatchMetrics": [
                {
                    "Namespace": names.METRIC_NAMESPACE,
                    "Dimensions": [["Stage", "Model"]],
                    "Metrics": [
                        {"Name": names.METRIC_ROWS_SCORED, "Unit": "Count"},
                        {"Name": names.METRIC_ROWS_REFUSED, "Unit": "Count"},
                    ],
                }
            ],
        },
        "Stage": stage,
        "Model": model,
        names.METRIC_ROWS_SCORED: scored,
        names.METRIC_ROWS_REFUSED: refused,
    }
    return json.dumps(found)
