"""The verdict on a data version: every check, its words, and that a note never refuses."""

from typing import Any

import pytest

from lifecycle import drift, report, validation
from lifecycle.finding import Finding
from lifecycle.formats import Format
from lifecycle.profile import ColumnProfile, Examples, Moments, Profile
from lifecycle.profile_file import ObjectProfile
from lifecycle.sketch import Categories, Quantiles, bits_of, categories, coarsened
from lifecycle.spec import Column, Contract, Kind, ModelSpec, Task
from lifecycle.validation import Evidence, Verdict

DAY = 86_400.0


def contract(**changed: Any) -> Contract:
    values: dict[str, Any] = {
        "task": Task.BINARY,
        "target": "late",
        "positive": "true",
        "time": "at",
        "min_rows": 2,
        "columns": (
            Column(name="at", kind=Kind.DATETIME),
            Column(name="distance", kind=Kind.NUMBER, max_null_share=0.5, min=0),
            Column(name="late", kind=Kind.BOOLEAN),
        ),
    }
    return Contract(**{**values, **changed})


def part(**changed: ColumnProfile) -> Profile:
    columns = {
        "at": ColumnProfile(rows=10, numbers=Moments(count=10, mean=0.0, min=0.0, max=100 * DAY)),
        "distance": ColumnProfile(rows=10, numbers=Moments(count=10, mean=1.0, min=0.0, max=2.0)),
        "late": ColumnProfile(rows=10, categories=categories({"true": 4, "false": 6})),
    }
    return Profile(rows=10, columns={**columns, **changed})


def one_object(profile: Profile, header: tuple[str, ...] = ("at", "distance", "late")) -> dict[str, ObjectProfile]:
    return {"a.csv": ObjectProfile(profile=profile, form=Format.CSV, columns=header)}


def judged(profile: Profile, asked: Contract | None = None, **evidence: Any) -> Verdict:
    return validation.judge(asked or contract(), Evidence(objects=one_object(profile), **evidence))


def texts(verdict: Verdict) -> list[str]:
    return [f"{finding.check} {finding.column}: {finding.text}" for finding in verdict.problems]


def test_good_data_are_accepted() -> None:
    verdict = judged(part())
    assert verdict.accepted
    assert verdict.notes == ()


def test_wrong_values_refuse_only_above_the_allowed_share() -> None:
    wrong = ColumnProfile(rows=10, unreadable=Examples(count=1, first=(("", 4),)), numbers=Moments())
    profile = part(distance=wrong)
    profile = Profile(rows=10, bad_rows=1, columns=profile.columns)
    assert texts(judged(profile)) == [
        "type distance: 1 values are no number: a.csv row 4; the contract allows 0.00% of the rows (max_invalid_share)"
        ". Correct the rows and upload the file again under its name, or change the column's kind in model.yaml."
    ]
    tolerant = judged(profile, contract(max_invalid_share=0.1))
    assert tolerant.accepted
    assert [note.text for note in tolerant.notes] == ["1 values are no number: a.csv row 4"]


def test_missing_values_refuse_above_the_columns_share() -> None:
    assert judged(part(distance=ColumnProfile(rows=10, missing=5))).accepted
    [text] = texts(judged(part(distance=ColumnProfile(rows=10, missing=6))))
    assert "60.00% of its rows have no value; the contract allows 50.00%" in text


def test_a_tolerated_unreadable_value_is_not_refused_as_a_missing_one() -> None:
    columns = (
        contract().columns[0],
        Column(name="distance", kind=Kind.NUMBER, max_null_share=0),
        contract().columns[2],
    )
    one_bad = ColumnProfile(rows=10, unreadable=Examples(count=1, first=(("", 4),)), numbers=Moments())
    profile = Profile(rows=10, bad_rows=1, columns=part(distance=one_bad).columns)
    assert judged(profile, contract(columns=columns, max_invalid_share=0.1)).accepted


@pytest.mark.parametrize("unseen", ["allow", "reject"])
def test_values_not_listed_are_invalid_and_named_whatever_unseen_says(unseen: str) -> None:
    found = categories({"JFK": 8, "XXX": 2})
    columns = (
        *contract().columns,
        Column(name="origin", kind=Kind.CATEGORY, categories=("JFK",), unseen=unseen),
    )
    header = ("at", "distance", "late", "origin")
    outside = ColumnProfile(rows=10, outside=Examples(count=2, first=(("", 1), ("", 2))), categories=found)
    profile = Profile(rows=10, bad_rows=2, columns=part(origin=outside).columns)
    verdict = validation.judge(contract(columns=columns), Evidence(objects=one_object(profile, header)))
    assert [finding.check for finding in verdict.problems] == ["categories"]
    assert any("'XXX'" in note.text for note in verdict.notes)
    tolerant = contract(columns=columns, max_invalid_share=0.2)
    verdict = validation.judge(tolerant, Evidence(objects=one_object(profile, header)))
    assert verdict.accepted
    assert {note.check for note in verdict.notes} == {"categories"}


@pytest.mark.parametrize(
    ("column", "accepted"),
    [
        (Column(name="gate", kind=Kind.CATEGORY), False),
        (Column(name="gate", kind=Kind.CATEGORY, default="A"), True),
        (Column(name="gate", kind=Kind.CATEGORY, since="2026-01-01"), True),
    ],
)
def test_a_column_that_old_files_lack_needs_a_default_or_a_since(column: Column, accepted: bool) -> None:
    asked = contract(columns=(*contract().columns, column))
    verdict = judged(part(gate=ColumnProfile(rows=10, absent=10)), asked)
    assert verdict.accepted is accepted
    findings = verdict.notes if accepted else verdict.problems
    assert [(finding.column, finding.objects) for finding in findings] == [("gate", ("a.csv",))]


def test_the_target_may_not_be_absent_whatever_its_default() -> None:
    columns = (*contract().columns[:2], Column(name="late", kind=Kind.BOOLEAN, default=False))
    profile = part(late=ColumnProfile(rows=10, absent=10))
    verdict = validation.judge(contract(columns=columns), Evidence(objects=one_object(profile, ("at", "distance"))))
    assert [(finding.check, finding.column) for finding in verdict.problems] == [("columns", "late")]


def test_unknown_columns_are_noted_or_refused_as_the_contract_says() -> None:
    objects = one_object(part(), ("at", "distance", "late", "arr_delay"))
    noted = validation.judge(contract(), Evidence(objects=objects))
    assert noted.accepted
    assert [note.column for note in noted.notes] == ["arr_delay"]
    refused = validation.judge(contract(extra_columns="reject"), Evidence(objects=objects))
    assert [problem.column for problem in refused.problems] == ["arr_delay"]


LABELS = [
    (ColumnProfile(rows=10, missing=10, categories=Categories()), {}, "no row has a label"),
    (ColumnProfile(rows=10, missing=2, categories=categories({"true": 4, "false": 4})), {}, "2 of 10 rows have no"),
    (ColumnProfile(rows=10, categories=categories({"true": 10})), {}, "all labels are the same class"),
    (ColumnProfile(rows=10, categories=categories({"a": 5, "b": 5})), {"positive": "c"}, "positive label 'c'"),
    (
        ColumnProfile(rows=10, numbers=Moments(count=10, mean=1.0, min=1.0, max=1.0)),
        {"task": Task.REGRESSION, "positive": None},
        "all labels are the same number",
    ),
]


@pytest.mark.parametrize(("target", "changed", "text"), LABELS)
def test_labels_that_cannot_be_learned_from_refuse(target: ColumnProfile, changed: dict[str, Any], text: str) -> None:
    [found] = texts(judged(part(late=target), contract(**changed)))
    assert text in found


def test_missing_labels_may_be_left_out() -> None:
    target = ColumnProfile(rows=10, missing=2, categories=categories({"true": 4, "false": 4}))
    verdict = judged(part(late=target), contract(missing_label="drop"))
    assert verdict.accepted
    assert [note.text for note in verdict.notes] == ["2 of 10 rows have no label; they are left out of training"]


def test_rows_that_are_too_old_or_too_few_refuse() -> None:
    assert judged(part(), contract(max_age_days=10), now=109 * DAY).accepted
    [old] = texts(judged(part(), contract(max_age_days=10), now=111 * DAY))
    assert "11.0 days old" in old
    [few] = texts(judged(part(), contract(min_rows=11)))
    assert "10 rows; the contract asks for 11" in few


def test_repeated_ids_refuse_and_name_their_places() -> None:
    [text] = texts(judged(part(), duplicates={"id": Examples(count=3, first=(("a.csv", 7),))}))
    assert "a.csv row 7 and 2 more" in text


def test_one_file_that_cannot_be_read_refuses_the_version_and_the_rest_is_judged_too() -> None:
    objects = one_object(part()) | {"b.csv": ObjectProfile(refused="b.csv is empty.")}
    verdict = validation.judge(contract(min_rows=11), Evidence(objects=objects))
    assert [finding.check for finding in verdict.problems] == ["file", "rows"]
    assert verdict.profile.rows == 10


def test_a_version_without_objects_is_refused() -> None:
    assert not validation.judge(contract(), Evidence(objects={})).accepted


def quantiles(numbers: list[float]) -> Quantiles:
    counts: dict[int, int] = {}
    for number in numbers:
        counts[bits_of(number)] = counts.get(bits_of(number), 0) + 1
    return coarsened(0, counts)


def test_drift_is_zero_on_equal_data_and_clear_on_shifted_data() -> None:
    before = [float(number) for number in range(1000)]
    same = ColumnProfile(rows=1000, quantiles=quantiles(before))
    moved = ColumnProfile(rows=1000, quantiles=quantiles([number + 400 for number in before]))
    assert drift.of_column(same, same) == pytest.approx(0.0, abs=1e-9)
    assert (drift.of_column(same, moved) or 0) > 0.25
    base = Profile(rows=1000, columns={"x": same})
    assert drift.notes(base, base) == []
    [(column, text)] = drift.notes(base, Profile(rows=1000, columns={"x": moved}))
    assert column == "x"
    assert "PSI" in text


def test_drift_of_categories_survives_a_value_that_is_new_or_gone() -> None:
    one = ColumnProfile(rows=100, categories=categories({"a": 50, "b": 50}))
    two = ColumnProfile(rows=100, categories=categories({"a": 50, "c": 50}))
    assert 0 < (drift.of_column(one, two) or 0) < 10
    assert drift.of_column(one, ColumnProfile(rows=1)) is None


def test_the_report_says_what_was_found_and_escapes_it() -> None:
    verdict = Verdict(problems=(Finding.problem("columns", "not in <b>.csv", column="x"),), notes=(), profile=part())
    spec = ModelSpec(model="flights", dataset="flights", contract=contract())
    assert report.to_plain(verdict, "run", "v" * 64)["problems"] == [
        {"check": "columns", "column": "x", "objects": [], "text": "not in <b>.csv"}
    ]
    html = report.to_page(verdict, spec, "v" * 64)
    assert "rejected" in html
    assert "&lt;b&gt;" in html
