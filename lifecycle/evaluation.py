"""Validation scores -> threshold and ranking; champion + contract -> whether the two can be compared."""

from collections.abc import Mapping, Sequence

from lifecycle.errors import TrainingFailed
from lifecycle.metrics import F1, OF_DECISIONS, as_loss
from lifecycle.spec import Contract, Decision


def choose_threshold(scores: Sequence[float], labels: Sequence[int], decision: Decision) -> float:
    """Return the probability from which on the decision is positive, chosen on validation rows.

    A fixed threshold is taken as it is; costs of a false positive and a false negative are minimised; otherwise
    `decision.metric` (default f1_score) is maximised. Between two neighbouring scores the middle is taken, so that the
    decision does not hang on a last bit; of equal thresholds the highest wins (fewest positives).

    Raises TrainingFailed when the metric is none of `metrics.OF_DECISIONS`.
    """
    if decision.threshold is not None:
        return decision.threshold
    metric = decision.metric or F1
    costs = (decision.false_positive, decision.false_negative)
    if costs == (None, None) and metric not in OF_DECISIONS:
        raise TrainingFailed(
            f"decision.metric {metric!r} cannot choose a threshold; allowed: {', '.join(OF_DECISIONS)}"
        )
    ranked = sorted(zip(scores, labels, strict=True), reverse=True)
    positives = sum(labels)
    negatives = len(ranked) - positives
    best, threshold = float("-inf"), 0.5
    hits = alarms = 0
    for place, (score, label) in enumerate(ranked):
        hits, alarms = hits + label, alarms + 1 - label
        last = place + 1 == len(ranked)
        below = 0.0 if last else ranked[place + 1][0]
        if below == score and not last:
            continue
        if costs == (None, None):
            worth = _worth(metric, hits, alarms, positives, negatives)
        else:
            worth = -((costs[0] or 0.0) * alarms + (costs[1] or 0.0) * (positives - hits))
        if worth > best:
            middle = (score + below) / 2
            best, threshold = worth, middle if middle > below else score
    if costs != (None, None) and ranked and ranked[0][0] < 1.0 and -(costs[1] or 0.0) * positives >= best:
        # calling nothing positive is cheapest; 1.0 is the highest threshold there is
        threshold = 1.0
    return min(max(threshold, 0.0), 1.0)


def ranking(figures: Mapping[str, float | None], metric: str) -> list[str]:
    """Return family names, best validation figure first; equal ones in the order of `figures`."""
    return sorted(figures, key=lambda family: as_loss(metric, figures[family]))


def why_not_comparable(live: Contract, ours: Contract) -> str | None:
    """Return why the live model cannot score rows of our contract, or None when it can.

    It can when task, target and positive class are the same and every column that it may read still has its kind.
    """
    if (live.task, live.target, live.positive) != (ours.task, ours.target, ours.positive):
        return (
            f"the live model predicts {live.task} {live.target} ({live.positive}), "
            f"this one {ours.task} {ours.target} ({ours.positive})"
        )
    for column in live.inputs:
        now = ours.by_name.get(column.name)
        needed = column.feature or live.derived
        if needed and (now is None or now.name in (ours.target, ours.weight)):
            return f"the live model reads column {column.name!r}, which the contract no longer has"
        if needed and now is not None and now.kind is not column.kind:
            return f"the live model reads {column.name!r} as {column.kind}, the contract now says {now.kind}"
    return None


def _worth(metric: str, hits: int, alarms: int, positives: int, negatives: int) -> float:
    if metric == F1:
        return 2 * hits / (hits + alarms + positives) if hits else 0.0
    correct_rejections = negatives - alarms
    if metric == "accuracy_score":
        return (hits + correct_rejections) / (positives + negatives)
    return (hits / positives if positives else 0.0) + (correct_rejections / negatives if negatives else 0.0)
