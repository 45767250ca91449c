"""Profile of the target + contract -> are there labels to learn from."""

from collections.abc import Iterable

from lifecycle.finding import Finding
from lifecycle.profile import ColumnProfile, Profile
from lifecycle.spec import Contract, Kind, Task


def check(contract: Contract, profile: Profile) -> list[Finding]:
    """Return what is wrong with the labels."""
    target = profile.columns[contract.target]
    if target.absent == target.rows:
        return []  # said already: the column is missing
    if target.present == 0:
        return [Finding.problem("labels", "no row has a label", column=contract.target)]
    return [*_missing(contract, target), *_classes(contract, target)]


def _missing(contract: Contract, target: ColumnProfile) -> Iterable[Finding]:
    if not target.missing:
        return
    text = f"{target.missing} of {target.rows} rows have no label"
    if contract.missing_label == "reject":
        hint = ". Complete them, or say `missing_label: drop` in model.yaml."
        yield Finding.problem("labels", text + hint, column=contract.target)
    else:
        yield Finding.note("labels", f"{text}; they are left out of training", column=contract.target)


def _classes(contract: Contract, target: ColumnProfile) -> Iterable[Finding]:
    numbers, categories = target.numbers, target.categories
    constant = numbers is not None and numbers.count > 0 and numbers.min == numbers.max
    if categories is not None:
        constant = categories.distinct == 1
    if constant:
        what = "number" if contract.task is Task.REGRESSION else "class"
        yield Finding.problem(
            "labels", f"all labels are the same {what}; nothing can be learned", column=contract.target
        )
        return
    kind = contract.by_name[contract.target].kind
    if contract.task is Task.BINARY and contract.positive is not None and categories is not None:
        values = {value.lower() if kind is Kind.BOOLEAN else value for value in categories.counts}
        positive = contract.positive.lower() if kind is Kind.BOOLEAN else contract.positive
        if categories.complete and positive not in values:
            text = f"no row has the positive label {contract.positive!r}"
            yield Finding.problem("labels", text, column=contract.target)
