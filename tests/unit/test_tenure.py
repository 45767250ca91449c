"""Who was live when, and by whose word, from the ledger alone."""

from datetime import UTC, datetime
from typing import Any

from lifecycle import tenure

HOUR = "2026-11-21T{:02d}:00:00Z"


def entry(hour: int, kind: str, version: str, **detail: Any) -> dict[str, Any]:
    facts = {"model_version": version, "version": str(int(version) + 1), "package_arn": f"p/{version}", "run_id": "r"}
    return {"kind": kind, "at": HOUR.format(hour), "detail": {**facts, **detail}}


def moment(hour: int, minute: int = 0) -> float:
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC).timestamp()


HISTORY = [
    entry(8, "traffic shifted", "1"),
    entry(9, "live", "1", approved_by="policy", approval="it is good", reason="a newer model is approved"),
    entry(10, "version probed", "2"),
    entry(11, "live", "2", by="", approved_by="ann", approval="looked at it", reason="a newer model is approved"),
    entry(12, "version withdrawn", "3"),
    entry(13, "rolled back", "1", by="bob", reason="odd", data_version="d"),
    entry(14, "live", "2", by="ann", reason="it was the data", approved_by="policy", approval="it is good"),
]


def test_times_of_being_live_follow_each_other_without_a_gap() -> None:
    known = tenure.tenures(HISTORY)
    assert [(one.model_version, one.by) for one in known] == [("1", "policy"), ("2", "ann"), ("1", "bob"), ("2", "ann")]
    assert [one.until for one in known[:-1]] == [one.since for one in known[1:]]
    assert known[-1].until is None
    assert [one.reason for one in known] == ["it is good", "looked at it", "odd", "it was the data"]


def test_a_moment_belongs_to_whoever_went_live_last_before_it() -> None:
    known = tenure.tenures(HISTORY)
    assert tenure.at(known, moment(8, 59)) is None
    for hour, version in ((9, "1"), (12, "2"), (13, "1"), (23, "2")):
        found = tenure.at(known, moment(hour))
        assert found is not None
        assert found.model_version == version


def test_a_version_is_found_by_the_number_that_answers_carry() -> None:
    known = tenure.tenures(HISTORY)
    found = tenure.last_of(known, "1")
    assert found is not None
    assert (found.version, found.data_version) == ("2", "d")
    assert tenure.last_of(known, "3") is None, "it was never live"
