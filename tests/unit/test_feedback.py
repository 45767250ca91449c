"""Labels that arrive: one status per item, whatever their order, and the same when they come again."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feedback import HISTORY, LATENESS_SECONDS, Looked, Taking
from lifecycle.feedback_items import Item, ItemReader, Wrong, classes_of, listed
from lifecycle.feedback_label import Change, Label, hour_of
from lifecycle.feedback_verdict import Status, Verdict, counts
from lifecycle.prediction_id import ids_of, time_of
from lifecycle.problem import Problem
from lifecycle.schema import Column, Contract, Kind, Task

NOW = 1_795_240_800.0
DAY = 86_400.0


def identity(seconds_ago: float = 3600.0, number: int = 0) -> str:
    return ids_of(round((NOW - seconds_ago) * 1000), (number << 8).to_bytes(10, "big"))[0]


def item(prediction_id: str, label: str | float = "true", place: int = 0, **others: Any) -> Item:
    return Item(place=place, prediction_id=prediction_id, label=label, **others)


def take(
    items: Sequence[Item],
    *,
    stored: dict[str, Label] | None = None,
    log: Sequence[str] = (),
    found: dict[str, tuple[str, ...]] | None = None,
    unread: Sequence[int] = (),
    classes: Sequence[str] = (),
    source: str = "one",
    now: float = NOW,
) -> tuple[list[Verdict], list[Change]]:
    taking = Taking(now=now, source=source, days=90, classes=frozenset(classes))
    looked = Looked(found=found or dict.fromkeys(log, ()), unread=frozenset(unread))
    verdicts, changes = taking.decide(items, stored or {}, looked)
    return sorted(verdicts, key=lambda v: v.place), changes


def after(changes: Sequence[Change], stored: dict[str, Label] | None = None) -> dict[str, Label]:
    return (stored or {}) | {change.after.prediction_id: change.after for change in changes}


def statuses(verdicts: Sequence[Verdict]) -> list[str]:
    return [str(verdict.status) for verdict in verdicts]


def test_a_label_of_a_logged_prediction_is_recorded_and_stored():
    one = identity()
    verdicts, changes = take([item(one, time=5.0)], log=[one])
    assert statuses(verdicts) == ["recorded"]
    expected = Label(prediction_id=one, label="true", recorded_at=NOW, source="one", time=5.0, found=True)
    assert changes == [Change(before=None, after=expected)]


def test_the_same_label_again_is_a_duplicate_and_changes_nothing():
    one = identity()
    _, changes = take([item(one)], log=[one])
    verdicts, more = take([item(one)], stored=after(changes), log=[one], source="two")
    assert (statuses(verdicts), more) == (["duplicate"], [])


def test_another_label_contradicts_and_the_first_one_stays_and_is_shown():
    one = identity()
    stored = after(take([item(one)], log=[one])[1])
    verdicts, changes = take([item(one, "false")], stored=stored, log=[one], source="two")
    assert changes == []
    assert verdicts[0].to_plain("item")["stored"] == "true"
    assert statuses(verdicts) == ["contradicts"]


def test_a_correction_replaces_the_label_and_keeps_its_history():
    one = identity()
    stored = after(take([item(one)], log=[one])[1])
    verdicts, (change,) = take([item(one, "false", correct=True)], stored=stored, log=[one], source="two", now=NOW + 1)
    assert statuses(verdicts) == ["recorded"]
    assert change.before == stored[one]
    assert change.after.label == "false"
    assert change.after.history == ({"label": "true", "recorded_at": NOW, "source": "one"},)


def test_history_is_bounded():
    one = identity()
    stored: dict[str, Label] = {}
    for number in range(HISTORY + 5):
        correction = item(one, str(number), correct=True)
        stored = after(take([correction], stored=stored, log=[one], source=str(number))[1], stored)
    assert [old["label"] for old in stored[one].history] == [str(number) for number in range(4, HISTORY + 4)]


@pytest.mark.parametrize("stranger", ["", "x", "c5b2a1a0-1111-4222-8333-444455556666", identity().upper() + "0"])
def test_an_id_that_is_none_of_ours_is_unknown(stranger):
    assert statuses(take([item(stranger)])[0]) == ["unknown"]


def test_an_id_of_the_future_is_unknown_but_clocks_may_differ_a_little():
    verdicts, _ = take([item(identity(-3600)), item(identity(-30), place=1)])
    assert statuses(verdicts) == ["unknown", "pending"]
    assert "future" in verdicts[0].message


def test_an_old_enough_id_that_the_log_does_not_hold_is_unknown_and_not_stored():
    verdicts, changes = take([item(identity(LATENESS_SECONDS + 1))])
    assert (statuses(verdicts), changes) == (["unknown"], [])


def test_a_prediction_too_young_to_be_in_the_log_leaves_the_label_pending_but_stored():
    verdicts, (change,) = take([item(identity(LATENESS_SECONDS - 1))])
    assert statuses(verdicts) == ["pending"]
    assert not change.after.found


def test_an_hour_that_was_not_read_leaves_the_label_pending():
    one = identity()
    verdicts, (change,) = take([item(one)], unread=[hour_of(time_of(one) or 0)])
    assert statuses(verdicts) == ["pending"]
    assert "too much" in verdicts[0].message
    assert not change.after.found


def test_a_label_of_a_very_old_prediction_is_late_and_stored():
    verdicts, (change,) = take([item(identity(91 * DAY))])
    assert statuses(verdicts) == ["late"]
    assert change.after.label == "true"


def test_only_ids_that_the_log_could_answer_for_are_looked_for_by_hour():
    young, old, late = identity(60), identity(7200), identity(91 * DAY)
    known, seen = (
        identity(7200, 1),
        Label(prediction_id=identity(7200, 1), label="a", recorded_at=0, source="", found=True),
    )
    items = [item(one) for one in (young, old, late, known, "stranger", old)]
    taking = Taking(now=NOW, source="", days=90)
    assert taking.hours(items, {known: seen}) == {hour_of(NOW - 7200): {old}}


def test_a_class_that_nobody_knows_is_invalid_and_names_those_that_are():
    one, two = identity(), identity(number=1)
    verdicts, changes = take([item(one, "maybe"), item(two, "no", 1)], log=[one, two], classes=["yes", "no"])
    assert statuses(verdicts) == ["invalid", "recorded"]
    assert "no, yes" in verdicts[0].message
    assert [change.after.prediction_id for change in changes] == [two]


def test_a_class_of_the_model_that_predicted_is_valid_even_if_the_live_one_has_lost_it():
    one = identity()
    assert statuses(take([item(one, "old")], found={one: ("old", "new")}, classes=["new"])[0]) == ["recorded"]


def test_a_document_that_names_several_labels_for_one_prediction_stores_none_of_them():
    one = identity()
    verdicts, changes = take([item(one, "a"), item(one, "b", 1)], log=[one])
    assert (statuses(verdicts), changes) == (["contradicts", "contradicts"], [])


def test_of_a_label_and_its_correction_in_one_document_the_correction_counts():
    one = identity()
    verdicts, (change,) = take([item(one, "a"), item(one, "b", 1, correct=True)], log=[one])
    assert statuses(verdicts) == ["contradicts", "recorded"]
    assert change.after.label == "b"


def test_a_document_delivered_twice_is_answered_the_same():
    one, two = identity(), identity(60)
    items = [item(one, "a"), item(two, "b", 1), item(one, "c", 2, correct=True)]
    first, changes = take(items, log=[one])
    again, more = take(items, stored=after(changes), log=[one])
    assert (again, more) == (first, [])


LABELS = st.sampled_from(["a", "b", "c"])
AGES = st.sampled_from([-7200.0, 30.0, 3600.0, 7200.0, 100 * DAY])
WISHES = st.lists(
    st.tuples(AGES, st.integers(0, 2), LABELS, st.booleans(), st.sampled_from([None, 1.0, 2.0])), max_size=12
)


def items_of(wishes: Any) -> list[Item]:
    return [
        item(identity(age, number), label, place, correct=correct, time=time)
        for place, (age, number, label, correct, time) in enumerate(wishes)
    ]


@given(WISHES, WISHES, st.randoms(use_true_random=False))
def test_the_order_of_items_decides_nothing(before: Any, wishes: Any, chance: random.Random):
    log = [identity(3600.0, number) for number in (0, 1)]
    stored = after(take(items_of(before), log=log, source="before")[1])
    items = items_of(wishes)
    shuffled = list(items)
    chance.shuffle(shuffled)
    renumbered = [item(i.prediction_id, i.label, n, correct=i.correct, time=i.time) for n, i in enumerate(shuffled)]

    def told(given: list[Item]) -> tuple[Any, Any]:
        verdicts, changes = take(given, stored=stored, log=log, classes=["a", "b"])
        by_place = {i.place: i for i in given}
        said = [(by_place[v.place].label, by_place[v.place].correct, v.prediction_id, v.status) for v in verdicts]
        return sorted(said), sorted(changes, key=lambda change: change.after.prediction_id)

    assert told(items) == told(renumbered)


@given(WISHES, st.booleans())
def test_taking_a_document_again_changes_nothing(wishes: Any, same: bool):
    log = [identity(3600.0, number) for number in (0, 1)]
    items = items_of(wishes)
    first, changes = take(items, log=log)
    stored = after(changes)
    again, more = take(items, stored=stored, log=log, source="one" if same else "two", now=NOW + 1)
    assert more == []
    assert len(first) == len(items) == sum(counts(first).values())
    assert same is False or statuses(again) == statuses(first)


@given(WISHES)
def test_what_is_stored_is_what_was_answered(wishes: Any):
    items = items_of(wishes)
    verdicts, changes = take(items, log=[identity(3600.0)])
    stored = after(changes)
    taken = {v.prediction_id for v in verdicts if v.status in (Status.RECORDED, Status.PENDING, Status.LATE)}
    assert taken == set(stored)


def contract(kind: Kind, task: Task = Task.BINARY, **rules: Any) -> Contract:
    return Contract(task=task, target="y", positive="true", columns=(Column(name="y", kind=kind, **rules),))


def read(rules: Contract, label: Any, **others: Any) -> Item | Wrong:
    return ItemReader(rules, strict=True).item(3, {"prediction_id": "p", "label": label, **others})


@pytest.mark.parametrize(
    ("kind", "task", "given_label", "kept"),
    [
        (Kind.BOOLEAN, Task.BINARY, True, "true"),
        (Kind.CATEGORY, Task.MULTICLASS, "EWR", "EWR"),
        (Kind.CATEGORY, Task.MULTICLASS, 7, "7"),
        (Kind.INTEGER, Task.BINARY, 1.0, "1"),
        (Kind.NUMBER, Task.MULTICLASS, 2, "2"),
        (Kind.NUMBER, Task.REGRESSION, 2, 2.0),
        (Kind.INTEGER, Task.REGRESSION, 2, 2.0),
    ],
)
def test_labels_are_spelled_as_training_spells_them(kind, task, given_label, kept):
    found = read(contract(kind, task), given_label)
    assert isinstance(found, Item)
    assert found.label == kept
    assert type(found.label) is type(kept)


@pytest.mark.parametrize(
    ("kind", "task", "label"),
    [
        (Kind.BOOLEAN, Task.BINARY, "yes"),
        (Kind.BOOLEAN, Task.BINARY, 1),
        (Kind.CATEGORY, Task.BINARY, True),
        (Kind.CATEGORY, Task.BINARY, ""),
        (Kind.INTEGER, Task.BINARY, 0.5),
        (Kind.NUMBER, Task.REGRESSION, float("nan")),
        (Kind.NUMBER, Task.REGRESSION, float("inf")),
        (Kind.NUMBER, Task.REGRESSION, "12"),
        (Kind.NUMBER, Task.REGRESSION, True),
        (Kind.NUMBER, Task.REGRESSION, None),
        (Kind.NUMBER, Task.REGRESSION, [1]),
    ],
)
def test_a_label_that_the_target_could_not_hold_is_told_with_its_place_and_id(kind, task, label):
    found = read(contract(kind, task), label)
    assert isinstance(found, Wrong)
    assert (found.place, found.prediction_id) == (3, "p")
    assert "label" in found.message


def test_a_label_outside_the_targets_range_is_refused():
    assert isinstance(read(contract(Kind.NUMBER, Task.REGRESSION, min=0), -1), Wrong)


@pytest.mark.parametrize("raw", [None, 5, "x", [], {}, {"prediction_id": 5.5, "label": True}, {"label": True}])
def test_what_is_no_item_is_told_not_raised(raw):
    assert isinstance(ItemReader(contract(Kind.BOOLEAN), strict=True).item(0, raw), Wrong)


def test_all_that_is_wrong_with_an_item_is_said_at_once():
    found = read(contract(Kind.BOOLEAN), "x", time="noon", correct="yes", corect=True)
    assert isinstance(found, Wrong)
    assert all(word in found.message for word in ("label", "time", "correct", "corect"))


def test_a_label_longer_than_any_class_is_refused_and_messages_stay_short():
    found = read(contract(Kind.CATEGORY, Task.MULTICLASS), "x" * 300)
    assert isinstance(found, Wrong)
    many = ItemReader(contract(Kind.BOOLEAN), strict=True).item(0, {f"field {n} {'x' * 90}": 1 for n in range(60)})
    assert isinstance(many, Wrong)
    assert len(many.message) <= 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = {"prediction_id": JSON, "label": JSON, "time": JSON, "correct": JSON}


@given(st.one_of(JSON, st.fixed_dictionaries({}, optional=FIELDS)), st.sampled_from([*Kind][:5]))
def test_whatever_json_an_item_is_it_is_read_or_told(raw: Any, kind: Kind):
    task = Task.REGRESSION if kind is Kind.NUMBER else Task.MULTICLASS
    found = ItemReader(contract(kind, task), strict=True).item(1, raw)
    assert found.place == 1
    if isinstance(found, Item):
        verdicts, _ = take([found])
        assert len(verdicts) == 1


def test_times_and_corrections_are_read():
    found = read(contract(Kind.BOOLEAN), True, time="1970-01-01T00:01:00Z", correct=True)
    assert isinstance(found, Item)
    assert (found.time, found.correct) == (60.0, True)


@pytest.mark.parametrize("document", [None, [], {}, {"labels": []}, {"labels": {}}, {"labels": [1], "more": 1}])
def test_a_document_of_another_shape_is_a_problem(document):
    with pytest.raises(Problem) as raised:
        listed(document)
    assert raised.value.status == 422


def test_a_thousand_labels_are_the_most():
    assert len(listed({"labels": [0] * 1000})) == 1000
    with pytest.raises(Problem) as raised:
        listed({"labels": [0] * 1001})
    assert raised.value.status == 413


def test_classes_are_those_of_the_contract_and_of_the_live_model():
    listed_ones = contract(Kind.CATEGORY, Task.MULTICLASS, categories=("a",))
    assert classes_of(listed_ones, ["b"]) == {"a", "b"}
    assert classes_of(contract(Kind.BOOLEAN), []) == {"true", "false"}
    assert classes_of(contract(Kind.NUMBER, Task.REGRESSION), ["1"]) == frozenset()
    assert classes_of(contract(Kind.CATEGORY), []) == frozenset()
