"""Profiles of a data version's objects + contract -> may it be trained on, and every reason why not.

A problem refuses the version; a note does not. Each names the column, the file and the rows, and never a value of a
private column.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lifecycle import formats, labels, shape
from lifecycle.errors import DatasetRejected
from lifecycle.finding import Finding, places
from lifecycle.profile import ColumnProfile, Examples, Profile, merged
from lifecycle.profile_file import ObjectProfile
from lifecycle.spec import Contract, Kind

DAY_SECONDS: Final = 86_400
SHOWN_VALUES: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What validation found: problems (any refuses the version), notes, and the version's whole profile."""

    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]
    profile: Profile

    @property
    def accepted(self) -> bool:
        """Whether the version may be trained on."""
        return not self.problems


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What is judged: object profiles by object name, repeated values by unique column, and the time of judgement.

    `given_way` are rows that came by feedback and repeat a value: they are left out (`lifecycle.harvest`).
    """

    objects: Mapping[str, ObjectProfile]
    duplicates: Mapping[str, Examples] = field(default_factory=dict)
    given_way: Mapping[str, Examples] = field(default_factory=dict)
    now: float = 0.0


def judge(contract: Contract, evidence: Evidence) -> Verdict:
    """Return the verdict on a data version. Drift is judged elsewhere: it never refuses a version by itself."""
    refused = _refused(evidence.objects)
    usable = {
        name: part
        for name, part in sorted(evidence.objects.items())
        if part.profile is not None and name not in refused
    }
    profile = merged(part.profile.named(name) for name, part in usable.items() if part.profile is not None)
    found = [Finding.problem("file", reason, objects=(name,)) for name, reason in sorted(refused.items())]
    if not usable and not refused:
        found.append(Finding.problem("file", "the data version has no objects. Upload at least one file."))
    if usable:
        found += shape.check(contract, {name: part.columns for name, part in usable.items()})
        found += _values(contract, profile)
        found += _uniqueness(evidence.duplicates)
        found += _given_way(evidence.given_way)
        found += labels.check(contract, profile)
        found += _freshness(contract, profile, evidence.now)
    return Verdict(
        problems=tuple(one for one in found if one.is_problem),
        notes=tuple(one for one in found if not one.is_problem),
        profile=profile,
    )


def _refused(objects: Mapping[str, ObjectProfile]) -> dict[str, str]:
    refused = {}
    for name, part in objects.items():
        try:
            formats.of_name(name)
            if part.form is not None:
                formats.require_match(name, part.form)
        except DatasetRejected as error:
            refused[name] = str(error)
        else:
            if part.refused is not None:
                refused[name] = part.refused
    return refused


def _values(contract: Contract, profile: Profile) -> Iterable[Finding]:
    if profile.rows < contract.min_rows:
        yield Finding.problem(
            "rows", f"{profile.rows} rows; the contract asks for {contract.min_rows} (min_rows). Upload more data."
        )
    refuses = profile.bad_rows > contract.max_invalid_share * profile.rows
    for column in contract.columns:
        part = profile.columns[column.name]
        yield from _wrong(contract, column.name, part, refuses)
        if column.name != contract.target and part.missing > column.max_null_share * part.rows:
            share = f"{part.missing / part.rows:.2%} of its rows have no value"
            text = f"{share}; the contract allows {column.max_null_share:.2%} (max_null_share)"
            yield Finding.problem("missing values", text, column=column.name)
        yield from _unlisted(contract, column.name, part)


def _wrong(contract: Contract, name: str, part: ColumnProfile, refuses: bool) -> Iterable[Finding]:
    column = contract.by_name[name]
    allowed = (
        f"; the contract allows {contract.max_invalid_share:.2%} of the rows (max_invalid_share). Correct the rows and "
        "upload the file again under its name, or change "
    )
    make = Finding.problem if refuses else Finding.note
    if part.unreadable.count:
        text = f"{part.unreadable.count} values are no {column.kind}: {places(part.unreadable)}"
        yield make(
            "type",
            text + (f"{allowed}the column's kind in model.yaml." if refuses else ""),
            column=name,
            objects=_objects(part.unreadable),
        )
    if part.outside.count:
        bounds = (
            "listed categories" if column.kind is Kind.CATEGORY else f"{_bound(column.min)} to {_bound(column.max)}"
        )
        text = f"{part.outside.count} values are outside {bounds}: {places(part.outside)}"
        check = "categories" if column.kind is Kind.CATEGORY else "range"
        key = "categories" if column.kind is Kind.CATEGORY else "min and max"
        yield make(
            check,
            text + (f"{allowed}{key} in model.yaml." if refuses else ""),
            column=name,
            objects=_objects(part.outside),
        )


def _unlisted(contract: Contract, name: str, part: ColumnProfile) -> Iterable[Finding]:
    """Name the values that the contract does not list (`_wrong` counts and judges their rows)."""
    column = contract.by_name[name]
    if column.categories is None or part.categories is None:
        return
    unlisted = sorted(part.categories.counts.keys() - set(column.categories))
    if unlisted:
        shown = ", ".join(repr(value[:60]) for value in unlisted[:SHOWN_VALUES])
        more = f" and {len(unlisted) - SHOWN_VALUES} more" if len(unlisted) > SHOWN_VALUES else ""
        yield Finding.note("categories", f"values that the contract does not list: {shown}{more}", column=name)


def _uniqueness(duplicates: Mapping[str, Examples]) -> Iterable[Finding]:
    for name, rows in duplicates.items():
        if rows.count:
            text = f"{rows.count} rows repeat a value of an earlier row: {places(rows)}. Remove them."
            yield Finding.problem("uniqueness", text, column=name, objects=_objects(rows))


def _given_way(repeated: Mapping[str, Examples]) -> Iterable[Finding]:
    for name, rows in repeated.items():
        if rows.count:
            text = f"{rows.count} rows that came by feedback repeat a value of another row and are left out"
            yield Finding.note("uniqueness", f"{text}: {places(rows)}", column=name, objects=_objects(rows))


def _freshness(contract: Contract, profile: Profile, now: float) -> Iterable[Finding]:
    if contract.max_age_days is None or contract.time is None:
        return
    times = profile.columns[contract.time].numbers
    if times is None or times.max is None:
        yield Finding.problem("freshness", "no row has a readable time", column=contract.time)
        return
    age = (now - times.max) / DAY_SECONDS
    if age > contract.max_age_days:
        text = f"the newest row is {age:.1f} days old; the contract allows {contract.max_age_days:g} (max_age_days)"
        yield Finding.problem("freshness", text, column=contract.time)


def _objects(rows: Examples) -> Sequence[str]:
    return tuple(dict.fromkeys(name for name, _ in rows.first))


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"
