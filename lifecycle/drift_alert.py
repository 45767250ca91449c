"""Reference + counts of a window + what was known before -> which features drifted, with every number.

An alert that means nothing teaches people to ignore alerts, so a feature drifts only if three things hold: chance does
not explain what is seen (all features and the score together raise a false alarm in at most `false_alarms` of windows:
Holm's correction), it is large enough to matter, and it lasts (`lifecycle.hysteresis`). What matters is more than the
owner's limit, more than `MARGIN` times what windows of the training rows did themselves (rows of one day share its
weather: no test of independent rows is right about them), and larger for a feature that the model hardly uses; one
that it does not use never alerts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from lifecycle.column_drift import FEW, Moved, compare
from lifecycle.hysteresis import Streaks
from lifecycle.monitoring import Monitoring
from lifecycle.reference import ColumnReference, Reference
from lifecycle.tally import ColumnTally, Tally

SEVEREST: Final = 100.0
"""Severities end here: a hundred times what is allowed is as bad as it gets."""
MARGIN: Final = 2.0
"""A window may swing so many times as far as the farthest of the training rows' own windows."""
ALL_GONE: Final = 0.95
"""No limit is above this share of the farthest that values can be, or of all values missing."""
SCORE: Final = "score"
NO_STREAKS: Final = Streaks()


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """What is remembered between windows, bound to one reference. `drop` is the last confirmed loss of quality."""

    reference: str = ""
    features: Streaks = NO_STREAKS
    score: Streaks = NO_STREAKS
    quality: Streaks = NO_STREAKS
    drop: float = 0.0

    def bound_to(self, reference: Reference) -> "AlertState":
        """Return this state, or a new one when it was about another reference."""
        mine = reference.reference_id
        return self if self.reference == mine else AlertState(reference=mine)

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        streaks = {"features": self.features, "score": self.score, "quality": self.quality}
        plain = {name: part.to_plain() for name, part in streaks.items()}
        return {"reference": self.reference, "drop": self.drop, **plain}

    @classmethod
    def from_plain(cls, raw: Mapping[str, Any]) -> "AlertState":
        """Read JSON values; an empty object is the state before the first window."""
        if not raw:
            return cls()
        parts = {name: Streaks.from_plain(raw[name]) for name in ("features", "score", "quality")}
        return cls(reference=raw["reference"], drop=raw["drop"], **parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """One feature (or the score) in one window; see `lifecycle.column_drift.Moved` for the figures.

    Attributes
    ----------
    corrected
        The smaller of the chances of values and of missing values, corrected for all that were asked together.
    limit
        The PSI beyond chance from which on it is drift. None where nothing alerts: the model does not use it, or it
        moves on by nature (its swing says so).
    severity
        The effect (PSI beyond chance, or the rise of missing values) over its limit; 0 where chance explains it. From
        1 on it is drift in this window.
    drifted
        Whether its alert is on, after hysteresis.
    """

    name: str
    kind: str
    psi: float
    distance: float
    statistic: float
    p: float
    corrected: float
    limit: float | None
    severity: float
    missing: float
    missing_before: float
    importance: float
    drifted: bool = False

    @property
    def level(self) -> float:
        """The severity as the alert stands: at least 1 while it is on, below 1 while it is not. For metrics."""
        return max(1.0, self.severity) if self.drifted else min(0.999, self.severity)

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftVerdict:
    """Whether the window could be judged (`reason` says why not), and all features, the most severe first.

    `drifted` are the names whose alert is on; `worst` is the largest severity of a feature in this window and
    `worst_missing` the largest rise of a used feature's share of missing values.
    """

    judged: bool
    reason: str
    features: tuple[FeatureDrift, ...]
    score: FeatureDrift
    drifted: tuple[str, ...]
    worst: float
    worst_missing: float
    state: AlertState


def judge(reference: Reference, tally: Tally, rules: Monitoring, before: AlertState, *, until: str) -> DriftVerdict:
    """Return the verdict on a window.

    Parameters
    ----------
    reference
        What the live model was trained on.
    tally
        The window's rows, counted in the bins of `reference`.
    rules
        The model's `monitoring`.
    before
        The state that the last verdict left. A state of another reference is forgotten.
    until
        When the window ends (ISO 8601, UTC, always in the same form): the same window judged twice counts once.
    """
    judged = tally.rows >= rules.min_rows
    reason = "" if judged else f"{tally.rows} rows in the window, {rules.min_rows} are needed (monitoring.min_rows)"
    features, score = _in_this_window(reference, tally, rules)
    state = before.bound_to(reference)
    if judged:
        bad = {each.name: each.severity >= 1.0 for each in features}
        lasting = {"confirm": rules.confirm, "clear": rules.clear}
        state = replace(
            state,
            features=state.features.after(bad, until, **lasting),
            score=state.score.after({SCORE: score.severity >= 1.0}, until, **lasting),
        )
    else:
        features, score = [replace(each, severity=0.0) for each in features], replace(score, severity=0.0)
    on = state.features.on
    shown = sorted((replace(each, drifted=each.name in on) for each in features), key=_most_severe_first)
    used = [each for each in shown if each.limit is not None]
    return DriftVerdict(
        judged=judged,
        reason=reason,
        features=tuple(shown),
        score=replace(score, drifted=bool(state.score.on)),
        drifted=tuple(each.name for each in shown if each.drifted),
        worst=max((each.severity for each in shown), default=0.0),
        worst_missing=max((max(0.0, each.missing - each.missing_before) for each in used), default=0.0),
        state=state,
    )


def holm(chances: Sequence[float]) -> list[float]:
    """Return chances corrected for being asked together (Holm): any at or below a level is a false alarm in at most
    that share of cases, however the questions hang together.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, largest = [1.0] * len(chances), 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        largest = max(largest, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = largest
    return corrected


def _in_this_window(reference: Reference, tally: Tally, rules: Monitoring) -> tuple[list[FeatureDrift], FeatureDrift]:
    used = sum(column.importance > 0 for column in reference.columns.values())
    asked = [(SCORE, reference.scores, tally.scores, 1.0)]
    for name, column in reference.columns.items():
        counted = tally.columns.get(name) or ColumnTally.empty(column)
        asked.append((name, column, counted, min(1.0, column.importance * used)))
    enough = min(FEW, rules.min_rows)
    moved = [compare(column, counted) for _, column, counted, _ in asked]
    moved = [each if each.present >= enough else replace(each, p=1.0) for each in moved]
    weights = [weight for *_, weight in asked]
    chances = [chance for each, weight in zip(moved, weights, strict=True) if weight for chance in _chances(each)]
    corrected = iter(holm(chances))
    found = []
    for (name, column, _, weight), each in zip(asked, moved, strict=True):
        pair = (next(corrected), next(corrected)) if weight else _chances(each)
        found.append(_drift(name, column, each, pair, weight, rules))
    return found[1:], found[0]


def _chances(moved: Moved) -> tuple[float, float]:
    return moved.p, moved.p_missing


def _drift(
    name: str, column: ColumnReference, moved: Moved, corrected: tuple[float, float], weight: float, rules: Monitoring
) -> FeatureDrift:
    limit = emptier = None
    if weight:
        limit = _limit(rules.min_psi, weight, column.swing, moved.farthest)
        emptier = _limit(rules.max_missing, weight, column.missing_swing, 1.0 - moved.missing_before)
    shifted = _over(moved.excess, limit) if corrected[0] <= rules.false_alarms else 0.0
    emptied = _over(moved.rise, emptier) if corrected[1] <= rules.false_alarms else 0.0
    return FeatureDrift(
        name=name,
        kind=column.kind,
        psi=moved.psi,
        distance=moved.distance,
        statistic=moved.statistic,
        p=min(_chances(moved)),
        corrected=min(corrected),
        limit=limit,
        severity=max(shifted, emptied),
        missing=moved.missing,
        missing_before=moved.missing_before,
        importance=column.importance,
    )


def _limit(allowed: float, weight: float, swing: float, farthest: float) -> float | None:
    """Return the effect from which on it is drift, or None where windows went as far when all was well."""
    if swing >= ALL_GONE:
        return None
    return min(max(allowed, MARGIN * swing * farthest) / weight, ALL_GONE * farthest)


def _over(effect: float, limit: float | None) -> float:
    if effect <= 0.0 or limit is None:
        return 0.0
    return min(SEVEREST, effect / limit) if limit > effect / SEVEREST else SEVEREST


def _most_severe_first(each: FeatureDrift) -> tuple[float, float, str]:
    return -each.severity, -each.psi, each.name
