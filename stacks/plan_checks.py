"""What the keys of a model.yaml say together about training, gates and serving: every contradiction, with its key."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lifecycle.families import built_in, of_task
from lifecycle.metrics import COST_LOSS, OF_SLICES, OF_TASK
from lifecycle.names import FAMILY_NAME_LENGTH
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
    """Yield every problem of split, candidates, training, decision, gates and serving."""
    yield from _split(written)
    yield from _candidates(written, folder)
    yield from _training(written)
    yield from _decision(written)
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
