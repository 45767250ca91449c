"""What the keys of a model.yaml say together about training, gates and serving: every contradiction, with its key."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lifecycle.families import built_in, of_task
from lifecycle.metrics import COST_LOSS, MONEY, OF_SLICES, OF_TASK
from lifecycle.names import FAMILY_NAME_LENGTH
from lifecycle.objective import ALLOWED, Money
from lifecycle.schema import Task
from stacks.candidate_names import family_of
from stacks.jobs import STARTUP_MINUTES
from stacks.model_assets import ESTIMATORS
from stacks.model_file import CandidateKeys, ModelFile
from stacks.python_file import functions_of
from stacks.training_machine import AT_ONCE, LIMIT_SECONDS
from stacks.yaml_file import Problem

FAMILY = re.compile(r"[a-z][a-z0-9-]*")


def plan_problems(written: ModelFile, folder: Path) -> Iterator[Problem]:
    """Yield every problem of split, candidates, training, objective, gates, monitoring and serving."""
    yield from _split(written)
    yield from _candidates(written, folder)
    yield from _training(written)
    yield from _decision(written)
    yield from _objective(written)
    yield from _monitoring(written)
    yield from _gates(written)
    yield from _replay(written)
    yield from _serving(written)


def _split(written: ModelFile) -> Iterator[Problem]:
    split = written.split
    if split.holdout + split.validation >= 0.9:
        total = f"{split.holdout + split.validation:g}"
        yield Problem("split", f"holdout and validation together must stay below 0.9 of the rows, found {total}")
    if split.by == "hash" and split.gap_days:
        yield Problem("split.gap_days", "is for `by: time`; a split by hash knows no time")
    if split.by == "time" and split.key is not None:
        yield Problem("split.key", "is for `by: hash`; a split by time takes the key `time`")


def _candidates(written: ModelFile, folder: Path) -> Iterator[Problem]:
    if written.candidates is None:
        return
    if not written.candidates:
        yield Problem("candidates", "is empty; leave the key out to train the usual families of the task")
    for number, entry in enumerate(written.candidates):
        key = f"candidates.{number}"
        if (entry.family is None) == (entry.estimator is None):
            yield Problem(key, "needs either `family` (built in) or `estimator` (estimators:<function>)")
        elif entry.estimator is not None:
            yield from _estimator(entry.estimator, folder, key)
        elif entry.family not in of_task(written.task):
            allowed = ", ".join(of_task(written.task))
            yield Problem(key, f"families for task {written.task}: {allowed}; found {entry.family!r}")
    yield from _repeated(written.candidates)


def _repeated(candidates: list[CandidateKeys]) -> Iterator[Problem]:
    for family, times in Counter(family_of(entry) for entry in candidates).items():
        if family and times > 1:
            yield Problem("candidates", f"has {family!r} {times} times; put all values to try under one `search`")


def _estimator(text: str, folder: Path, key: str) -> Iterator[Problem]:
    module, _, function = text.partition(":")
    family = family_of(CandidateKeys(estimator=text))
    if module != "estimators" or not function.isidentifier():
        yield Problem(key, f"must be estimators:<function>, a function of estimators.py; found {text!r}")
        return
    if not FAMILY.fullmatch(family) or len(family) > FAMILY_NAME_LENGTH:
        yield Problem(key, f"the function's name must have at most {FAMILY_NAME_LENGTH} letters, found {function!r}")
    file = folder / ESTIMATORS
    if not file.is_file():
        yield Problem(key, f"{file} does not exist")
        return
    found, problem = functions_of(file)
    if problem or function not in found:
        yield Problem(
            key, problem or f"{file} has no function {function}(); it has {', '.join(sorted(found)) or 'none'}"
        )


def _training(written: ModelFile) -> Iterator[Problem]:
    allowed = OF_TASK[written.task]
    metric = written.training.metric
    if metric is not None and metric not in allowed:
        yield Problem("training.metric", f"metrics of task {written.task}: {', '.join(allowed)}; found {metric!r}")
    families = len(written.candidates) if written.candidates else len(built_in(written.task))
    minutes = (math.ceil(families / AT_ONCE) + 1) * (written.training.max_minutes + STARTUP_MINUTES)
    if minutes * 60 > LIMIT_SECONDS:
        text = (
            f"{families} families, {AT_ONCE} at a time, and the evaluation could take {minutes / 60:.0f} hours; a run "
            f"has {LIMIT_SECONDS // 3600}. Use fewer families or fewer minutes"
        )
        yield Problem("training.max_minutes", text)


def _decision(written: ModelFile) -> Iterator[Problem]:
    decision = written.decision
    costs = (decision.false_positive, decision.false_negative)
    ways = [decision.metric is not None, decision.threshold is not None, costs != (None, None)]
    if any(ways) and written.task is not Task.BINARY:
        yield Problem("decision", f"is for task binary; this task is {written.task}")
    elif sum(ways) > 1:
        yield Problem("decision", "takes one of: metric, threshold, or the costs false_positive and false_negative")
    elif ways[2] and None in costs:
        yield Problem("decision", "needs both costs: false_positive and false_negative")


def _objective(written: ModelFile) -> Iterator[Problem]:
    metric, money = written.objective.metric, written.objective.money
    allowed = ALLOWED[written.task]
    if metric is not None and metric not in allowed:
        text = f"of task {written.task}: {', '.join(allowed)}, means over rows; others may be gates; found {metric!r}"
        yield Problem("objective.metric", text)
    if money is None:
        if metric == MONEY:
            yield Problem("objective.money", "is missing: money_score needs what outcomes are worth")
        return
    if written.task is not Task.BINARY:
        yield Problem("objective.money", f"is for task binary; this task is {written.task}")
    elif metric not in (None, MONEY):
        yield Problem("objective.metric", f"is money_score where money is given, found {metric!r}")
    elif min(Money(**money.model_dump()).costs) <= 0:
        text = "must pay: true_positive above false_negative, and true_negative above false_positive"
        yield Problem("objective.money", text)


def _monitoring(written: ModelFile) -> Iterator[Problem]:
    if written.monitoring.every_minutes > written.monitoring.window_hours * 60:
        text = "must not be longer than window_hours: rows between two windows would never be looked at"
        yield Problem("monitoring.every_minutes", text)
    if written.retraining.learn_from_feedback and not written.monitoring.prediction_log:
        text = "needs the prediction log: leave `monitoring: {prediction_log: false}` out"
        yield Problem("retraining.learn_from_feedback", text)


def _gates(written: ModelFile) -> Iterator[Problem]:
    allowed, sliced = OF_TASK[written.task], OF_SLICES[written.task]
    for number, gate in enumerate(written.gates.metrics):
        key = f"gates.metrics.{number}"
        if gate.metric not in allowed:
            text = f"metrics of task {written.task}: {', '.join(allowed)}; found {gate.metric!r}"
            yield Problem(f"{key}.metric", text)
        if gate.min is None and gate.max is None:
            yield Problem(key, "needs min or max")
        if gate.metric == COST_LOSS and written.decision.false_positive is None:
            yield Problem(f"{key}.metric", "cost_loss needs decision: {false_positive: ..., false_negative: ...}")
        if gate.metric == MONEY and written.objective.money is None:
            yield Problem(f"{key}.metric", "money_score needs objective: {money: {unit: ..., true_positive: ...}}")
    for number, slice_gate in enumerate(written.gates.slices):
        if slice_gate.metric not in sliced:
            text = f"metrics of slices for task {written.task}: {', '.join(sliced)}; found {slice_gate.metric!r}"
            yield Problem(f"gates.slices.{number}.metric", text)


def _replay(written: ModelFile) -> Iterator[Problem]:
    gate = written.gates.replay
    if gate is None:
        return
    if not written.monitoring.prediction_log:
        yield Problem("gates.replay", "needs the prediction log: leave `monitoring: {prediction_log: false}` out")
    if written.task is Task.REGRESSION and gate.max_changed_decisions is not None:
        yield Problem("gates.replay.max_changed_decisions", "is for tasks that decide; a value is no decision")
    if gate.max_changed_decisions is None and gate.max_mean_difference is None:
        needed = "max_mean_difference" + ("" if written.task is Task.REGRESSION else " or max_changed_decisions")
        yield Problem("gates.replay", f"needs {needed}")


def _serving(written: ModelFile) -> Iterator[Problem]:
    serving = written.serving
    given = serving.jwt_issuer is not None or bool(serving.jwt_audience) or bool(serving.jwt_scopes)
    if serving.auth != "jwt" and given:
        wanted = "must be jwt when jwt_issuer, jwt_audience or jwt_scopes is given"
        yield Problem("serving.auth", f"{wanted}, found {serving.auth!r}")
    if serving.auth == "jwt":
        if not (serving.jwt_issuer or "").startswith("https://"):
            yield Problem("serving.jwt_issuer", f"must be an https address, found {serving.jwt_issuer!r}")
        if not serving.jwt_audience:
            yield Problem("serving.jwt_audience", "needs at least one audience")
