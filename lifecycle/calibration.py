"""Members of a calibrated classifier + encoded row -> probabilities, as CalibratedClassifierCV forms them.

Each member's scores go through its calibrators (one per class; a binary model has one), the classes are brought to sum
1, and the members' answers are averaged.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from lifecycle.links import as_numpy_sums, logistic
from lifecycle.packed import unpack

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Calibrator = Callable[[float], float]
    Outputs = Callable[[list[float]], list[float]]

ROUNDING = 1.0 + 1e-5


def scorer(members: Sequence[Mapping[str, Any]], outputs: Sequence[Outputs]) -> Outputs:
    """Return encoded row -> mean of the members' calibrated probabilities; `outputs` are the members' own scorers."""
    calibrators = [[_calibrator(plain) for plain in member["calibrators"]] for member in members]

    def answer(encoded: list[float]) -> list[float]:
        totals = [0.0] * len(calibrators[0])
        for own, score in zip(calibrators, outputs, strict=True):
            found = _normal([calibrate(value) for calibrate, value in zip(own, score(encoded), strict=True)])
            for k, share in enumerate(found):
                totals[k] += share
        return [total / len(calibrators) for total in totals]

    return answer


def _normal(found: list[float]) -> list[float]:
    if len(found) > 1:
        whole = as_numpy_sums(found)
        found = [value / whole for value in found] if whole else [1.0 / len(found)] * len(found)
    return [1.0 if 1.0 < value <= ROUNDING else value for value in found]


def _calibrator(plain: Mapping[str, Any]) -> Calibrator:
    if plain["as"] == "sigmoid":
        a, b = float(plain["a"]), float(plain["b"])
        return lambda score: logistic([-(a * score + b)])[0]
    xs, ys = unpack("d", plain["x"]).tolist(), unpack("d", plain["y"]).tolist()
    if plain["float32"]:
        from lifecycle.float32 import rounded  # late: isotonic on scores of XGBoost

        return lambda score: _interpolated_single(xs, ys, score, rounded)
    return lambda score: _interpolated(xs, ys, score)


def _interpolated(xs: Sequence[float], ys: Sequence[float], score: float) -> float:
    """Piecewise linear, as numpy.interp; constant outside."""
    place = bisect_right(xs, score) - 1
    if place < 0:
        return ys[0]
    if place >= len(xs) - 1 or xs[place] == score:
        return ys[place]
    slope = (ys[place + 1] - ys[place]) / (xs[place + 1] - xs[place])
    return slope * (score - xs[place]) + ys[place]


def _interpolated_single(
    xs: Sequence[float], ys: Sequence[float], score: float, rounded: Callable[[float], float]
) -> float:
    """Piecewise linear in float32, as scipy.interpolate.interp1d forms it: two shares of two neighbours."""
    if len(xs) == 1:
        return ys[0]
    score = min(max(score, xs[0]), xs[-1])
    high = min(max(bisect_left(xs, score), 1), len(xs) - 1)
    low = high - 1
    width = rounded(xs[high] - xs[low])
    above = rounded(rounded(rounded(score - xs[low]) / width) * ys[high])
    below = rounded(rounded(rounded(xs[high] - score) / width) * ys[low])
    return rounded(above + below)
