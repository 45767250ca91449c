"""What a column is, from its values."""

from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.schema import Kind, Task
from tabular.infer import facts_of, looks_like_key
from tabular.suspects import leaks, repeating_key, time_columns


def column(values, name="x") -> pl.Series:
    return pl.Series(name, values)


def texts(values, times=10, name="x") -> pl.Series:
    return column([str(value) if value is not None else None for value in values] * times, name)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", "3"], Kind.INTEGER),
        (["1", "-2", "NA", ""], Kind.INTEGER),
        (["1.5", "2", "1e3"], Kind.NUMBER),
        (["3.0", "4.0"], Kind.NUMBER),
        ([" 1.5", "2 "], Kind.NUMBER),
        (["true", "False", ""], Kind.BOOLEAN),
        (["yes", "no"], Kind.CATEGORY),
        (["007", "012", "100"], Kind.CATEGORY),
        (["red", "green", "NA"], Kind.CATEGORY),
        (["2024-01-31", "2024-02-01"], Kind.DATETIME),
        (["2024-01-31T10:00:00Z", "2024-02-01T10:00:00.5+02:00"], Kind.DATETIME),
        (["2024-01-31 10:00", "2024-02-01 11:00"], Kind.DATETIME),
        (["31.01.2024", "01.02.2024"], Kind.TEXT),
        ([""], Kind.TEXT),
    ],
)
def test_text_of_a_csv_has_the_kind_that_its_values_have(values, kind):
    assert facts_of(texts(values)).kind is kind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, None] * 10, Kind.INTEGER),
        ([1.5, 2.0, None] * 10, Kind.NUMBER),
        ([True, False, None] * 10, Kind.BOOLEAN),
        ([date(2024, 1, 1), date(2024, 1, 2)] * 10, Kind.DATETIME),
        ([datetime(2024, 1, 1, 5), datetime(2024, 1, 2)] * 10, Kind.DATETIME),
        (["a", "b"] * 10, Kind.CATEGORY),
        ([None, None], Kind.TEXT),
    ],
)
def test_stored_types_of_parquet_are_kept(values, kind):
    assert facts_of(column(values)).kind is kind


def test_distinct_words_are_an_id_and_distinct_sentences_are_text():
    assert facts_of(column([f"K-{i}" for i in range(100)])).kind is Kind.ID
    assert facts_of(column([f"order {i} is late" for i in range(100)])).kind is Kind.TEXT


def test_numbers_that_count_up_are_an_id_and_measured_numbers_are_not():
    assert facts_of(texts(range(100), 1)).kind is Kind.ID
    assert facts_of(texts([i * i for i in range(100)], 1)).kind is Kind.INTEGER
    assert facts_of(texts([i * i for i in range(100)], 1, name="order_id")).kind is Kind.ID


def test_many_values_that_recur_are_a_category_and_many_that_do_not_are_none():
    assert facts_of(texts([f"town {i}" for i in range(300)], 8)).kind is Kind.CATEGORY
    assert facts_of(texts([f"town {i}" for i in range(300)], 2)).kind is Kind.TEXT


def test_a_few_values_that_do_not_fit_are_counted_and_shown():
    facts = facts_of(texts([*[i * 7 % 90 for i in range(500)], "n/k"], 1))
    assert (facts.kind, facts.odd, facts.example) == (Kind.INTEGER, 1, "n/k")


def test_missing_values_range_and_uniqueness_are_counted_as_the_product_counts_them():
    facts = facts_of(texts(["3", "NA", "", "-1.5", None], 1))
    assert (facts.rows, facts.missing, facts.distinct, facts.low, facts.high) == (5, 3, 2, -1.5, 3)
    assert not facts.unique


def test_a_foreign_way_to_write_times_is_named():
    assert "%d.%m.%Y" in str(facts_of(texts(["31.01.2024", "01.02.2024"])).note)


@given(
    values=st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats().map(str), st.dates().map(str)), min_size=1)
)
def test_any_column_is_something(values):
    facts = facts_of(pl.Series("x", values, dtype=pl.String))
    assert facts.rows == len(values)
    assert 0 <= facts.missing <= facts.rows
    assert facts.distinct <= facts.rows


@pytest.mark.parametrize("name", ["customer_id", "ID", "userId", "Kunde Nr", "uuid", "patient"])
def test_names_of_keys(name):
    assert looks_like_key(name)


@pytest.mark.parametrize("name", ["humid", "paid", "age", "monkey"])
def test_names_that_only_end_like_keys(name):
    assert not looks_like_key(name)


def suspected(target, task, **columns) -> dict[str, str]:
    frame = pl.DataFrame({**columns, "y": target})
    return leaks(frame, {c.name: facts_of(c) for c in frame}, "y", task)


LATE = [i % 3 == 0 for i in range(300)]


def test_a_number_that_separates_the_classes_is_a_suspect_and_a_good_feature_is_not():
    delay = [30.0 + i if late else float(i % 15) for i, late in enumerate(LATE)]
    useful = [i % 40 + 15.0 * late for i, late in enumerate(LATE)]
    assert suspected(LATE, Task.BINARY, delay=delay, useful=useful).keys() == {"delay"}


def test_a_category_that_names_the_class_is_a_suspect():
    reason = ["storm" if late else "none" for late in LATE]
    colour = [("red", "blue", "green", "grey")[i % 4] for i in range(300)]
    assert suspected(LATE, Task.BINARY, reason=reason, colour=colour).keys() == {"reason"}


def test_a_column_whose_absence_tells_the_class_is_a_suspect():
    paid = [None if late else "2024-01-01" for late in LATE]
    assert "missing" in suspected(LATE, Task.BINARY, paid=paid)["paid"]


def test_a_copy_of_a_regression_target_is_a_suspect():
    price = [float(i * 7 % 101) for i in range(300)]
    noisy = [p + (i * 13 % 40) for i, p in enumerate(price)]
    found = suspected(price, Task.REGRESSION, gross=[p * 1.19 for p in price], noisy=noisy)
    assert found.keys() == {"gross"}


def test_an_id_is_no_leak_although_each_value_has_one_label():
    assert suspected(LATE, Task.BINARY, id=[f"K{i}" for i in range(300)]) == {}


def test_a_key_that_repeats_is_found_and_a_unique_one_is_not():
    frame = pl.DataFrame({"row_id": [f"R{i}" for i in range(300)], "patient": [f"P{i // 5}" for i in range(300)]})
    facts = {c.name: facts_of(c) for c in frame}
    assert repeating_key(facts, "y") == ("patient", 5.0)
    assert repeating_key({"row_id": facts["row_id"]}, "y") is None


def test_times_that_could_order_rows_have_no_gaps_and_many_values():
    moments = [f"2024-01-{1 + i % 28:02}T{i % 24:02}:00:00Z" for i in range(300)]
    frame = pl.DataFrame({"seen": moments, "gaps": [None, *moments[1:]], "year": ["2024-01-01"] * 300})
    assert time_columns(frame, {c.name: facts_of(c) for c in frame}) == ["seen"]
