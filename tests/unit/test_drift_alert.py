"""Drift is an alert only when chance does not explain it, when it matters, and when it lasts."""

import json
import math
import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.drift_alert import SEVEREST, AlertState, DriftVerdict, holm, judge
from lifecycle.monitoring import Monitoring
from lifecycle.reference import Reference, category_reference, number_reference
from lifecycle.tally import ColumnTally, Tally
from tests.unit.drift_world import QUALITY, Column, reference, rows, tally

RULES = Monitoring()
AT_ONCE = Monitoring(confirm=1, clear=1)
HOUR = "2026-01-01T{:02}:00:00Z"
BASE = rows(random.Random(1), 4000)
USUAL = reference(BASE)


def verdict(
    table: dict[str, list[float | str | None]], rules: Monitoring = AT_ONCE, **kept: AlertState
) -> DriftVerdict:
    return judge(USUAL, tally(USUAL, table), rules, kept.get("before", AlertState()), until=HOUR.format(0))


def with_column(seed: int, name: str, change: object, number: int = 1500) -> dict[str, list[float | str | None]]:
    draw = random.Random(seed)
    table = rows(draw, number)
    table[name] = [change(value, draw) for value in table[name]]  # type: ignore[operator]
    return table


def test_few_stationary_windows_raise_an_alarm() -> None:
    draw = random.Random(11)
    windows, rules = 300, Monitoring(confirm=1, clear=1, false_alarms=0.05, min_psi=1e-6, max_missing=1e-6)
    alarms = 0
    for _ in range(windows):
        found = judge(USUAL, _drawn(draw, 600), rules, AlertState(), until=HOUR.format(0))
        alarms += bool(found.drifted or found.score.drifted)
    assert alarms <= 0.05 * windows + 2 * math.sqrt(0.05 * 0.95 * windows)


def test_three_hundred_features_raise_no_more_false_alarms_than_one_and_a_shift_among_them_is_found() -> None:
    draw, share = np.random.default_rng(13), [0.05] * 20
    edges, rules = tuple(range(19)), Monitoring(confirm=1, clear=1, false_alarms=0.05, min_psi=1e-6, max_missing=1e-6)

    def drawn(number: int, shares: list[float]) -> tuple[int, ...]:
        return tuple(draw.multinomial(number, shares).tolist())

    names = [f"f{place}" for place in range(300)]
    columns = {name: replace(number_reference(edges, drawn(9000, share), 0), importance=1 / 300) for name in names}
    wide = Reference(rows=9000, columns=columns, scores=number_reference(edges, drawn(9000, share), 0), quality=QUALITY)
    windows, alarms = 12, 0
    for _ in range(windows):
        counted = {name: ColumnTally(counts=drawn(600, share)) for name in names}
        window = Tally(rows=600, columns=counted, scores=ColumnTally(counts=drawn(600, share)))
        found = judge(wide, window, rules, AlertState(), until=HOUR.format(0))
        alarms += bool(found.drifted or found.score.drifted)
    assert alarms <= 0.05 * windows + 2 * math.sqrt(0.05 * 0.95 * windows)
    shifted = ColumnTally(counts=drawn(600, [0.02] * 10 + [0.08] * 10))
    found = judge(wide, replace(window, columns=counted | {"f7": shifted}), rules, AlertState(), until=HOUR.format(0))
    assert found.drifted[:1] == ("f7",)


def test_with_the_usual_rules_no_stationary_window_does() -> None:
    draw = random.Random(12)
    for _ in range(200):
        assert not judge(USUAL, _drawn(draw, 600), AT_ONCE, AlertState(), until=HOUR.format(0)).drifted


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("n0", lambda value, draw: value + 0.6),
        ("n0", lambda value, draw: value * 1.8),
        ("n0", lambda value, draw: value * 1000),
        ("n0", lambda value, draw: value / 1000),
        ("n0", lambda value, draw: None if draw.random() < 0.3 else value),
        ("n0", lambda value, draw: None),
        ("n1", lambda value, draw: None if draw.random() < 0.3 else value),
        ("c0", lambda value, draw: {"a": "d", "d": "a"}.get(value, value)),
        ("c0", lambda value, draw: "new" if draw.random() < 0.1 else value),
        ("c0", lambda value, draw: None if draw.random() < 0.3 else value),
        ("score", lambda value, draw: value**2),
    ],
    ids=[
        "mean",
        "spread",
        "x1000",
        "/1000",
        "missing",
        "gone",
        "more missing",
        "swap",
        "unseen",
        "no category",
        "score",
    ],
)
def test_a_shift_is_found_and_nothing_beside_it(name: str, change: object) -> None:
    found = verdict(with_column(5, name, change))
    alerts = [*found.drifted, *(["score"] if found.score.drifted else [])]
    assert alerts == [name]


def test_a_shift_too_small_to_matter_is_significant_but_no_alert() -> None:
    found = verdict(with_column(6, "n0", lambda value, draw: value + 0.15, number=20_000))
    [moved] = [each for each in found.features if each.name == "n0"]
    assert moved.corrected < 1e-6
    assert 0 < moved.severity < 1
    assert found.drifted == ()


def test_a_feature_hardly_used_needs_a_larger_shift_and_an_unused_one_never_alerts() -> None:
    moved = with_column(7, "n0", lambda value, draw: value + 0.6)
    names = [name for name in BASE if name != "score"]
    for share, alerts in ((1 / 6, ("n0",)), (0.01, ()), (0.0, ())):
        others = dict.fromkeys(names, (1 - share) / 5)
        against = reference(BASE, others | {"n0": share})
        found = judge(against, tally(against, moved), AT_ONCE, AlertState(), until=HOUR.format(0))
        assert found.drifted == alerts
        [n0] = [each for each in found.features if each.name == "n0"]
        assert n0.psi > 0.2, "what happened is reported whatever it is worth"
        assert (n0.limit is None) == (share == 0)


def test_an_alert_waits_for_confirmation_and_lasts_until_it_is_cleared() -> None:
    bad, good = with_column(8, "n0", lambda value, draw: value + 1), rows(random.Random(9), 1500)
    state, drifted = AlertState(), []
    for hour, window in enumerate([bad, good, bad, bad, good, good]):
        found = judge(USUAL, tally(USUAL, window), RULES, state, until=HOUR.format(hour))
        state = AlertState.from_plain(json.loads(json.dumps(found.state.to_plain())))
        drifted.append(found.drifted)
        [n0] = [each for each in found.features if each.name == "n0"]
        assert (n0.level >= 1) == n0.drifted == bool(found.drifted)
    assert drifted == [(), (), (), ("n0",), ("n0",), ()]


def test_the_same_window_judged_twice_counts_once() -> None:
    bad = tally(USUAL, with_column(8, "n0", lambda value, draw: value + 1))
    first = judge(USUAL, bad, RULES, AlertState(), until=HOUR.format(0))
    again = judge(USUAL, bad, RULES, first.state, until=HOUR.format(0))
    assert again == first
    assert judge(USUAL, bad, RULES, again.state, until=HOUR.format(1)).drifted == ("n0",)


def test_a_new_reference_begins_anew() -> None:
    bad = with_column(8, "n0", lambda value, draw: value + 1)
    on = verdict(bad).state
    assert on.features.on
    other = replace(USUAL, rows=USUAL.rows + 1)
    found = judge(other, tally(other, bad), RULES, on, until=HOUR.format(1))
    assert found.drifted == ()
    assert found.state.reference == other.reference_id


def test_too_few_rows_are_not_judged_and_leave_an_alert_as_it_is() -> None:
    on = verdict(with_column(8, "n0", lambda value, draw: value + 1)).state
    found = judge(USUAL, tally(USUAL, rows(random.Random(2), 499)), AT_ONCE, on, until=HOUR.format(1))
    assert not found.judged
    assert "499 rows in the window, 500 are needed" in found.reason
    assert found.worst == 0
    assert found.drifted == ("n0",)
    assert found.state == on


COLUMNS: dict[str, Column] = {
    "constant": [5.0] * 1000,
    "all missing": [None] * 1000,
    "one value": ["x"] * 1000,
    "ids": [f"id{number}" for number in range(1000)],
    "usual": [float(number % 50) for number in range(1000)],
}
WINDOWS: list[Column] = [
    [5.0] * 600,
    [None] * 600,
    [6.0] * 600,
    [4.0] * 600,
    ["x"] * 600,
    [f"new{number}" for number in range(600)],
    [1e300, -1e300] * 300,
]


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("window", WINDOWS, ids=range(len(WINDOWS)))
def test_no_column_is_too_odd_to_be_judged(name: str, window: Column) -> None:
    before = {"x": COLUMNS[name], "score": [number / 1000 for number in range(1000)]}
    against = reference(before)
    kind = against.columns["x"].kind
    fits = [value if isinstance(value, str) == (kind == "category") else None for value in window]
    fits += [None] * (600 - len(fits))
    found = judge(
        against, tally(against, {"x": fits, "score": [0.5] * 600}), AT_ONCE, AlertState(), until=HOUR.format(0)
    )
    assert 0 <= found.worst <= SEVEREST
    json.dumps([each.to_plain() for each in found.features], allow_nan=False)


def test_a_constant_that_changes_and_a_column_that_fills_up() -> None:
    scores = [number / 1000 for number in range(1000)]
    against = reference({"constant": [5.0] * 1000, "usual": [float(n % 50) for n in range(1000)], "score": scores})
    window = {"constant": [6.0] * 1000, "usual": [None] * 1000, "score": scores}
    found = judge(against, tally(against, window), AT_ONCE, AlertState(), until=HOUR.format(0))
    assert set(found.drifted) == {"constant", "usual"}
    assert found.worst_missing == 1.0


def test_a_reference_or_window_without_rows_is_judged_without_alert() -> None:
    empty = Reference(rows=0, columns={"x": number_reference((), (0,), 0)}, scores=category_reference({}, 0))
    found = judge(empty, Tally.empty(empty), replace(AT_ONCE, min_rows=0), AlertState(), until="")
    assert not found.drifted
    absent = Tally(rows=900, columns={}, scores=ColumnTally.empty(USUAL.scores))
    assert judge(USUAL, absent, AT_ONCE, AlertState(), until="").worst == 0


histogram = st.lists(st.integers(1, 300), min_size=2, max_size=12)


@st.composite
def moving(draw: st.DrawFn) -> tuple[Reference, list[Tally]]:
    """A column of numbers or categories, and windows in which ever more rows go from one bin to another."""
    shares = draw(histogram)
    bins, steps = len(shares), draw(st.integers(2, 8))
    source, target = draw(st.permutations(range(bins)))[:2]
    if draw(st.booleans()):
        column = number_reference([float(edge) for edge in range(bins - 1)], [share * 20 for share in shares], 0)
    else:
        column = category_reference({f"{place:02}": share * 20 for place, share in enumerate(shares)}, 0)
    used = replace(column, importance=1.0)
    against = Reference(rows=column.rows, columns={"x": used}, scores=category_reference({"no": 90, "yes": 10}, 0))
    tallies = []
    for step in range(steps + 1):
        counts = [share // 5 for share in column.counts]
        gone = counts[source] * step // steps
        counts[source], counts[target] = counts[source] - gone, counts[target] + gone
        one = ColumnTally(counts=tuple(counts))
        tallies.append(Tally(rows=one.rows, columns={"x": one}, scores=ColumnTally(counts=(90, 10, 0))))
    return against, tallies


@settings(deadline=None)
@given(moving())
def test_a_larger_shift_is_never_less_severe_and_none_is_none(made: tuple[Reference, list[Tally]]) -> None:
    against, tallies = made
    rules = replace(AT_ONCE, min_rows=0)
    found = [judge(against, each, rules, AlertState(), until="").features[0] for each in tallies]
    assert found[0].severity == 0
    assert all(one.severity <= two.severity + 1e-9 for one, two in pairwise(found))
    assert all(one.p >= two.p - 1e-9 for one, two in pairwise(found))
    for each in found:
        assert 0 <= each.p <= each.corrected <= 1
        assert 0 <= each.severity <= SEVEREST
        assert 0 <= each.distance <= 1
        assert 0 <= each.psi < math.inf


@settings(max_examples=25)
@given(st.permutations(range(6)))
def test_the_order_in_which_hours_are_added_does_not_matter(order: list[int]) -> None:
    hours = [HOURS[place] for place in order]
    merged = hours[0]
    for hour in hours[1:]:
        merged = merged.merge(hour)
    assert judge(USUAL, merged, AT_ONCE, AlertState(), until="") == judge(USUAL, DAY, AT_ONCE, AlertState(), until="")


@given(st.lists(st.floats(0, 1), max_size=20))
def test_corrected_chances_keep_their_order_and_are_never_smaller(chances: list[float]) -> None:
    corrected = holm(chances)
    assert all(one <= two <= 1 for one, two in zip(chances, corrected, strict=True))
    ranked = sorted(zip(chances, corrected, strict=True))
    assert [two for _, two in ranked] == sorted(corrected)


def test_chances_are_corrected_as_holm_does() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def _drawn(draw: random.Random, number: int) -> Tally:
    """A window drawn from the rows of the reference."""
    chosen = draw.choices(range(len(BASE["score"])), k=number)
    return tally(USUAL, {name: [values[place] for place in chosen] for name, values in BASE.items()})


HOURS = [tally(USUAL, rows(random.Random(seed), 100)) for seed in range(6)]
DAY = HOURS[0].merge(HOURS[1]).merge(HOURS[2]).merge(HOURS[3]).merge(HOURS[4]).merge(HOURS[5])
