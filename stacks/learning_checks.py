"""What learning from feedback needs of a model.yaml, and of the models that share its dataset; else it is refused."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

from lifecycle.schema import Contract, Kind
from lifecycle.spec import ModelSpec
from stacks.column_rules import Rule
from stacks.model_assets import FEATURES
from stacks.model_file import ModelFile
from stacks.project import SynthesisRefused
from stacks.yaml_file import Problem

KEY = "retraining.learn_from_feedback"


def learning_problems(written: ModelFile, columns: Mapping[str, Rule], folder: Path) -> Iterator[Problem]:
    """Yield every column that rows from the prediction log would lack, though learning from them needs it."""
    if not written.retraining.learn_from_feedback:
        return
    read = _texts_of(folder / FEATURES)
    for name, rule in columns.items():
        if name == written.weight and rule.max_null_share == 0:
            text = f"must be above 0 while {KEY} is on: nobody sends weights with a row, so its rows have none"
            yield Problem(f"columns.{name}.max_null_share", text)
        needed = _needed(written, name, rule, read)
        if rule.private and needed:
            text = (
                f"a private column is not in the prediction log, but {KEY} makes training rows of it, and this one "
                f"{needed}: do without one of the two"
            )
            yield Problem(f"columns.{name}.private", text)


def _needed(written: ModelFile, name: str, rule: Rule, read: frozenset[str]) -> str | None:
    """Why a model cannot learn from rows in which a column is empty; None when it can."""
    if name in (written.id, written.target, written.weight):
        return None  # the prediction's own id stands in; labels come by feedback; weights are never sent
    if name == written.time:
        return "orders rows (`time`)"
    if name == written.split.key:
        return "says on which side a row belongs (`split.key`)"
    if rule.feature and rule.kind not in (Kind.TEXT, Kind.ID):
        return "is a feature (say `feature: false`, or keep it out of the model)"
    if rule.max_null_share == 0:
        return "must have a value (`max_null_share: 0`)"
    return f"is read by {FEATURES}" if name in read else None


def _texts_of(path: Path) -> frozenset[str]:
    """Every text in a Python file; whatever is wrong with the file is said where its functions are looked for."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    return frozenset(n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def require_shared_datasets(specs: Sequence[ModelSpec]) -> None:
    """Refuse models that share a dataset which one of them fills by feedback, unless its rows are rows for both.

    Raises SynthesisRefused naming both models, and what they see differently.
    """
    for one, other in combinations(specs, 2):
        learning = [spec for spec in (one, other) if spec.retraining.learn_from_feedback]
        if one.dataset != other.dataset or not learning:
            continue
        different = _different(one.contract, other.contract)
        if different:
            text = f"see it differently: {different}. Rows of one would refuse every data version of the other"
        elif len(learning) == 2 and one.contract.id is None:
            text = "learn from feedback, and no `id` tells that rows of theirs are one event: it would count twice"
        else:
            continue
        raise SynthesisRefused(
            f"models/{learning[0].model}/model.yaml: {KEY} is on, but {one.model} and {other.model} share the dataset "
            f"{one.dataset!r} and {text}. Give each a dataset of its own, or leave {KEY} out."
        )


def _different(one: Contract, other: Contract) -> str:
    roles = [role for role in ("target", "id", "time", "weight") if getattr(one, role) != getattr(other, role)]
    mine, theirs = ({c.name: (c.kind, bool(c.private)) for c in contract.columns} for contract in (one, other))
    columns = [name for name in sorted(mine.keys() | theirs.keys()) if mine.get(name) != theirs.get(name)]
    listed = ", ".join(columns[:5]) + (f" and {len(columns) - 5} more" if len(columns) > 5 else "")
    return "; ".join([*(f"the key `{role}`" for role in roles), *([f"the columns {listed}"] if columns else [])])
