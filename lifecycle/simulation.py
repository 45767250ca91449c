"""Rows answered by a frozen and by the live model -> what a simulated span of time brought, month by month.

Intervals are those of a bootstrap over whole days, the same days for both models: rows of one day share their weather
and their delays, so they count less than as many rows drawn one by one.
"""

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from lifecycle.objective import Objective
from lifecycle.spec import ModelSpec, Task

DRAWS: Final = 1_000
CONFIDENCE: Final = 0.95
SEED: Final = 13
_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(slots=True)
class Day:
    """What the rows of one day (UTC, `2013-04-01`) brought: their number, and the sums of both models' losses."""

    day: str
    rows: int = 0
    frozen: float = 0.0
    renewing: float = 0.0


class Days:
    """All days of a simulation, in which the losses of answered and labelled rows add up."""

    def __init__(self) -> None:
        self._days: dict[str, Day] = {}

    def add(self, at: float, frozen: float, renewing: float) -> None:
        """Count one row of epoch second `at` with its losses (`Objective.row_loss`)."""
        name = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
        day = self._days.setdefault(name, Day(name))
        day.rows += 1
        day.frozen += frozen
        day.renewing += renewing

    def in_order(self) -> list[Day]:
        """Return the days that had rows, the earliest first."""
        return [self._days[name] for name in sorted(self._days)]


def months(first: str, last: str) -> list[str]:
    """Return the months from `first` to `last`, both included.

    Raises ValueError, saying what is allowed, when one is no month or the last lies before the first.

    >>> months("2012-11", "2013-02")
    ['2012-11', '2012-12', '2013-01', '2013-02']
    """
    for name in (first, last):
        if not _MONTH.fullmatch(name):
            raise ValueError(f"{name!r} is no month; write one as 2013-04")
    if last < first:
        raise ValueError(f"the last month, {last}, lies before the first, {first}")
    count = [int(name[:4]) * 12 + int(name[5:]) - 1 for name in (first, last)]
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(count[0], count[1] + 1)]


def begin(month: str) -> float:
    """Return the first moment of a month (UTC), epoch seconds.

    >>> begin("1970-02") / 86400
    31.0
    """
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC).timestamp()


def end(month: str) -> float:
    """Return the first moment after a month.

    >>> end("1970-12") == begin("1971-01")
    True
    """
    year, number = int(month[:4]), int(month[5:])
    return begin(f"{year + number // 12:04}-{number % 12 + 1:02}")


def kept(identity: str, share: float) -> bool:
    """Return whether a sample of `share` (0 to 1) of the rows holds this one: the same rows in every simulation.

    A larger share holds all rows of a smaller one.
    """
    digest = hashlib.sha256(f"{SEED} {identity}".encode()).digest()
    return int.from_bytes(digest[:8]) < share * 2**64


def loss(spec: ModelSpec, label: Any, answer: Mapping[str, Any]) -> float:
    """Return one row's share of the objective; `label` as the typed table holds it, `answer` as the door gives it."""
    if spec.contract.task is Task.REGRESSION:
        return spec.objective.row_loss(label=label, output=answer["value"], decision=None)
    text = str(label).lower() if isinstance(label, bool) else str(label)
    if spec.contract.task is Task.BINARY:
        positive = text == spec.contract.positive
        return spec.objective.row_loss(label=positive, output=answer["probability"], decision=answer["decision"])
    return spec.objective.row_loss(label=text, output=answer["probabilities"], decision=None)


def figures(days: Sequence[Day], objective: Objective) -> dict[str, Any]:
    """Return the members `months` and `total` of a simulation's result; figures of no rows are None."""
    by_month: dict[str, list[Day]] = defaultdict(list)
    for day in days:
        by_month[day.day[:7]].append(day)
    shown = []
    for name, some in by_month.items():
        values, draws = _figures(some, objective)
        both = {key: {"value": values[key], **_interval(one[key] for one in draws)} for key in ("frozen", "renewing")}
        shown.append({"month": name, "rows": sum(day.rows for day in some), **both})
    return {"months": shown, "total": total(days, objective)}


def total(days: Sequence[Day], objective: Objective) -> dict[str, Any]:
    """Return both models' figures over all days; `difference` is renewing less frozen, `low` to `high` its interval."""
    rows = sum(day.rows for day in days)
    if not rows:
        return dict.fromkeys(("frozen", "renewing", "difference", "low", "high")) | {"rows": 0}
    values, draws = _figures(days, objective)
    return {
        "rows": rows,
        "frozen": values["frozen"],
        "renewing": values["renewing"],
        "difference": values["renewing"] - values["frozen"],
        **_interval(one["renewing"] - one["frozen"] for one in draws),
    }


def _figures(days: Sequence[Day], objective: Objective) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Both models' figures over some days, and over as many days drawn from them with replacement, many times."""
    chance = random.Random(SEED)  # noqa: S311  a bootstrap, repeated alike
    drawn = [_over(chance.choices(days, k=len(days)), objective.from_mean) for _ in range(DRAWS)]
    return _over(days, objective.from_mean), drawn


def _over(days: Sequence[Day], from_mean: Callable[[float], float]) -> dict[str, float]:
    rows = sum(day.rows for day in days)
    return {
        "frozen": from_mean(sum(day.frozen for day in days) / rows),
        "renewing": from_mean(sum(day.renewing for day in days) / rows),
    }


def _interval(values: Iterable[float]) -> Mapping[str, float]:
    ordered = sorted(values)
    cut = int(len(ordered) * (1 - CONFIDENCE) / 2)
    return {"low": ordered[cut], "high": ordered[-1 - cut]}
