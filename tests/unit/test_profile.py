"""Profiles of files: what is counted, that parts add up to the whole, and what private columns never show."""

import json
import math
import random
from functools import reduce
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import profile
from lifecycle.profile import ColumnProfile, Examples, Moments, Profile
from lifecycle.profile_file import ObjectProfile, profile_from_plain, profile_to_plain
from lifecycle.sketch import bits_of, coarsened
from lifecycle.spec import Column, Contract, Kind, Task
from tabular.profile import duplicates, profile_file, profile_stored, row_ids

CONTRACT = Contract(
    task=Task.BINARY,
    target="late",
    id="id",
    columns=(
        Column(name="id", kind=Kind.ID),
        Column(name="distance", kind=Kind.NUMBER, min=0, max=1000),
        Column(name="seats", kind=Kind.INTEGER),
        Column(name="origin", kind=Kind.CATEGORY, categories=("JFK", "EWR")),
        Column(name="departs", kind=Kind.DATETIME),
        Column(name="remark", kind=Kind.TEXT),
        Column(name="passport", kind=Kind.CATEGORY, private=True),
        Column(name="late", kind=Kind.BOOLEAN),
    ),
)
cells = st.sampled_from(["", "NA", "1", "2.5", "-3", "nan", "x", "JFK", "true", "2013-01-01", "1e400"])
rows = st.lists(st.tuples(*(cells for _ in CONTRACT.columns)), max_size=12)


def frame(records: list[tuple[str, ...]]) -> pl.DataFrame:
    names = [column.name for column in CONTRACT.columns]
    return pl.DataFrame(records, schema=dict.fromkeys(names, pl.String), orient="row")


def near(one: Moments | None, two: Moments | None) -> bool:
    """Equal but for rounding in means and squares."""
    if one is None or two is None:
        return one is two
    exact = (one.count, one.min, one.max) == (two.count, two.min, two.max)
    return exact and (one.mean, one.squares) == pytest.approx((two.mean, two.squares), rel=1e-9, abs=1e-9)


def equal(one: Profile, two: Profile) -> bool:
    """Equal but for rounding in means and squares."""
    if (one.rows, one.bad_rows, one.extra) != (two.rows, two.bad_rows, two.extra):
        return False
    return all(
        (a.rows, a.missing, a.absent, a.unreadable, a.outside, a.quantiles, a.categories)
        == (b.rows, b.missing, b.absent, b.unreadable, b.outside, b.quantiles, b.categories)
        and near(a.numbers, b.numbers)
        and near(a.lengths, b.lengths)
        for a, b in ((one.columns[name], two.columns[name]) for name in one.columns)
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(rows, min_size=1, max_size=4), st.randoms())
def test_profiles_merge_in_any_order_and_grouping(parts: list[list[tuple[str, ...]]], chance: random.Random) -> None:
    made = [profile_stored(frame(part), CONTRACT).named(f"{number}") for number, part in enumerate(parts)]
    left = reduce(Profile.merge, made)
    right = reduce(lambda whole, part: part.merge(whole), reversed(made))
    chance.shuffle(made)
    assert equal(left, right)
    assert equal(left, profile.merged(made))


@settings(max_examples=40, deadline=None)
@given(rows, rows)
def test_the_parts_add_up_to_the_whole(one: list[tuple[str, ...]], two: list[tuple[str, ...]]) -> None:
    whole = profile_stored(frame(one + two), CONTRACT)
    merged = profile_stored(frame(one), CONTRACT).merge(profile_stored(frame(two), CONTRACT))
    counts = [(c.rows, c.missing, c.unreadable.count, c.outside.count, c.categories, c.quantiles) for c in _all(whole)]
    assert counts == [
        (c.rows, c.missing, c.unreadable.count, c.outside.count, c.categories, c.quantiles) for c in _all(merged)
    ]
    assert whole.bad_rows == merged.bad_rows


def _all(found: Profile) -> list[ColumnProfile]:
    return list(found.columns.values())


@settings(max_examples=40, deadline=None)
@given(rows)
def test_a_profile_survives_its_file(records: list[tuple[str, ...]]) -> None:
    made = profile_stored(frame(records), CONTRACT)
    assert profile_from_plain(json.loads(json.dumps(profile_to_plain(made), allow_nan=False))) == made


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_the_quantiles_of_a_column_are_those_of_its_numbers(numbers: list[float]) -> None:
    table = pl.DataFrame({"distance": numbers})
    found = profile_stored(table, CONTRACT).columns["distance"].quantiles
    counts: dict[int, int] = {}
    for number in numbers:
        counts[bits_of(number)] = counts.get(bits_of(number), 0) + 1
    assert found == coarsened(0, counts)


@pytest.mark.parametrize("rows_", [5_000, 50_000])
def test_a_long_column_is_coarsened_no_further_than_needed(rows_: int) -> None:
    chance = random.Random(3)
    numbers = [chance.gauss(1000, 50) for _ in range(rows_)]
    found = profile_stored(pl.DataFrame({"distance": numbers}), CONTRACT).columns["distance"].quantiles
    counts: dict[int, int] = {}
    for number in numbers:
        counts[bits_of(number)] = counts.get(bits_of(number), 0) + 1
    assert found == coarsened(0, counts)


def test_moments_are_those_of_the_whole() -> None:
    chance = random.Random(5)
    numbers = [1e6 + chance.random() for _ in range(999)]
    parts = [
        profile_stored(pl.DataFrame({"seats_": part, "distance": part}), CONTRACT).columns["distance"].numbers
        for part in (numbers[:10], numbers[10:700], numbers[700:])
    ]
    merged = reduce(Moments.merge, [part for part in parts if part is not None], Moments())
    mean = sum(numbers) / 999
    assert math.isclose(merged.mean, mean, rel_tol=1e-12)
    assert math.isclose(merged.variance, sum((n - mean) ** 2 for n in numbers) / 999, rel_tol=1e-6)
    assert (merged.min, merged.max) == (min(numbers), max(numbers))


GOOD = ("f1", "10", "3", "JFK", "2013-01-01T05:00:00Z", "hello", "P1", "true")


def test_wrong_values_are_counted_with_their_rows() -> None:
    bad = [
        GOOD,
        ("f2", "far", "3.5", "LGA", "yesterday", "x", "P2", "maybe"),
        ("f3", "-1", "inf", "", "", "", "", ""),
    ]
    found = profile_stored(frame(bad), CONTRACT)
    wrong = {name: (c.unreadable, c.outside) for name, c in found.columns.items()}
    none = Examples()
    far, below = (Examples(count=1, first=(("", row),), values=(value,)) for row, value in ((2, "far"), (3, "-1")))
    assert wrong["distance"] == (far, below)
    assert wrong["seats"] == (Examples(count=2, first=(("", 2), ("", 3)), values=("3.5", "inf")), none)
    assert wrong["origin"] == (none, Examples(count=1, first=(("", 2),), values=("LGA",)))
    assert wrong["departs"][0].count == wrong["late"][0].count == 1
    assert found.bad_rows == 2
    assert found.columns["origin"].missing == 1


def test_a_private_column_leaves_counts_and_nothing_else() -> None:
    found = profile_stored(frame([GOOD]), CONTRACT)
    assert found.columns["passport"] == ColumnProfile(rows=1)
    assert "P1" not in json.dumps(profile_to_plain(found))


def test_ids_and_texts_are_never_kept() -> None:
    written = json.dumps(profile_to_plain(profile_stored(frame([GOOD]), CONTRACT)))
    assert "f1" not in written
    assert "hello" not in written


def test_a_file_that_cannot_be_read_has_a_profile_that_says_why(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"")
    found, ids = profile_file(path, "x.csv", CONTRACT)
    assert found == ObjectProfile(refused="x.csv is empty. Delete it, or upload its rows.")
    assert ids.is_empty()
    assert ObjectProfile.from_plain(json.loads(json.dumps(found.to_plain()))) == found


def test_repeated_ids_are_found_within_and_over_objects() -> None:
    one = row_ids(frame([GOOD, GOOD]), CONTRACT)
    two = row_ids(frame([("f9", *GOOD[1:]), GOOD, ("", *GOOD[1:]), ("", *GOOD[1:])]), CONTRACT)
    found = duplicates([("b.csv", two), ("a.csv", one)], "id")
    assert found == Examples(count=2, first=(("a.csv", 2), ("b.csv", 2)))
    assert duplicates([], "id") == Examples()
