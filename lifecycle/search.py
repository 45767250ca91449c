"""Space + seed -> trials and rungs: seeded random search with successive halving, planned before anything is trained.

All trials start on few rows; of each rung the better third (at least one) goes on to three times as many. A trial that
is left alone has nothing more to be compared with: it is trained on all rows at once. The plan is a pure function of
space, number of trials, rows and seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from random import Random
from typing import Any

KEEP = 3
FEWEST_ROWS = 3_000


@dataclass(frozen=True, slots=True)
class Rung:
    """Train `trials` of the remaining trials on `rows` training rows each."""

    rows: int
    trials: int


def plan_trials(space: Mapping[str, Sequence[Any]], trials: int, seed: int) -> list[dict[str, Any]]:
    """Return distinct settings to try, the first one being the first value of every hyperparameter.

    >>> plan_trials({"a": [1, 2]}, 5, seed=7)
    [{'a': 1}, {'a': 2}]
    """
    names = list(space)
    total = prod(len(space[name]) for name in names)
    rest = Random(seed).sample(range(1, total), min(max(trials, 1), total) - 1) if total > 1 else []  # noqa: S311
    return [_setting(space, names, place) for place in [0, *rest]]


def plan_rungs(rows: int, trials: int) -> list[Rung]:
    """Return the rungs, fewest rows first; the last one trains on all rows.

    >>> plan_rungs(54_000, 6)
    [Rung(rows=6000, trials=6), Rung(rows=18000, trials=2), Rung(rows=54000, trials=1)]
    >>> plan_rungs(54_000, 4)
    [Rung(rows=6000, trials=4), Rung(rows=54000, trials=1)]
    >>> plan_rungs(500, 6)
    [Rung(rows=500, trials=6)]
    """
    rungs: list[Rung] = []
    steps = 0
    while trials > KEEP**steps and rows // KEEP ** (steps + 1) >= FEWEST_ROWS:
        steps += 1
    left = trials
    for step in range(steps, 0, -1):
        if left > 1:
            rungs.append(Rung(rows=rows // KEEP**step, trials=left))
            left = max(1, left // KEEP)
    return [*rungs, Rung(rows=rows, trials=left)]


def survivors(losses: Mapping[int, float], keep: int) -> list[int]:
    """Return the `keep` trials with the smallest loss, best first; equal losses keep their order of number."""
    return sorted(losses, key=lambda trial: (losses[trial], trial))[:keep]


def _setting(space: Mapping[str, Sequence[Any]], names: Sequence[str], place: int) -> dict[str, Any]:
    setting = {}
    for name in names:
        place, index = divmod(place, len(space[name]))
        setting[name] = space[name][index]
    return setting
