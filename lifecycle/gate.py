"""Scorecard + gates -> Verdict: may this candidate be registered for use, and why (not).

Monotone: a candidate that is better in every figure is never refused where the worse one was approved. Every reason is
a sentence with its numbers; the reasons of an approval say what was found, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle.metrics import larger_is_better
from lifecycle.spec import Gates, MetricGate, SliceGate

PARITY = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision and its reasons: what speaks against it, or, when approved, what it rests on."""

    approved: bool
    reasons: tuple[str, ...]


def decide(scorecard: Mapping[str, Any], gates: Gates, *, must_improve: bool = False) -> Verdict:
    """Return the verdict on a scorecard (docs/architecture.md section 6).

    A model that the loop asked for (`must_improve`) has to be significantly better than the live one, whatever
    `require_improvement` says: nobody waits for it, and equal models that take turns would wear everybody out.
    """
    findings = [
        _beats_dummy(scorecard),
        *(_metric(scorecard["metrics"]["winner"], gate) for gate in gates.metrics),
        *(finding for gate in gates.slices for finding in _slices(scorecard["slices"], gate)),
        _champion(scorecard, gates.require_improvement or must_improve),
        _size(scorecard["compiled"], gates),
        _parity(scorecard["compiled"]),
    ]
    against = tuple(text for passed, text in findings if not passed)
    return Verdict(approved=not against, reasons=against or tuple(text for _, text in findings))


def together(*verdicts: Verdict) -> Verdict:
    """Return one verdict of several: approved when all approve, with what speaks against it, or all it rests on."""
    against = tuple(text for verdict in verdicts if not verdict.approved for text in verdict.reasons)
    return Verdict(approved=not against, reasons=against or tuple(text for v in verdicts for text in v.reasons))


Finding = tuple[bool, str]


def _beats_dummy(scorecard: Mapping[str, Any]) -> Finding:
    metric = scorecard["objective"]["metric"]
    ours = scorecard["metrics"]["winner"].get(metric)
    dummy = scorecard["metrics"]["dummy"].get(metric)
    if ours is None or dummy is None:
        return False, f"{metric} of the candidate or of the dummy is missing"
    better = ours > dummy if larger_is_better(metric) else ours < dummy
    word = "beats" if better else "does not beat"
    return better, f"{metric} {ours:.6g} {word} the dummy's {dummy:.6g}"


def _metric(figures: Mapping[str, float | None], gate: MetricGate) -> Finding:
    found = figures.get(gate.metric)
    if found is None:
        return False, f"{gate.metric} could not be computed on the holdout, but a gate bounds it"
    if gate.min is not None and not found >= gate.min:
        return False, f"{gate.metric} {found:.6g} is below the gate's minimum {gate.min:.6g}"
    if gate.max is not None and not found <= gate.max:
        return False, f"{gate.metric} {found:.6g} is above the gate's maximum {gate.max:.6g}"
    return True, f"{gate.metric} {found:.6g} is within its gate"


def _slices(slices: list[Mapping[str, Any]], gate: SliceGate) -> list[Finding]:
    chosen = [entry for entry in slices if entry["column"] == gate.column and entry["metric"] == gate.metric]
    if not chosen:
        return [(False, f"no slice of {gate.column} by {gate.metric} was computed, but a gate bounds it")]
    findings = []
    for entry in chosen:
        if entry["rows"] < gate.min_rows:
            continue
        limit = gate.max_ratio * entry["overall"]
        if not entry["score"] <= limit:
            findings.append(
                (
                    False,
                    f"{gate.metric} where {gate.column} is {entry['value']} is {entry['score']:.6g} on {entry['rows']} "
                    f"rows, above {gate.max_ratio:g} times the overall {entry['overall']:.6g}",
                )
            )
    return findings or [(True, f"every slice of {gate.column} keeps {gate.metric} within {gate.max_ratio:g} times")]


def _champion(scorecard: Mapping[str, Any], must_improve: bool) -> Finding:
    comparison = scorecard["comparison"]
    if comparison is None:
        return True, "there is no live model to compare with"
    low, high = comparison["low"], comparison["high"]
    shown = difference_in_words(comparison, scorecard["objective"]["unit"])
    if must_improve:
        return high < 0, f"{shown}: {'a' if high < 0 else 'no'} significant improvement"
    return low <= 0, f"{shown}: {'not ' if low <= 0 else ''}significantly worse"


def difference_in_words(comparison: Mapping[str, Any], unit: str | None) -> str:
    """Return a paired comparison in the metric's own direction: its losses turned round where larger is better."""
    sign = -1 if larger_is_better(comparison["metric"]) else 1
    low, high = sorted(sign * comparison[side] for side in ("low", "high"))
    per_row = f" {unit} a row" if unit else ""
    return (
        f"{comparison['metric']} differs from the live model's by {sign * comparison['difference']:+.6g}{per_row} "
        f"({comparison['confidence']:.0%} interval {low:+.6g} to {high:+.6g}; "
        f"{'above' if sign < 0 else 'below'} 0 is better)"
    )


def _size(compiled: Mapping[str, Any], gates: Gates) -> Finding:
    size, budget = compiled["bytes"], gates.max_model_kb * 1024
    word = "within" if size <= budget else "above"
    return size <= budget, f"the compiled model has {size} bytes, {word} the budget of {budget}"


def _parity(compiled: Mapping[str, Any]) -> Finding:
    parity = compiled["parity"]
    proven = parity["rows"] > 0 and parity["worst"] <= PARITY
    word = "equals" if proven else "does not equal"
    return proven, (
        f"the compiled model {word} the fitted one on {parity['rows']} holdout rows "
        f"({parity['equal']} to the bit, worst difference {parity['worst']:.3g})"
    )
