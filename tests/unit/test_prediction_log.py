"""Log lines of scored rows."""

import json
from datetime import UTC, datetime

from lifecycle.prediction_log import LINE_BYTES, PredictionLog, failure_lines
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


def hashed(stage="dev", model="late", column="passenger", **row) -> dict:
    contract = Contract(
        task=Task.BINARY,
        target="late",
        columns=(Column(name=column, kind=Kind.ID, private="hash"), Column(name="late", kind=Kind.BOOLEAN)),
    )
    log = PredictionLog(contract_to_plain(contract), {"stage": stage, "model": model})
    return json.loads(log.lines([row], [ANSWER], time_ms=1, latency_ms=1)[0])["row"]


def test_a_hashed_column_keeps_one_pseudonym_per_value():
    jane, again, john = hashed(passenger="Jane"), hashed(passenger="Jane"), hashed(passenger="John")
    assert jane == again != john
    assert "Jane" not in str(jane)
    assert len(jane["passenger"]) == 32
    assert hashed(passenger=None) == {"passenger": None}


def test_pseudonyms_of_stages_models_and_columns_cannot_be_joined():
    found = [
        hashed(passenger="Jane"),
        hashed(stage="prod", passenger="Jane"),
        hashed(model="early", passenger="Jane"),
        hashed(column="crew", crew="Jane"),
    ]
    assert len({next(iter(row.values())) for row in found}) == 4


def test_a_request_that_failed_leaves_one_line_without_rows_and_one_metric():
    facts = {"stage": "dev", "model": "late", "model_version": None, "arm": "4", "request_id": "r-1"}
    failure, metric = map(json.loads, failure_lines(facts, time_ms=5, status=500, error="KeyError"))
    assert failure == {"kind": "failure", "schema": 2, **facts, "time": 5, "status": 500, "error": "KeyError"}
    assert metric["RequestsFailed"] == 1
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Stage", "Model"]]


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
