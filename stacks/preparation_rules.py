"""What a model.yaml says about preprocessing -> `lifecycle.preparation`, and every contradiction with its key."""

from collections.abc import Iterator, Mapping
from typing import Final

from lifecycle.preparation import NOTHING, Preparation
from lifecycle.schema import Kind
from stacks.column_rules import Derived, Preparing, Rule
from stacks.model_file import ModelFile
from stacks.yaml_file import Problem

KEYS: Final = {"impute", "indicator", "scale", "encode", "parts"}
"""Keys of a column that concern training alone; the contract does not hold them."""

NUMBERS: Final = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.DATETIME)


def preparation_of(said: Preparing) -> Preparation:
    """Return what a candidate, a column or a derived value says."""
    parts = tuple(said.parts or ()) if isinstance(said, Rule) else ()
    word = said.impute if isinstance(said.impute, str) else None
    fill = None if said.impute is None or word is not None else float(said.impute)
    return Preparation(
        impute=word if fill is None else "constant",
        fill=fill,
        indicator=said.indicator,
        scale=said.scale,
        encode=said.encode,
        parts=parts,
    )


def preparations_of(columns: Mapping[str, Rule], derived: Mapping[str, Derived]) -> dict[str, Preparation]:
    """Return what columns and derived values say, by name; those that say nothing are left out."""
    said = {name: preparation_of(rule) for name, rule in {**columns, **derived}.items()}
    return {name: found for name, found in said.items() if found != NOTHING}


def preparation_problems(written: ModelFile, columns: Mapping[str, Rule]) -> Iterator[Problem]:
    """Yield every key of preprocessing that has no effect where it stands."""
    for number, entry in enumerate(written.candidates or ()):
        if entry.estimator is not None and preparation_of(entry) != NOTHING:
            text = "impute, indicator, scale and encode are for built-in families; return a Pipeline from the function"
            yield Problem(f"candidates.{number}", text)
    unused = {written.target, written.weight, written.id}
    for name, rule in columns.items():
        said = preparation_of(rule)
        if said != NOTHING and (name in unused or not rule.feature or name in written.derived):
            yield Problem(f"columns.{name}", "is no feature, so nothing can be said of how the model reads it")
        else:
            yield from _of_kind(f"columns.{name}", Kind(rule.kind), said)
    for name, derived in written.derived.items():
        yield from _of_kind(f"derived.{name}", Kind(derived.kind), preparation_of(derived))


def _of_kind(key: str, kind: Kind, said: Preparation) -> Iterator[Problem]:
    if (said.impute is not None or said.indicator) and kind not in NUMBERS:
        yield Problem(key, f"impute and indicator are for {', '.join(NUMBERS)}; found kind {kind}")
    if said.encode is not None and kind is not Kind.CATEGORY:
        yield Problem(key, f"encode is for category; found kind {kind}")
    if said.scale is not None and kind not in NUMBERS and said.encode not in ("ordinal", "target"):
        yield Problem(key, "scale is for numbers, and for categories with encode: ordinal or target")
    if said.parts and kind is not Kind.DATETIME:
        yield Problem(key, f"parts is for datetime; found kind {kind}")
    if len(set(said.parts)) < len(said.parts):
        yield Problem(key, "parts lists a part twice")
