"""Checked tree arrays + model inputs -> sums of leaf values, walked node by node or by a function made from them.

Nodes are stored depth first: the left child of node i is i + 1, `right[i]` names the other. A value goes left when it
is <= the threshold, or (category split) when its code is in the node's set; a missing one goes where the node says.
Sums run in the order of the trees, and are rounded to float32 after each one where the library does so (`single`), so
that they equal the library's to the bit.

`Walker` interprets the arrays: nothing to prepare, right for a cold start. `faster` writes the same trees as Python
source (from checked numbers only: indices, float literals by `repr`) and compiles it: several times faster per row, for
some milliseconds per thousand nodes once.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from math import isnan

from lifecycle.compiled_check_estimators import CATEGORICAL, LEAF, MISSING_LEFT, ZERO_IS_MISSING
from lifecycle.encoding import missing_codes
from lifecycle.packed import unpack

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Sums = Callable[[Sequence[float]], list[float]]

ALMOST_ZERO = 1.0000000180025095e-35  # LightGBM's 1e-35f, as float64
MAX_NODES = 20_000
MAX_DEPTH = 80
NODES_PER_FUNCTION = 8_000
MAX_NUMBERS = 200_000
"""Numbers in the source text: a file can name one category set, or the leaf values of many classes, at every node."""


class Walker:
    """Sums the leaf values that a row reaches in every tree."""

    def __init__(self, estimator: Mapping[str, Any], encoder: Mapping[str, Any], outputs: int) -> None:
        self.feature: list[int] = unpack("i", estimator["feature"]).tolist()
        self.right: list[int] = unpack("i", estimator["right"]).tolist()
        self.threshold: list[float] = unpack("d", estimator["threshold"]).tolist()
        self.flags: bytes = unpack("B", estimator["flags"]).tobytes()
        self.roots: list[int] = unpack("i", estimator["roots"]).tolist()
        self.leaves: list[float] = unpack("d", estimator["leaves"]).tolist()
        self.wide: bool = estimator["leaf_width"] > 1
        self.average: bool = estimator["average"]
        self.float32: bool = estimator["float32"]
        self.single: bool = estimator.get("single", False)
        self.baseline: list[float] = [float(value) for value in estimator["baseline"]]
        self.outputs = outputs
        self.sets = [frozenset(codes) for codes in estimator["sets"]]
        self.missing = missing_codes(encoder)

    def sums(self, inputs: Sequence[float]) -> list[float]:
        """Return one raw value per output (averaged over the trees when the model says so)."""
        x = self.cast(inputs)
        totals = array("f", self.baseline) if self.single else self.baseline.copy()
        for number, root in enumerate(self.roots):
            leaf = self._leaf(root, x)
            if self.wide:
                start = self.right[leaf] * self.outputs
                for k in range(self.outputs):
                    totals[k] += self.leaves[start + k]
            else:
                totals[number % self.outputs] += self.threshold[leaf]
        return self.finish(totals.tolist() if isinstance(totals, array) else totals)

    def cast(self, inputs: Sequence[float]) -> Sequence[float]:
        """Return the inputs as the estimator saw them: rounded to float32 where scikit-learn's trees do so."""
        return array("f", inputs).tolist() if self.float32 else inputs

    def finish(self, totals: list[float]) -> list[float]:
        """Return the sums, divided by the number of trees when the model averages."""
        if not self.average:
            return totals
        trees = len(self.roots) if self.wide else len(self.roots) // self.outputs
        return [total / trees for total in totals]

    def goes_left(self, node: int, value: float) -> bool:
        """Return whether `value` takes the left branch of an inner node."""
        flags = self.flags[node]
        if flags & CATEGORICAL:
            if value == self.missing[self.feature[node]]:
                return bool(flags & MISSING_LEFT)
            return value in self.sets[int(self.threshold[node])]
        if flags & ZERO_IS_MISSING and -ALMOST_ZERO <= value <= ALMOST_ZERO:
            return bool(flags & MISSING_LEFT)
        return value <= self.threshold[node] or (bool(flags & MISSING_LEFT) and isnan(value))

    def _leaf(self, node: int, x: Sequence[float]) -> int:
        feature, threshold, right, flags = self.feature, self.threshold, self.right, self.flags
        while (split := feature[node]) != LEAF:
            if not flags[node]:
                node = node + 1 if x[split] <= threshold[node] else right[node]
            else:
                node = node + 1 if self.goes_left(node, x[split]) else right[node]
        return node


def faster(walker: Walker) -> Sums | None:
    """Return a function equal to `walker.sums`, or None when the trees are too many or too deep to be worth it."""
    if len(walker.feature) > MAX_NODES or _numbers(walker) > MAX_NUMBERS or depth(walker) > MAX_DEPTH:
        return None
    groups = []
    for first, last in _groups(walker):
        source = "\n".join(_function(walker, first, last))
        scope: dict[str, Any] = {"__builtins__": {}, "f": array("f", [0.0])}
        # S102: the text consists of this module's own words, indices and float literals; tests fuzz it
        exec(compile(source, "<trees>", "exec"), scope)  # noqa: S102
        groups.append(scope["add"])

    def sums(inputs: Sequence[float]) -> list[float]:
        totals = walker.baseline.copy()
        x = walker.cast(inputs)
        for add in groups:
            add(x, totals)
        return walker.finish(totals)

    return sums


def _groups(walker: Walker) -> list[tuple[int, int]]:
    """Trees (first, last) of about NODES_PER_FUNCTION nodes each: very long functions compile slowly."""
    ends = [*walker.roots[1:], len(walker.feature)]
    groups, first = [], 0
    for tree, end in enumerate(ends):
        if end - walker.roots[first] >= NODES_PER_FUNCTION or tree == len(ends) - 1:
            groups.append((first, tree + 1))
            first = tree + 1
    return groups


def _function(walker: Walker, first: int, last: int) -> list[str]:
    ends = [*walker.roots[1:], len(walker.feature)]
    used = sorted({f for f in walker.feature[walker.roots[first] : ends[last - 1]] if f != LEAF})
    lines = ["def add(x, t):"]
    lines += [f" x{i} = x[{i}]" for i in used]
    lines += [f" t{k} = t[{k}]" for k in range(walker.outputs)]
    for tree in range(first, last):
        output = tree % walker.outputs
        _branches(walker, walker.roots[tree], " ", output, lines)
        if walker.single:
            lines += [f" f[0] = t{output}", f" t{output} = f[0]"]
    lines += [f" t[{k}] = t{k}" for k in range(walker.outputs)]
    return lines


def _branches(walker: Walker, node: int, indent: str, output: int, lines: list[str]) -> None:
    split = walker.feature[node]
    if split == LEAF:
        if walker.wide:
            start = walker.right[node] * walker.outputs
            lines += [f"{indent}t{k} += {walker.leaves[start + k]!r}" for k in range(walker.outputs)]
        else:
            lines.append(f"{indent}t{output} += {walker.threshold[node]!r}")
        return
    left, right = node + 1, walker.right[node]
    lines.append(f"{indent}if {_test(walker, node)}:")
    _branches(walker, left, indent + " ", output, lines)
    lines.append(f"{indent}else:")
    _branches(walker, right, indent + " ", output, lines)


def _test(walker: Walker, node: int) -> str:
    """The condition under which a row takes the left branch."""
    split, threshold, flags = walker.feature[node], walker.threshold[node], walker.flags[node]
    missing_left = bool(flags & MISSING_LEFT)
    if flags & CATEGORICAL:
        codes = set(walker.sets[int(threshold)])
        missing = walker.missing[split]
        members: list[float] = sorted([*codes, missing] if missing_left and missing is not None else codes)
        return f"x{split} in {{{', '.join(map(repr, members))}}}" if members else "False"
    # NaN fails every comparison: "not greater" sends it left
    test = f"not x{split} > {threshold!r}" if missing_left else f"x{split} <= {threshold!r}"
    if flags & ZERO_IS_MISSING:
        zero = f"-{ALMOST_ZERO!r} <= x{split} <= {ALMOST_ZERO!r}"
        return f"{test} or {zero}" if missing_left else f"{test} and not {zero}"
    return test


def _numbers(walker: Walker) -> int:
    """Return how many numbers the source text of the trees would hold, give or take their baseline."""
    width = walker.outputs if walker.wide else 1
    count = walker.outputs
    for split, threshold, flags in zip(walker.feature, walker.threshold, walker.flags, strict=True):
        if split == LEAF:
            count += width
        else:
            count += len(walker.sets[int(threshold)]) if flags & CATEGORICAL else 1
    return count


def depth(walker: Walker) -> int:
    """Return how many splits lie above the deepest leaf."""
    deepest = 0
    for start, end in pairwise([*walker.roots, len(walker.feature)]):
        depths = [0] * (end - start)
        for node in range(start, end):
            if walker.feature[node] != LEAF:
                below = depths[node - start] + 1
                depths[node + 1 - start] = depths[walker.right[node] - start] = below
        deepest = max(deepest, *depths)
    return deepest
