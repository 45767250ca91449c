"""The model that monitoring judges: what it answers, what it was trained on, and by which figure it is measured."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

from lifecycle.hour_counts import yardstick
from lifecycle.live import Live
from lifecycle.objective import Objective
from lifecycle.reference import CATEGORY, Reference
from lifecycle.schema import Contract, Task, contract_of
from lifecycle.spec import ModelSpec

SLICED: Final = 10
SLICE_VALUES: Final = 12
"""A category with at most this many values in training is sliced, as evaluation does."""


@dataclass(frozen=True, kw_only=True)
class JudgedModel:
    """One version of a model, by its own contract: a rollback rolls that back, too.

    `classes` are texts; for a binary task the second is the positive one; None for regression.
    """

    live: Live
    task: Task
    classes: tuple[str, ...] | None
    contract: Contract
    reference: Reference
    objective: Objective
    gated: tuple[str, ...] = ()

    @classmethod
    def of(cls, live: Live, body: Mapping[str, Any], reference: Reference, spec: ModelSpec) -> "JudgedModel":
        """Return the model of a compiled file's `body`, measured as the owner's `spec` says now."""
        return cls(
            live=live,
            task=Task(body["task"]),
            classes=tuple(body["classes"]) if body["classes"] else None,
            contract=contract_of(body["contract"]),
            reference=reference,
            objective=spec.objective,
            gated=tuple(dict.fromkeys(gate.column for gate in spec.gates.slices)),
        )

    @property
    def version(self) -> str:
        """The version as log lines name it."""
        return str(self.live.number)

    @cached_property
    def yardstick(self) -> str:
        """What counts of this model depend on besides the rows (16 hex digits)."""
        return yardstick(self.reference, self.live.package_arn, [asdict(self.objective), *self.sliced])

    @cached_property
    def sliced(self) -> tuple[str, ...]:
        """The columns whose values are looked at one by one: those that gates name, and categories of few values.

        Never a private one: the reference has none.
        """
        columns = self.reference.columns
        known = [name for name in self.gated if name in columns and columns[name].kind == CATEGORY]
        few = [n for n, c in columns.items() if c.kind == CATEGORY and 1 < len(c.values) <= SLICE_VALUES]
        few.sort(key=lambda name: (-columns[name].importance, name))
        return tuple(dict.fromkeys([*known, *few]))[:SLICED]

    def class_of(self, label: str | float) -> int | None:
        """Return the index of a label's class; -1 for a class that the model does not know, None for what is none.

        Binary labels of another class than the two are no labels: nothing could have been decided right.
        """
        if self.classes is None or not isinstance(label, str):
            return None
        if label in self.classes:
            return self.classes.index(label)
        return -1 if self.task is Task.MULTICLASS else None
