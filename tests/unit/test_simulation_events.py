"""Entries of a ledger as a simulation tells them."""

from typing import Any

import pytest

from cli.simulation_events import told
from lifecycle import ledger

AT = "2013-05-02T00:01:00Z"


def entry(kind: str, **detail: Any) -> dict[str, Any]:
    return {"number": 1, "kind": kind, "at": AT, "detail": detail}


@pytest.mark.parametrize(
    ("kind", "detail", "said"),
    [
        (ledger.RUN_STARTED, {"reason": "alarm drift", "version": "1" * 64}, ("run", "alarm drift")),
        (ledger.RUN_STARTED, {"reason": None, "version": "12345678" + "9" * 56}, ("run", "data version 12345678")),
        (ledger.MODEL_LIVE, {"model_version": "3"}, ("promotion", "version 3 is live")),
        (
            ledger.CANDIDATE_REGISTERED,
            {"status": "Rejected", "reasons": ["worse than the live model"]},
            ("rejection", "worse than the live model"),
        ),
        (
            ledger.VERSION_REJECTED,
            {"problems": [{"text": "3 rows have no time"}]},
            ("rejection", "data version: 3 rows have no time"),
        ),
        (ledger.VERSION_REJECTED, {"problems": []}, ("rejection", "data version: no reason given")),
        (
            ledger.VERSION_WITHDRAWN,
            {"model_version": "4", "reasons": ["5 of 9 requests failed"]},
            ("rollback", "version 4 was given up: 5 of 9 requests failed"),
        ),
        (
            ledger.ROLLED_BACK,
            {"model_version": "2", "reason": "worse on the same rows"},
            ("rollback", "back to version 2: worse on the same rows"),
        ),
        (
            ledger.RUN_ENDED,
            {"run_id": "m-1-a1", "status": "failed", "error": "TrainingFailed"},
            ("failure", "run m-1-a1: TrainingFailed"),
        ),
        (ledger.RUN_ENDED, {"run_id": "m-1-a1", "status": "timed_out"}, ("failure", "run m-1-a1: timed_out")),
        (ledger.DEPLOYMENT_FAILED, {"error": "NotReady"}, ("failure", "deployment: NotReady")),
    ],
)
def test_what_happened_is_told_in_a_few_words(kind: str, detail: dict[str, Any], said: tuple[str, str]) -> None:
    assert told(entry(kind, **detail)) == {"at": AT, "kind": said[0], "text": said[1]}


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (ledger.CANDIDATE_REGISTERED, {"status": "Approved", "reasons": []}),
        (ledger.RUN_ENDED, {"run_id": "m-1-a1", "status": "succeeded"}),
        (ledger.RUN_ENDED, {"run_id": "m-1-a1", "status": "rejected"}),
        (ledger.TRAFFIC_SHIFTED, {"weights": {"2": 0.1}}),
        ("a kind of a later version", {}),
    ],
)
def test_what_leads_nowhere_or_is_told_already_is_left_to_the_ledger(kind: str, detail: dict[str, Any]) -> None:
    assert told(entry(kind, **detail)) is None
