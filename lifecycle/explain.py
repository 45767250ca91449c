"""CompiledModel + row -> how much each feature adds to the score: contributions that sum to it.

Trees: path-dependent TreeSHAP (S. Lundberg et al., "From local explanations to global understanding with explainable AI
for trees", Nature Machine Intelligence 2, 2020, algorithm 2): the Shapley values of a game in which a feature that is
not known sends a row down both branches, weighed by the training rows that went there (`cover`). Linear models: each
coefficient times its input.

What is explained is the sum that the model computes before its link: probability (forests), log-odds (boosted trees and
logistic regression), score before softmax, or the value itself. Contributions of one column's inputs (zeros and ones
of a category, parts of a time) are added up. Loaded only when somebody asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lifecycle.compiled_check_estimators import LEAF
from lifecycle.encoding import ORDINAL, width_of
from lifecycle.errors import ModelRejected
from lifecycle.packed import unpack
from lifecycle.scoring import CompiledModel
from lifecycle.trees import Walker, depth

MAX_DEPTH: Final = 400
"""Of a tree that is explained: each level is a call within a call, of which Python allows 1,000."""

EXPLAINED: Final = {
    "logistic": "log_odds",
    "logistic-float32": "log_odds",
    "softmax": "score_before_softmax",
    "softmax-float32": "score_before_softmax",
    "exp": "logarithm_of_value",
    "exp-float32": "logarithm_of_value",
    "one-vs-rest": "log_odds",
    "one-vs-rest-or-zero": "log_odds",
    "clipped": "margin",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one output is what it is: `base` (what an average row gets) plus all `contributions` is the raw output."""

    base: float
    contributions: Mapping[str, float]


class Explainer:
    """Explains rows of one model. Raises ModelRejected for a model whose file does not hold what it takes."""

    def __init__(self, model: CompiledModel) -> None:
        estimator = model.body["estimator"]
        if model.remote:
            raise ModelRejected("an endpoint serves this model: what it computes is not known here, so not explained")
        if estimator["kind"] not in ("trees", "linear"):
            raise ModelRejected(f"{estimator['kind']} models cannot be explained; linear models and trees can")
        self._model = model
        self._owners = owners(model.body["encoder"])
        self.of: str = EXPLAINED.get(estimator["link"], "value" if model.task == "regression" else "probability")
        self._trees: Trees | None = None
        if estimator["kind"] == "trees":
            outputs = len(model.classes) if model.task == "multiclass" and model.classes else 1
            self._trees = Trees(estimator, model.body["encoder"], outputs)

    def explain(self, row: Mapping[str, Any], *, typed: bool = False) -> list[Explanation]:
        """Return one explanation per output (one, or one per class); `typed` as in `CompiledModel.score`."""
        dense = self._model.encoder.expand(self._model.encode(row, typed=typed))
        found = self._trees.contributions(dense) if self._trees else _linear(self._model.body["estimator"], dense)
        return [Explanation(base=base, contributions=self._by_feature(values)) for base, values in found]

    def _by_feature(self, values: Sequence[float]) -> dict[str, float]:
        summed = dict.fromkeys(self._owners, 0.0)
        for name, value in zip(self._owners, values, strict=True):
            summed[name] += value
        return summed


def owners(encoder: Mapping[str, Any]) -> list[str]:
    """Return, per input of the estimator, the feature that it comes from."""
    spread = encoder["layout"] != ORDINAL
    names: list[str] = []
    for entry in encoder["inputs"]:
        wide = len(entry["categories"]) if spread and entry["as"] == "category" else width_of(entry)
        names += [entry["feature"]] * wide
    return names


def _linear(estimator: Mapping[str, Any], dense: Sequence[float]) -> list[tuple[float, list[float]]]:
    return [
        (intercept, [weight * value for weight, value in zip(weights, dense, strict=True)])
        for weights, intercept in zip(estimator["coefficients"], estimator["intercept"], strict=True)
    ]


Path = tuple[list[int], list[float], list[float], list[float]]
"""The features on the way to a node; each one's share of rows when unknown, whether the row goes here (1 or 0), and
the weights of the subsets of each size."""

EMPTY: Final[Path] = ([], [], [], [])


class Trees:
    """Shapley values of tree ensembles. Raises ModelRejected when the file tells no usable `cover`."""

    def __init__(self, estimator: Mapping[str, Any], encoder: Mapping[str, Any], outputs: int) -> None:
        self._walker = Walker(estimator, encoder, outputs)
        self._outputs = outputs
        self._cover = unpack("f", estimator.get("cover", "")).tolist()
        if len(self._cover) != len(self._walker.feature) or not all(value > 0 for value in self._cover):
            raise ModelRejected("the model cannot be explained: its file does not say how rows divided; train it again")
        if depth(self._walker) > MAX_DEPTH:
            raise ModelRejected(
                f"the model cannot be explained: its trees are deeper than {MAX_DEPTH}; bound max_depth"
            )
        self._base = self._expected()

    def contributions(self, dense: Sequence[float]) -> list[tuple[float, list[float]]]:
        """Return per output (expected value, contribution of each input)."""
        walker, x = self._walker, self._walker.cast(dense)
        sums = [[0.0] * len(dense) for _ in range(self._outputs)]
        for number, root in enumerate(walker.roots):
            path = _extend(EMPTY, -1, 1.0, 1.0)
            self._descend(root, x, path, (sums, number % self._outputs))
        finished = [walker.finish(list(column)) for column in zip(*sums, strict=True)]
        return [(self._base[k], [column[k] for column in finished]) for k in range(self._outputs)]

    def _expected(self) -> list[float]:
        walker = self._walker
        totals = walker.baseline.copy()
        ends = [*walker.roots[1:], len(walker.feature)]
        for number, (root, end) in enumerate(zip(walker.roots, ends, strict=True)):
            for node in range(root, end):
                if walker.feature[node] == LEAF:
                    share = self._cover[node] / self._cover[root]
                    for k, value in self._leaf(node, number % self._outputs):
                        totals[k] += share * value
        return walker.finish(totals)

    def _leaf(self, node: int, output: int) -> list[tuple[int, float]]:
        walker = self._walker
        if not walker.wide:
            return [(output, walker.threshold[node])]
        start = walker.right[node] * self._outputs
        return list(enumerate(walker.leaves[start : start + self._outputs]))

    def _descend(self, node: int, x: Sequence[float], path: Path, sums: tuple[list[list[float]], int]) -> None:
        walker = self._walker
        split = walker.feature[node]
        if split == LEAF:
            self._add(node, path, sums)
            return
        left, right = node + 1, walker.right[node]
        goes_left = walker.goes_left(node, x[split])
        unknown = known = 1.0
        if split in path[0]:
            place = path[0].index(split)
            unknown, known = path[1][place], path[2][place]
            path = _unwind(path, place)
        unknown /= self._cover[node]
        for child, taken in ((left, goes_left), (right, not goes_left)):
            below = _extend(path, split, unknown * self._cover[child], known if taken else 0.0)
            self._descend(child, x, below, sums)

    def _add(self, leaf: int, path: Path, sums: tuple[list[list[float]], int]) -> None:
        features, unknown, known, _ = path
        values = self._leaf(leaf, sums[1])
        for place in range(1, len(features)):
            weight = sum(_unwound(path, place)) * (known[place] - unknown[place])
            for k, value in values:
                sums[0][k][features[place]] += weight * value


def _extend(above: Path, feature: int, unknown: float, known: float) -> Path:
    """Return the path with one more feature; the weights of all subset sizes are brought up to date."""
    length = len(above[0])
    weights = [*above[3], 0.0 if length else 1.0]
    for i in range(length - 1, -1, -1):
        weights[i + 1] += known * weights[i] * (i + 1) / (length + 1)
        weights[i] *= unknown * (length - i) / (length + 1)
    return [*above[0], feature], [*above[1], unknown], [*above[2], known], weights


def _unwind(path: Path, place: int) -> Path:
    """Return the path without the feature at `place`: the reverse of `_extend`."""
    kept = [[*part[:place], *part[place + 1 :]] for part in path[1:3]]
    return [*path[0][:place], *path[0][place + 1 :]], kept[0], kept[1], _unwound(path, place)


def _unwound(path: Path, place: int) -> list[float]:
    """Return the weights as they were before the feature at `place` came in."""
    unknown, known, weights = path[1][place], path[2][place], path[3]
    last = len(weights) - 1
    if not known:
        return [weights[i] * (last + 1) / (unknown * (last - i)) for i in range(last)]
    ahead = weights[last]
    found = [0.0] * last
    for i in range(last - 1, -1, -1):
        found[i] = ahead * (last + 1) / ((i + 1) * known)
        ahead = weights[i] - found[i] * unknown * (last - i) / (last + 1)
    return found
