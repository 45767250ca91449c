"""Headers of a data version's objects + contract -> columns that are missing, renamed or unknown, file by file."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from lifecycle.finding import Finding, objects_of
from lifecycle.spec import Column, Contract


def check(contract: Contract, headers: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Return what is wrong with the columns; `headers` are by object name."""
    return [*_missing(contract, headers), *_extra(contract, headers)]


def _missing(contract: Contract, headers: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    for column in contract.columns:
        without = [name for name, header in headers.items() if column.name not in header]
        if not without:
            continue
        where = objects_of(without, len(headers))
        if _may_be_absent(column, contract):
            filled = "left empty" if column.default is None else f"filled with {column.default!r}"
            yield Finding.note("columns", f"not in {where}; {filled}", column=column.name, objects=without)
        else:
            hint = _renamed(column, contract, headers[without[0]])
            text = f"not in {where}.{hint} Add it there, or give it a `default` in model.yaml."
            yield Finding.problem("columns", text, column=column.name, objects=without)


def _may_be_absent(column: Column, contract: Contract) -> bool:
    if column.name in (contract.target, contract.id):
        return False
    return column.default is not None or column.since is not None


def _renamed(column: Column, contract: Contract, header: Sequence[str]) -> str:
    unknown = {name.lower(): name for name in header if name not in contract.by_name}
    close = get_close_matches(column.name.lower(), unknown, n=1)
    return f" Is it {unknown[close[0]]!r} there?" if close else ""


def _extra(contract: Contract, headers: Mapping[str, Sequence[str]]) -> Iterable[Finding]:
    unknown: dict[str, list[str]] = {}
    for name, header in headers.items():
        for column in header:
            if column not in contract.by_name:
                unknown.setdefault(column, []).append(name)
    make = Finding.problem if contract.extra_columns == "reject" else Finding.note
    for column, names in unknown.items():
        text = f"is not in the contract, but in {objects_of(names, len(headers))}"
        yield make("columns", text, column=column, objects=names)
