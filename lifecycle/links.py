"""Raw outputs of an estimator -> probabilities or values: one function per link, to the last bit as its library does.

Sums add one number after the other, or in numpy's order (`pairwise`) where the library sums with numpy: from eight
classes on the two differ. The built-in `sum` corrects its rounding errors and would differ from both.
"""

from __future__ import annotations

from math import exp

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Link = Callable[[list[float]], list[float]]

SINGLE = ("logistic-float32", "softmax-float32", "exp-float32")
NAMES = ("identity", "logistic", "softmax", "exp", "clipped", "one-vs-rest", "one-vs-rest-or-zero", *SINGLE)
OF_SEVERAL = ("softmax", "softmax-float32", "one-vs-rest", "one-vs-rest-or-zero")
"""Links that only make sense for more than one output."""

LARGEST_POWER = 709.782712893384
UNROLLED = 8
BLOCK = 128


def link_of(estimator: Mapping[str, Any]) -> Link:
    """Return the function that turns a checked estimator's raw outputs into what it answers.

    `slope` multiplies the raw outputs first, `pairwise` says that classes are summed as numpy sums them.
    """
    name: str = estimator["link"]
    if name in SINGLE:
        from lifecycle import float32  # late: only models of XGBoost count with this precision

        return float32.LINKS[name]
    link = _LINKS[name] if not estimator.get("pairwise") else _PAIRWISE[name]
    slope: float = estimator.get("slope", 1.0)
    return link if slope == 1.0 else lambda raw: link([slope * value for value in raw])


def one_after_another(values: Sequence[float]) -> float:
    """Return the sum in the order of the values, rounded after each."""
    total = 0.0
    for value in values:
        total += value
    return total


def as_numpy_sums(values: Sequence[float]) -> float:
    """Return the sum as `numpy.sum` forms it over values that lie side by side: eight running sums, then halves."""
    count = len(values)
    if count < UNROLLED:
        return one_after_another(values)
    if count > BLOCK:
        half = count // 2 - count // 2 % UNROLLED
        return as_numpy_sums(values[:half]) + as_numpy_sums(values[half:])
    whole = count - count % UNROLLED
    a, b, c, d, e, f, g, h = (one_after_another(values[i:whole:UNROLLED]) for i in range(UNROLLED))
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for value in values[whole:]:
        total += value
    return total


def logistic(raw: list[float]) -> list[float]:
    """1 / (1 + exp(-x)), as scipy's expit: 0 where exp leaves float64."""
    return [1.0 / (1.0 + exp(-value)) if value >= -LARGEST_POWER else 0.0 for value in raw]


def _identity(raw: list[float]) -> list[float]:
    return raw


def _exp(raw: list[float]) -> list[float]:
    return [exp(value) if value <= LARGEST_POWER else float("inf") for value in raw]


def _softmax_by(total: Callable[[Sequence[float]], float]) -> Link:
    def softmax(raw: list[float]) -> list[float]:
        largest = max(raw)
        powers = [exp(value - largest) for value in raw]
        whole = total(powers)
        return [power / whole for power in powers]

    return softmax


def _shares(values: list[float], total: Callable[[Sequence[float]], float], *, or_zero: bool) -> list[float]:
    """The values divided by their sum; when all are 0, equal shares or zeros."""
    whole = total(values)
    if whole == 0.0:
        return values if or_zero else [1.0 / len(values)] * len(values)
    return [value / whole for value in values]


def _one_vs_rest_by(total: Callable[[Sequence[float]], float], *, or_zero: bool) -> Link:
    return lambda raw: _shares(logistic(raw), total, or_zero=or_zero)


def _clipped_by(total: Callable[[Sequence[float]], float]) -> Link:
    """How SGDClassifier answers with the modified Huber loss: (clip(x) + 1) / 2, shares of it for several classes."""

    def clipped(raw: list[float]) -> list[float]:
        halves = [(min(max(value, -1.0), 1.0) + 1.0) / 2.0 for value in raw]
        return halves if len(halves) == 1 else _shares(halves, total, or_zero=False)

    return clipped


_LINKS: dict[str, Link] = {
    "identity": _identity,
    "logistic": logistic,
    "exp": _exp,
    "softmax": _softmax_by(one_after_another),
    "clipped": _clipped_by(one_after_another),
    "one-vs-rest": _one_vs_rest_by(one_after_another, or_zero=False),
    "one-vs-rest-or-zero": _one_vs_rest_by(one_after_another, or_zero=True),
}
_PAIRWISE: dict[str, Link] = {
    **_LINKS,
    "softmax": _softmax_by(as_numpy_sums),
    "clipped": _clipped_by(as_numpy_sums),
    "one-vs-rest": _one_vs_rest_by(as_numpy_sums, or_zero=False),
    "one-vs-rest-or-zero": _one_vs_rest_by(as_numpy_sums, or_zero=True),
}
