"""`perennial new NAME --from FILE --target COLUMN`: a file of the user's -> models/<name>/model.yaml."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cli.model_file import Draft, text_of
from lifecycle import names
from lifecycle.errors import DatasetRejected, SpecRejected
from lifecycle.schema import Kind, Task
from tabular import raw
from tabular.infer import NUMERIC, ColumnFacts, facts_of
from tabular.suspects import leaks, repeating_key, time_columns

NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CLASSES: Final = 50
ROWS_READ: Final = 200_000
TRUE_LIKE: Final = frozenset(
    {"1", "1.0", "true", "t", "yes", "y", "ja", "j", "oui", "si", "positive", "pos", "bad", "fraud"}
)


def new_model(name: str, source: Path, target: str, root: Path) -> Path:
    """Profile `source` and write models/<name>/model.yaml under `root`; return its path.

    Raises
    ------
    SpecRejected
        when the name is no model name, or models/<name> exists.
    DatasetRejected
        when the file cannot be read, lacks the target (the message lists its columns), or the target cannot be one.
    """
    if NAME.fullmatch(name) is None or len(name) > names.MODEL_NAME_LENGTH:
        raise SpecRejected(
            f"{name!r} is no model name: lower-case letters, digits and hyphens, beginning with a letter, at most "
            f"{names.MODEL_NAME_LENGTH} characters"
        )
    folder = root / "models" / name
    if folder.exists():
        raise SpecRejected(f"{folder} exists; choose another name, or edit {folder / 'model.yaml'}")
    text = text_of(draft_of(name, source, target))
    folder.mkdir(parents=True)
    file = folder / "model.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def draft_of(name: str, source: Path, target: str) -> Draft:
    """Return what `source` says about itself. Raises DatasetRejected as `new_model` does."""
    if not source.is_file():
        raise DatasetRejected(f"{source} is not a file")
    whole = raw.load(source, source.name).frame
    frame = whole.head(ROWS_READ)
    if target not in frame.columns:
        raise DatasetRejected(f"{source.name} has no column {target!r}; its columns are: {_listed(frame.columns)}")
    if frame.width < 2:
        raise DatasetRejected(f"{source.name} has only the target: there is nothing to predict it from")
    facts = {column.name: facts_of(column) for column in frame}
    task = task_of(facts[target], source.name)
    if not any(
        fact.kind not in (Kind.ID, Kind.TEXT) and fact.distinct > 1 for fact in facts.values() if fact.name != target
    ):
        raise DatasetRejected(f"{source.name}: no column can be a feature; all are ids, texts, constant or empty")
    return Draft(
        model=name,
        source=source.name,
        target=target,
        task=task,
        positive=positive_of(facts[target]) if task is Task.BINARY else None,
        facts=facts,
        cut=whole.height > ROWS_READ,
        id=_id(facts, target),
        key=repeating_key(facts, target),
        times=time_columns(frame, facts),
        leaks=leaks(frame, facts, target, task),
    )


def task_of(target: ColumnFacts, source: str) -> Task:
    """Return what is predicted: two values, up to `CLASSES` values that are no fractions, or numbers.

    Raises DatasetRejected when the target is none of these.
    """
    where = f"{source}: the target {target.name!r}"
    if target.distinct < 2:
        raise DatasetRejected(f"{where} has {target.distinct} distinct value(s); at least two are needed to learn from")
    if target.distinct == 2:
        return Task.BINARY
    if target.distinct <= CLASSES and target.kind not in (Kind.NUMBER, Kind.DATETIME):
        return Task.MULTICLASS
    if target.kind in NUMERIC or (target.kind is Kind.ID and target.low is not None):
        return Task.REGRESSION
    raise DatasetRejected(
        f"{where} has {target.distinct:,} distinct values of kind {target.kind}: neither classes (at most "
        f"{CLASSES}) nor numbers. Group its values, or choose another target"
    )


def positive_of(target: ColumnFacts) -> str:
    """Return the positive label of a binary target: the one that says yes, else the rarer."""
    labels: Mapping[str, int] = dict(target.values)
    saying_yes = [label for label in labels if label.lower() in TRUE_LIKE]
    return saying_yes[0] if len(saying_yes) == 1 else min(labels, key=lambda label: (labels[label], label))


def _id(facts: Mapping[str, ColumnFacts], target: str) -> str | None:
    unique = [f.name for f in facts.values() if f.kind is Kind.ID and f.unique and f.name != target]
    return unique[0] if unique else None


def _listed(columns: list[str]) -> str:
    shown = ", ".join(columns[:30])
    return f"{shown}, ... ({len(columns)} in all)" if len(columns) > 30 else shown
