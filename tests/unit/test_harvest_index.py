"""Which days are joined again, and how many rows a model has not learned from."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feedback_label import Label
from lifecycle.harvest import DAY
from lifecycle.harvest_index import SETTLED_SECONDS, Fingerprint, Index, Joined

JOINED = Joined(contract="c", labels="l", joined_at=100.0, rows=3, sha256="s3")
DAYS = st.dictionaries(
    st.integers(0, 50),
    st.builds(
        Joined,
        contract=st.sampled_from("ab"),
        labels=st.text(max_size=3),
        joined_at=st.floats(0, 1e9),
        rows=st.integers(0, 1000),
        sha256=st.none() | st.text(max_size=3),
        unknown=st.integers(0, 5),
        left_out=st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=2),
        uploaded=st.none() | st.text(max_size=3),
        rows_of=st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=3),
    ),
    max_size=5,
)


def label(identity: str, value: str = "true", **facts: object) -> Label:
    told = {"prediction_id": identity, "label": value, "recorded_at": 1.0, "source": "r", **facts}
    return Label(**told)  # type: ignore[arg-type]


@given(DAYS, st.none() | st.integers(0, 50))
def test_an_index_survives_its_file(days: dict[int, Joined], begin: int | None) -> None:
    index = Index(days=days, begin=begin)
    assert Index.from_plain(json.loads(json.dumps(index.to_plain()))) == index


def test_of_another_schema_or_none_nothing_is_known() -> None:
    assert Index.from_plain(None) == Index()
    assert Index.from_plain({"schema": 99, "days": {"1": {}}}) == Index()


def test_a_day_is_joined_again_when_labels_or_contract_change() -> None:
    assert JOINED.is_current(5, "c", "l")
    assert not JOINED.is_current(5, "c", "other")
    assert not JOINED.is_current(5, "other", "l")


def test_a_day_with_labels_of_unknown_predictions_is_joined_again_until_its_log_is_complete() -> None:
    unsure = replace(JOINED, unknown=1, joined_at=6 * DAY + SETTLED_SECONDS - 1)
    assert not unsure.is_current(5, "c", "l")
    assert replace(unsure, joined_at=6 * DAY + SETTLED_SECONDS).is_current(5, "c", "l")


def test_rows_count_as_new_until_the_live_models_data_hold_them() -> None:
    first = JOINED.after(None)
    grown = replace(JOINED, rows=5, sha256="s5").after(first)
    index = Index(days={1: grown, 2: replace(JOINED, rows=2, sha256="s2").after(None)})
    assert index.fresh({}) == 7
    assert index.fresh({1: "s3"}) == 4
    assert index.fresh({1: "s5", 2: "s2"}) == 0
    assert index.fresh({1: "never seen"}) == 7


def test_a_corrected_label_is_no_new_row() -> None:
    corrected = replace(JOINED, sha256="other").after(JOINED.after(None))
    assert Index(days={1: corrected}).fresh({1: "s3"}) == 0


def test_what_was_uploaded_is_remembered_until_something_else_is() -> None:
    uploaded = replace(JOINED.after(None), uploaded="s3")
    assert not uploaded.is_pending
    assert replace(JOINED, sha256="s4").after(uploaded).is_pending
    assert replace(JOINED, rows=0, sha256=None).after(uploaded).is_pending, "the file has to go"
    assert not replace(JOINED, rows=0, sha256=None).after(None).is_pending


def test_a_fingerprint_is_of_ids_and_labels() -> None:
    same = Fingerprint([(7, {"a": "true"}), (8, {"b": "false"}), (9, {})])
    assert Fingerprint([(7, {"a": "true"}), (8, {"b": "false"})]).text == same.text
    assert same.hours == {7: 1, 8: 1}
    assert Fingerprint([(7, {"a": "true"})]).text != Fingerprint([(7, {"a": "false"})]).text
    assert Fingerprint([(7, {"a": 1.0})]).text != Fingerprint([(7, {"a": "1.0"})]).text


def test_the_days_that_a_harvest_did_not_reach_come_first_in_the_next_one() -> None:
    days = [(5, "a"), (6, "b"), (7, "c")]
    assert Index().in_turn(days) == days
    assert Index().stopped_at(7).in_turn(days) == [(7, "c"), (5, "a"), (6, "b")]
    assert Index(begin=7).stopped_at(None).in_turn(days) == days
