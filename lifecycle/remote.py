"""Model that an endpoint serves: rows are encoded here as always; what follows from the numbers is asked for.

The compiled file of such a model holds contract, encoder, classes and threshold like any other; its estimator is
`{"kind": "endpoint", "link": "identity", "nan": whether a missing category is sent as null}`.
"""

from __future__ import annotations

from math import isnan

from lifecycle.encoding import ORDINAL, missing_codes, width_of
from lifecycle.errors import ModelRejected

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lifecycle.scoring import CompiledModel

    Vector = list[float | None]
    Ask = Callable[[Sequence[Vector]], list[list[float]]]

KIND = "endpoint"
BODY_BYTES = 4_000_000
"""Of one request; a serverless endpoint takes 4 MB (SageMaker developer guide, "Serverless Inference")."""
NUMBER_BYTES = 25  # the longest float in JSON, with its comma


def raw(_: list[float]) -> list[float]:
    """Stand where other estimators score a row by themselves. Raises ModelRejected."""
    raise ModelRejected("this model is served by an endpoint; it cannot be scored without it")


def vectors(model: CompiledModel, encoded: Sequence[list[float]]) -> Iterator[Vector]:
    """Return encoded rows as the endpoint's estimator takes them; None is a missing number."""
    missing = missing_codes(model.body["encoder"]) if model.body["estimator"]["nan"] else None
    for row in encoded:
        dense = model.encoder.expand(row)
        if missing is not None:
            yield [None if isnan(x) or x == code else x for x, code in zip(dense, missing, strict=True)]
        else:
            yield [None if isnan(x) else x for x in dense]


def width(model: CompiledModel) -> int:
    """Return how many numbers the endpoint takes per row."""
    inputs = model.encoder.inputs
    if model.encoder.layout == ORDINAL:
        return model.encoder.width
    return sum(len(entry["categories"]) if entry["as"] == "category" else width_of(entry) for entry in inputs)


def rows_at_once(numbers: int) -> int:
    """Return how many rows of that many numbers fit into one request, whatever the numbers are.

    >>> rows_at_once(10)
    15873
    """
    return max(1, BODY_BYTES // (NUMBER_BYTES * max(1, numbers) + 2))


def outputs(model: CompiledModel, encoded: Sequence[list[float]], ask: Ask) -> list[list[float]]:
    """Return the outputs of encoded rows, in as few requests as their size allows.

    Raises ModelRejected when the endpoint answers another number of rows or of outputs than it was asked for.
    """
    ready = list(vectors(model, encoded))
    width = len(model.classes) if model.task == "multiclass" and model.classes else 1
    step = rows_at_once(len(ready[0])) if ready else 1
    found: list[list[float]] = []
    for start in range(0, len(ready), step):
        part = ready[start : start + step]
        answered = ask(part)
        if len(answered) != len(part) or any(len(row) != width for row in answered):
            raise ModelRejected(f"the endpoint answered {len(answered)} rows for {len(part)}, or other outputs")
        found += answered
    return found
