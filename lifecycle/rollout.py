"""What two arms of a rollout did -> promote, next step, hold or roll back, with reasons and every number.

The live version is the yardstick: a release is not asked to be perfect, only not to be worse than what it replaces. An
arm's traffic is counted from what was really logged, since alias weights are only probabilities.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lifecycle.significance import Difference, Sample, chance_of_more, of_classes, of_numbers

TIMED_CALLS: Final = 20  # fewer calls say nothing about durations: the first ones of an environment are slower
SLOWER_MS: Final = 20.0  # a difference that nobody notices is none, whatever its ratio
UNANSWERED: Final = 0.1  # share by which a release may refuse more requests than the live version
PERCENT: Final = 100
NO_SCORES: Final = Sample()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """`serving.rollout` of model.yaml. `steps` in percent of traffic; no steps is all at once.

    `min_rows` is what each arm must have logged before its behaviour counts as seen; `max_holds` how often a step is
    prolonged for want of it. `significance` is the chance of a false alarm over the whole rollout.
    """

    steps: tuple[int, ...] = (10, 50)
    step_minutes: int = 5
    bake_minutes: int = 60
    min_rows: int = 100
    max_holds: int = 2
    significance: float = 0.01
    max_extra_failures: float = 0.002
    max_duration_ratio: float = 2.0
    max_score_distance: float = 0.4

    @property
    def looks(self) -> int:
        """How often the rollout may be judged at most."""
        return max(1, len(self.steps) * (self.max_holds + 1))

    @property
    def longest_seconds(self) -> int:
        """How long all steps with all their holds take."""
        return self.looks * self.step_minutes * 60 if self.steps else 0

    def weight(self, step: int) -> float:
        """Return the share of traffic of a step (0 to 1)."""
        return self.steps[step] / PERCENT


CANARY: Final = Rollout()
ALL_AT_ONCE: Final = Rollout(steps=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What one version did since the rollout began.

    `invocations`, `errors` and `duration_ms` (mean) are Lambda's own: errors are what never answered (raised, timed
    out, out of memory). `rows`, `requests` and `failures` (5xx that our code answered) were read in the log.
    """

    version: str
    invocations: int = 0
    errors: int = 0
    duration_ms: float | None = None
    rows: int = 0
    requests: int = 0
    failures: int = 0
    scores: Sample = NO_SCORES

    @property
    def bad(self) -> int:
        """Requests without a useful answer."""
        return self.errors + self.failures

    @property
    def tried(self) -> int:
        """Requests; metrics and log arrive on different ways, so whichever knows more counts."""
        return max(self.invocations, self.requests + self.bad)

    def to_plain(self) -> dict[str, Any]:
        """Return the numbers for the ledger."""
        return {
            "version": self.version,
            "invocations": self.invocations,
            "errors": self.errors,
            "duration_ms": self.duration_ms if self.duration_ms is None else round(self.duration_ms, 3),
            "rows": self.rows,
            "requests": self.requests,
            "failures": self.failures,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Both arms; whether predictions are logged at all; whether the probe of the new version was answered right."""

    new: Arm
    live: Arm
    logged: bool = True
    classes: bool = False
    probed: bool = True


class Action(StrEnum):
    """What comes next."""

    PROMOTE = "promote"
    NEXT = "next step"
    HOLD = "hold"
    ROLL_BACK = "roll back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision on step `step` after `held` prolongations, why, and what it was made from."""

    action: Action
    reasons: tuple[str, ...]
    numbers: Mapping[str, Any] = field(default_factory=dict)


def judge(policy: Rollout, step: int, held: int, evidence: Evidence) -> Verdict:
    """Return what comes after step number `step` (from 0) that was prolonged `held` times.

    A fault is acted on whenever it is beyond chance, however few requests there were; going on needs traffic, or, when
    none came, the probe.
    """
    limit = policy.significance / policy.looks
    numbers: dict[str, Any] = {
        "new": evidence.new.to_plain(),
        "live": evidence.live.to_plain(),
        "step": step,
        "held": held,
        "limit": limit,
    }
    faults = [
        *_failing(policy, evidence, limit, numbers),
        *_refusing(evidence, limit, numbers),
        *_slow(policy, evidence, numbers),
        *_strange(policy, evidence, limit, numbers),
    ]
    if not evidence.probed:
        faults.append("the probe of recorded rows was not answered as it must be")
    if faults:
        return Verdict(action=Action.ROLL_BACK, reasons=tuple(faults), numbers=numbers)
    seen = _seen(evidence)
    if seen < policy.min_rows and held < policy.max_holds:
        reason = f"{seen} rows seen in the arm with fewer; {policy.min_rows} are needed"
        return Verdict(action=Action.HOLD, reasons=(reason,), numbers=numbers)
    onwards = Action.NEXT if step + 1 < len(policy.steps) else Action.PROMOTE
    if seen < policy.min_rows:
        reason = f"{seen} of {policy.min_rows} rows after {held + 1} looks: too little traffic, so the probe decides"
    else:
        reason = f"{evidence.new.rows} rows are no worse than the live version's {evidence.live.rows}"
    return Verdict(action=onwards, reasons=(reason,), numbers=numbers)


def _seen(evidence: Evidence) -> int:
    arms = (evidence.new, evidence.live)
    return min(arm.rows if evidence.logged else arm.tried for arm in arms)


def _failing(policy: Rollout, evidence: Evidence, limit: float, numbers: dict[str, Any]) -> list[str]:
    new, live = evidence.new, evidence.live
    p = chance_of_more(new.bad, new.tried, live.bad, live.tried)
    rates = _rate(new.bad, new.tried), _rate(live.bad, live.tried)
    numbers["failing"] = {"new": rates[0], "live": rates[1], "p": p}
    if p >= limit or rates[0] - rates[1] <= policy.max_extra_failures:
        return []
    return [
        f"{new.bad} of {new.tried} requests failed ({new.errors} without any answer); of the live version's "
        f"{live.bad} of {live.tried} (p = {p:.2g})"
    ]


def _refusing(evidence: Evidence, limit: float, numbers: dict[str, Any]) -> list[str]:
    """A release that refuses what the live version scores fails nothing and logs nothing: it is seen by what lacks."""
    if not evidence.logged:
        return []
    new, live = evidence.new, evidence.live
    silent = tuple(max(0, arm.invocations - arm.requests - arm.bad) for arm in (new, live))
    tried = tuple(max(arm.invocations, count) for arm, count in zip((new, live), silent, strict=True))
    p = chance_of_more(silent[0], tried[0], silent[1], tried[1])
    rates = _rate(silent[0], tried[0]), _rate(silent[1], tried[1])
    numbers["unanswered"] = {"new": rates[0], "live": rates[1], "p": p}
    if p >= limit or rates[0] - rates[1] <= UNANSWERED:
        return []
    return [
        f"{silent[0]} of {tried[0]} calls scored no row, of the live version's {silent[1]} of {tried[1]} "
        f"(p = {p:.2g}): it refuses what the live version takes"
    ]


def _slow(policy: Rollout, evidence: Evidence, numbers: dict[str, Any]) -> list[str]:
    new, live = evidence.new, evidence.live
    if new.duration_ms is None or live.duration_ms is None or min(new.invocations, live.invocations) < TIMED_CALLS:
        return []
    ratio = new.duration_ms / max(live.duration_ms, 0.001)
    numbers["duration_ratio"] = round(ratio, 4)
    if ratio <= policy.max_duration_ratio or new.duration_ms - live.duration_ms <= SLOWER_MS:
        return []
    return [f"it takes {new.duration_ms:.1f} ms, {ratio:.1f} times the live version's {live.duration_ms:.1f} ms"]


def _strange(policy: Rollout, evidence: Evidence, limit: float, numbers: dict[str, Any]) -> list[str]:
    compare = of_classes if evidence.classes else of_numbers
    found: Difference = compare(evidence.new.scores, evidence.live.scores)
    numbers["scores"] = {
        "distance": round(found.distance, 6),
        "p": found.p,
        "where": found.where,
        "requests": [round(size, 3) for size in found.sizes],
    }
    if found.p >= limit or found.distance <= policy.max_score_distance:
        return []
    return [f"its scores differ from the live version's by {found.distance:.2f} {found.where} (p = {found.p:.2g})"]


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
