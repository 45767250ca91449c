"""The labels table: conditional writes, and reading by the hour of the prediction."""

from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from cloud.labels import Labels
from lifecycle.feedback_label import Change, Label
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


def test_strangers_and_nothing_have_no_labels(table: Labels):
    assert table.of([]) == {}
    assert table.of(["stranger", "", identity(TEN)]) == {}


def test_labels_of_a_span_are_those_of_its_predictions_in_order(table: Labels):
    times = [TEN - 1, TEN, TEN + HOUR, TEN + 2 * HOUR - 0.001, TEN + 2 * HOUR]
    table.write([new(label(at)) for at in times])
    found = [one.prediction_id for one in table.of_hours(TEN, TEN + 2 * HOUR)]
    assert found == [identity(at) for at in times[1:4]]


def test_models_do_not_see_each_others_labels(table: Labels):
    table.write([new(label(TEN))])
    assert labels("other").of([identity(TEN)]) == {}
    assert list(labels("other").of_hours(TEN, TEN + 1)) == []
