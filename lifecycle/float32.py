"""Links in float32, as XGBoost computes them: every result is rounded to 24 bits, exp is the C library's `expf`.

`expf` is not the rounded `exp`: its last bit differs about once in 500 values. So the function itself is called, where
the C library has one; loaded only by models that need it.
"""

from __future__ import annotations

from array import array
from ctypes import CDLL, c_float
from math import exp

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable

    Link = Callable[[list[float]], list[float]]

LARGEST_POWER = 88.7  # beyond, exp leaves float32
ADDED = 1e-16  # keeps XGBoost's own division from zero; too small to change any float32 of 1 and more


def rounded(value: float) -> float:
    """Return the float32 nearest to a number, infinite beyond the largest."""
    return array("f", (value,))[0]


def _of_c_library() -> Callable[[float], float]:
    try:
        power: Callable[[float], float] = CDLL(None).expf
    except (OSError, TypeError, AttributeError):  # a system without a C library in the process
        return lambda value: rounded(exp(value)) if value < LARGEST_POWER + 0.02 else float("inf")
    power.restype, power.argtypes = c_float, [c_float]  # type: ignore[attr-defined]
    return power


expf = _of_c_library()
LARGEST = rounded(LARGEST_POWER)


def _logistic(raw: list[float]) -> list[float]:
    return [rounded(1.0 / rounded(rounded(expf(min(-value, LARGEST)) + 1.0) + ADDED)) for value in raw]


def _softmax(raw: list[float]) -> list[float]:
    largest = max(raw)
    powers = [expf(rounded(value - largest)) for value in raw]
    total = 0.0  # the one number that XGBoost holds in float64 here
    for power in powers:
        total += power
    whole = rounded(total)
    return [rounded(power / whole) for power in powers]


def _exp(raw: list[float]) -> list[float]:
    return [expf(value) for value in raw]


LINKS: dict[str, Link] = {"logistic-float32": _logistic, "softmax-float32": _softmax, "exp-float32": _exp}
