"""The labels table: conditional writes, and reading by the hour of the prediction."""

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from cloud.labels import Labels
from lambdas import wiring
from lifecycle.errors import Throttled, Unavailable
from lifecycle.feedback_label import Change, Label, hour_of
from tests.handlers.feedback_world import HOUR, identity, labels, make_labels_table

TEN = 1_795_255_200.0  # 2026-11-21T10:00:00Z


@pytest.fixture
def table(aws: None) -> Labels:
    make_labels_table()
    return labels()


def label(at: float, number: int = 0, value: str | float = "a", **others: object) -> Label:
    facts = {"prediction_id": identity(at, number), "label": value, "recorded_at": 1.5, "source": "s", **others}
    return Label(**facts)  # type: ignore[arg-type]


def new(wanted: Label) -> Change:
    return Change(before=None, after=wanted)


@pytest.mark.parametrize("value", ["a", "", 0.1, -1e300, 3.0, "Zürich"])
def test_what_is_written_is_read_back_exactly(table: Labels, value: str | float):
    replaced = {"label": value, "recorded_at": 0.1 + 0.2, "source": "x"}
    wanted = label(TEN, value=value, recorded_at=1795255200.123456, time=0.1, found=True, history=(replaced,))
    assert table.write([new(wanted)]) == []
    assert table.of([wanted.prediction_id]) == {wanted.prediction_id: wanted}


def test_a_second_writer_of_a_new_label_is_told_and_changes_nothing(table: Labels):
    table.write([new(label(TEN))])
    assert table.write([new(label(TEN, value="b"))]) == [identity(TEN)]
    assert table.of([identity(TEN)])[identity(TEN)].label == "a"


def test_a_replacement_holds_only_if_the_label_still_is_what_it_was(table: Labels):
    first, second, third = label(TEN), label(TEN, value="b"), label(TEN, value="c")
    table.write([new(first)])
    assert table.write([Change(before=first, after=second)]) == []
    assert table.write([Change(before=first, after=third)]) == [identity(TEN)]
    assert table.of([identity(TEN)])[identity(TEN)] == second


def test_of_twenty_writers_at_once_exactly_one_wins(table: Labels):
    def put(number: int) -> list[str]:
        return Labels(boto3.client("dynamodb"), "labels", "flights").write([new(label(TEN, value=str(number)))])

    with ThreadPoolExecutor(20) as pool:
        lost = list(pool.map(put, range(20)))
    assert sum(not one for one in lost) == 1


def test_many_labels_are_written_and_read_in_batches(table: Labels):
    wanted = [label(TEN + number % 7 * HOUR, number) for number in range(250)]
    assert table.write([new(one) for one in wanted]) == []
    assert len(table.of(one.prediction_id for one in wanted)) == 250


def calls(operation: str) -> list[dict[str, Any]]:
    """Parameters of each call of an operation from now on."""
    seen: list[dict[str, Any]] = []
    events = wiring.client("dynamodb").meta.events
    events.register(f"provide-client-params.dynamodb.{operation}", lambda params, **_: seen.append(params))
    return seen


def refuse(operation: str, *errors: dict[str, Any] | None) -> None:
    """Let AWS answer the next calls of an operation so, each with the error's `Code` and other members; None: well."""
    waiting = list(errors)

    def answer(**_: Any) -> tuple[Any, dict[str, Any]] | None:
        error = waiting.pop(0) if waiting else None
        return (SimpleNamespace(status_code=400), {"Error": error, **error}) if error else None

    wiring.client("dynamodb").meta.events.register_first(f"before-call.dynamodb.{operation}", answer)


def cancelled(*codes: str) -> dict[str, Any]:
    return {"Code": "TransactionCanceledException", "CancellationReasons": [{"Code": code} for code in codes]}


def test_a_document_of_many_labels_takes_one_call_for_a_hundred(table: Labels):
    together, alone = calls("TransactWriteItems"), calls("PutItem")
    wanted = [label(TEN + number % 7 * HOUR, number) for number in range(300)]
    assert table.write([new(one) for one in wanted]) == []
    assert ([len(call["TransactItems"]) for call in together], alone) == ([100] * 3, [])
    assert table.of(one.prediction_id for one in wanted) == {one.prediction_id: one for one in wanted}


def test_a_single_label_costs_no_transaction(table: Labels):
    together, alone = calls("TransactWriteItems"), calls("PutItem")
    assert table.write([new(label(TEN, number)) for number in range(101)]) == []
    assert (len(together), len(alone)) == (1, 1)


def test_labels_with_much_history_are_put_in_smaller_transactions(table: Labels):
    replaced = {"label": "\U0001f6eb" * 256, "recorded_at": 1.5, "source": "ü" * 500}
    wanted = [label(TEN, number, history=(replaced,) * 20) for number in range(100)]
    together = calls("TransactWriteItems")
    assert table.write([new(one) for one in wanted]) == []
    assert max(len(json.dumps(call["TransactItems"])) for call in together) < 4_000_000
    assert len(table.of(one.prediction_id for one in wanted)) == 100


def test_exactly_the_labels_that_changed_meanwhile_are_lost_and_all_others_are_written(table: Labels):
    known = [label(TEN, number) for number in range(250)]
    table.write([new(one) for one in known[:200]])
    others = [label(TEN, number, value="other", recorded_at=2.5) for number in (0, 7, 99, 100, 199)]
    table.write([Change(before=known[int(n)], after=one) for n, one in zip((0, 7, 99, 100, 199), others, strict=True)])
    changed = {number: label(TEN, number, value="mine") for number in range(250)}
    changes = [Change(before=known[n] if n < 200 else None, after=one) for n, one in changed.items()]
    assert table.write(changes) == [one.prediction_id for one in others]
    wanted = {one.prediction_id: one for one in (*changed.values(), *others)}
    assert table.of(wanted) == wanted


def test_a_batch_that_somebody_else_wrote_already_is_lost_in_one_call(table: Labels):
    changes = [new(label(TEN, number)) for number in range(100)]
    table.write(changes)
    alone = calls("PutItem")
    assert table.write(changes) == [change.after.prediction_id for change in changes]
    assert alone == []


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "None"])
def test_what_a_cancelled_transaction_did_not_refuse_is_written_after_all(table: Labels, code: str):
    refuse("TransactWriteItems", cancelled("None", code, "ConditionalCheckFailed"))
    assert table.write([new(label(TEN, number)) for number in range(3)]) == [identity(TEN, 2)]
    assert sorted(table.of(identity(TEN, number) for number in range(3))) == [identity(TEN, 0), identity(TEN, 1)]


def test_a_transaction_whose_first_attempt_still_runs_is_followed_by_single_puts(table: Labels):
    refuse("TransactWriteItems", {"Code": "TransactionInProgressException"})
    assert table.write([new(label(TEN, number)) for number in range(3)]) == []
    assert len(table.of(identity(TEN, number) for number in range(3))) == 3


def test_a_repeated_attempt_says_that_it_is_the_same_transaction(table: Labels):
    sent: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse | None:
        sent.append(json.loads(request.body)["ClientRequestToken"])
        raw = SimpleNamespace(stream=lambda **_: iter([b"{}"]), read=lambda *_: b"{}")
        return AWSResponse(request.url, 500 if len(sent) == 1 else 200, {}, raw)

    wiring.client("dynamodb").meta.events.register_first("before-send.dynamodb.TransactWriteItems", answer)
    table.write([new(label(TEN, number)) for number in range(2)])
    table.write([new(label(TEN, number)) for number in range(2, 4)])
    first, again, other = sent
    assert first == again != other


def test_a_single_put_waits_for_the_transactions_of_others(table: Labels):
    refuse("PutItem", *[{"Code": "TransactionConflictException"}] * 2)
    assert table.write([new(label(TEN))]) == []
    assert list(table.of([identity(TEN)])) == [identity(TEN)]


def test_a_label_that_is_never_free_ends_the_writing_and_what_was_written_stays(table: Labels):
    refuse("PutItem", *[{"Code": "TransactionConflictException"}] * 9)
    with pytest.raises(Throttled, match="write 101 labels of flights"):
        table.write([new(label(TEN, number)) for number in range(101)])
    assert len(table.of(identity(TEN, number) for number in range(101))) == 100


@pytest.mark.parametrize(("code", "error"), [("ThrottlingException", Throttled), ("InternalServerError", Unavailable)])
def test_a_transaction_that_aws_does_not_take_ends_the_writing_and_those_before_stay(
    table: Labels, code: str, error: type[Exception]
):
    refuse("TransactWriteItems", None, {"Code": code})
    with pytest.raises(error, match="write 250 labels of flights"):
        table.write([new(label(TEN, number)) for number in range(250)])
    assert len(table.of(identity(TEN, number) for number in range(250))) == 100


def test_a_prediction_with_two_labels_is_never_sent(table: Labels):
    together = calls("TransactWriteItems")
    with pytest.raises(AssertionError, match="twice"):
        table.write([new(label(TEN)), new(label(TEN, value="b"))])
    assert together == []


def test_strangers_and_nothing_have_no_labels(table: Labels):
    assert table.of([]) == {}
    assert table.of(["stranger", "", identity(TEN)]) == {}


def test_labels_of_an_hour_are_those_of_its_predictions_in_order(table: Labels):
    times = [TEN - 0.001, TEN, TEN + 7, TEN + HOUR - 0.001, TEN + HOUR]
    table.write([new(label(at, value=at, time=1.5, history=({"label": "b"},))) for at in times])
    assert list(table.of_hour(hour_of(TEN))) == [(identity(at), at) for at in times[1:4]]


def test_models_do_not_see_each_others_labels(table: Labels):
    table.write([new(label(TEN))])
    assert labels("other").of([identity(TEN)]) == {}
    assert list(labels("other").of_hour(hour_of(TEN))) == []
