"""Coefficients + encoded row -> scores, added in the order of the inputs.

scikit-learn multiplies a sparse matrix in this order, one product after the other, wherever it runs; a dense one goes
to BLAS, whose order depends on the processor and on the number of rows.
"""

from __future__ import annotations

from lifecycle.encoding import ORDINAL, STANDARD, width_of

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from lifecycle.encoding import Encoder

    Raw = Callable[[list[float]], list[float]]
    Term = tuple[float, dict[float, float] | None]


def scorer(estimator: Mapping[str, Any], encoder: Encoder) -> Raw:
    """Return encoded row -> scores: numbers by their coefficients, categories by looking up the one that counts."""
    whole = [
        (_terms(coefficients, encoder), float(intercept))
        for coefficients, intercept in zip(estimator["coefficients"], estimator["intercept"], strict=True)
    ]

    def raw(encoded: list[float]) -> list[float]:
        scores = []
        for terms, intercept in whole:
            total = 0.0
            for value, (weight, table) in zip(encoded, terms, strict=True):
                total += weight * value if table is None else table.get(value, 0.0)
            scores.append(total + intercept)
        return scores

    return raw


def _terms(coefficients: Sequence[float], encoder: Encoder) -> list[Term]:
    """Return per position of an encoded row its coefficient, or the coefficients by code of a category."""
    assert encoder.layout in (ORDINAL, STANDARD)
    terms: list[Term] = []
    dense = 0
    for entry in encoder.inputs:
        if entry["as"] == "category" and encoder.layout == STANDARD:
            size = len(entry["categories"])
            terms.append((0.0, {float(code): float(coefficients[dense + code]) for code in range(size)}))
            dense += size
        else:
            for _ in range(width_of(entry)):
                terms.append((float(coefficients[dense]), None))
                dense += 1
    return terms
