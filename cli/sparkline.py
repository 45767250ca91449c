"""Values in a row -> one line of blocks for a terminal."""

from collections.abc import Sequence
from math import isfinite
from typing import Final

BLOCKS: Final = "▁▂▃▄▅▆▇█"
GAP: Final = "·"
WIDTH: Final = 48


def sparkline(values: Sequence[float | None], *, scale: Sequence[float] = (), width: int = WIDTH) -> str:
    """Return a block a value, the newest `width` of them; a dot where there is none.

    The lowest and the highest block stand for the smallest and the largest value, those of `scale` counted in.

    >>> sparkline([1.0, None, 2.0, 3.0])
    '▁·▅█'
    >>> sparkline([0.5, 0.5], scale=(0.0, 1.0))
    '▅▅'
    """
    shown = [value if value is not None and isfinite(value) else None for value in values[-width:]]
    known = [*scale, *(value for value in shown if value is not None)]
    low, high = min(known, default=0.0), max(known, default=0.0)
    reach = (high - low) or 1.0
    steps = len(BLOCKS) - 1
    return "".join(GAP if value is None else BLOCKS[round((value - low) / reach * steps)] for value in shown)
