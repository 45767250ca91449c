"""Log lines of scored rows."""

import json
from datetime import UTC, datetime

from lifecycle.prediction_log import LINE_BYTES, PredictionLog, metrics_line
from lifecycle.schema import Column, Contract, Kind, Task, contract_to_plain

CONTRACT = Contract(
    task=Task.BINARY,
    target="late",
    columns=(
        Column(name="distance", kind=Kind.NUMBER),
        Column(name="passenger", kind=Kind.ID, private=True),
        Column(name="note", kind=Kind.TEXT),
        Column(name="late", kind=Kind.BOOLEAN),
    ),
)
FACTS = {"stage": "dev", "model": "late", "model_version": "3"}
ANSWER = {"prediction_id": "p-1", "probability": 0.25, "decision": False}


def lines(*rows) -> list[str]:
    log = PredictionLog(contract_to_plain(CONTRACT), FACTS)
    return log.lines(rows, [ANSWER] * len(rows), time_ms=1_700_000_000_000, latency_ms=1.25)


def test_a_line_says_what_was_asked_answered_and_by_which_version():
    [line] = lines({"distance": 12.5, "passenger": "Jane", "note": "a\nb"})
    assert "\n" not in line
    assert json.loads(line) == {
        "kind": "prediction",
        "schema": 2,
        **FACTS,
        "time": 1_700_000_000_000,
        "latency_ms": 1.25,
        "rows": 1,
        **ANSWER,
        "row": {"distance": 12.5, "note": "a\nb"},
    }


def test_times_are_written_in_utc_as_they_may_be_sent():
    [line] = lines({"distance": 1.0, "passenger": None, "note": datetime(2013, 4, 1, 9, 5, tzinfo=UTC)})
    assert json.loads(line)["row"]["note"] == "2013-04-01T09:05:00Z"


def test_private_values_are_not_written():
    assert "Jane" not in lines({"distance": 1.0, "passenger": "Jane", "note": None})[0]


def test_a_row_too_long_for_one_line_is_left_out_and_its_length_said():
    [line] = lines({"distance": 1.0, "passenger": "x", "note": "ü" * LINE_BYTES})
    assert len(line.encode()) < LINE_BYTES
    found = json.loads(line)
    assert found["row"] is None
    assert found["row_bytes"] > LINE_BYTES
    assert found["prediction_id"] == "p-1"


def test_lone_surrogates_of_a_request_can_be_written():
    [line] = lines({"distance": 1.0, "passenger": "x", "note": "\ud800"})
    assert line.encode()


def test_the_metrics_line_is_embedded_metric_format_without_other_dimensions():
    found = json.loads(metrics_line("dev", "late", scored=3, refused=0, time_ms=5))
    [directive] = found["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Stage", "Model"]]
    assert {metric["Name"]: found[metric["Name"]] for metric in directive["Metrics"]} == {
        "RowsScored": 3,
        "RowsRefused": 0,
    }
    assert (found["Stage"], found["Model"], found["_aws"]["Timestamp"]) == ("dev", "late", 5)
