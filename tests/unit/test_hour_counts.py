"""Counts of hours: exact sums, in any order, named after what they were made of."""

import json
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.hour_counts import Expected, HourCounts, sources_id, total, yardstick
from lifecycle.reference import Reference, category_reference, number_reference
from lifecycle.tally import ColumnTally, Tally

REFERENCE = Reference(
    rows=10,
    columns={"a": number_reference((1.0, 2.0), (3, 3, 4), 0), "b": category_reference({"x": 6, "y": 3}, 1)},
    scores=number_reference((0.5,), (5, 5), 0),
)
small = st.integers(0, 9)


@st.composite
def counts(draw: st.DrawFn) -> HourCounts:
    def column(bins: int) -> ColumnTally:
        return ColumnTally(counts=tuple(draw(small) for _ in range(bins)), missing=draw(small))

    tally = Tally(rows=draw(small), columns={"a": column(3), "b": column(3)}, scores=column(2))
    expected = Expected(rows=draw(small), total=float(draw(small)), squares=float(draw(small)))
    events = draw(st.dictionaries(st.integers(498_000, 498_005), small))
    numbers = {name: draw(small) for name in ("copies", "others", "cut", "unreadable")}
    return HourCounts(tally=tally, expected=expected, events=events, **numbers)


@given(st.lists(counts(), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_sum_is_the_same_in_any_order_and_grouping(parts, random):
    shuffled = random.sample(parts, len(parts))
    pairs = [reduce(HourCounts.merge, shuffled[start : start + 2]) for start in range(0, len(shuffled), 2)]
    assert total(REFERENCE, parts) == total(REFERENCE, shuffled) == total(REFERENCE, pairs)


@given(counts())
def test_what_is_written_is_read_back(one):
    assert HourCounts.from_plain(json.loads(json.dumps(one.to_plain()))) == one


def test_rows_that_were_cut_have_an_answer_all_the_same():
    empty = total(REFERENCE, [])
    assert empty.answered == 0
    assert empty.merge(HourCounts(tally=Tally.empty(REFERENCE), cut=2)).answered == 2


def test_files_are_named_after_sources_and_yardstick():
    assert sources_id([("k", "1")]) != sources_id([("k", "2")])
    mine = yardstick(REFERENCE, "arn/1", ["log_loss"])
    others = {yardstick(REFERENCE, "arn/2", ["log_loss"]), yardstick(REFERENCE, "arn/1", ["brier_loss"])}
    assert mine == yardstick(REFERENCE, "arn/1", ["log_loss"])
    assert mine not in others
