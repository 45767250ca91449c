"""Compiled files of every kind, and what follows a changed one: what it runs, how much it does, whether it is told."""

import ast
import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from lifecycle import compiled
from lifecycle.checksum import sha256_hex
from lifecycle.compiled_check import steps_of
from lifecycle.encoding import dense_width
from lifecycle.errors import LifecycleError, ModelRejected
from lifecycle.packed import pack
from lifecycle.scoring import CompiledModel

COLUMNS = [("size", "number"), ("place", "category"), ("at", "datetime"), ("y", "text")]
CONTRACT = {"task": "binary", "target": "y", "columns": [{"name": name, "kind": kind} for name, kind in COLUMNS]}
PLACES = {"feature": "place", "as": "category", "categories": ["a", "b", "é"], "missing": 1.5}
SIZE = {"feature": "size", "as": "number"}
SCALED = {**SIZE, "fill": [0.5], "mean": [0.25], "scale": [2.0]}
PARTS = {"feature": "at", "as": "calendar", "parts": ["hour", "year"]}
ROWS = {"keys": ["a", "b"], "width": 1, "rows": pack("d", [1.0, 2.0, math.nan, 0.0])}
CHANGES = {
    "keys": pack("d", [1.0]),
    "width": 2,
    "base": pack("d", [0, 0]),
    "at": pack("i", [0, -1]),
    "value": pack("d", [1, 0]),
}
STEPS = [
    {"feature": "size", "as": "steps", "of": "number", "steps": [["fill", 2.5], ["subtract", 1.0], ["divide", 0.5]]},
    {"feature": "size", "as": "steps", "of": "number", "steps": [["required"], ["clip", 0.0, 9.0]], "required": True},
    {"feature": "at", "as": "steps", "of": "minute", "steps": [["missing"]]},
    {"feature": "place", "as": "steps", "of": "text", "steps": [], "table": ROWS, "refuses": ["other"]},
    {"feature": "size", "as": "steps", "of": "number", "steps": [], "table": CHANGES},
]


def forest(**changes: Any) -> dict[str, Any]:
    """Return two trees: size <= 1 ? (place in {0, missing} ? .1 : .2) : .3, and a lone leaf .5."""
    plain = {"kind": "trees", "link": "logistic", "baseline": [-0.5], "average": False, "float32": False}
    arrays = {
        "roots": pack("i", [0, 5]),
        "feature": pack("i", [0, 1, -1, -1, -1, -1]),
        "threshold": pack("d", [1.0, 0.0, 0.1, 0.2, 0.3, 0.5]),
        "right": pack("i", [4, 3, 0, 0, 0, 0]),
        "flags": pack("B", [1, 3, 0, 0, 0, 0]),
        "cover": pack("f", [3, 2, 1, 1, 1, 1]),
        "leaves": "",
    }
    return {**plain, **arrays, "leaf_width": 1, "sets": [[0]], **changes}


def body(inputs: list[dict[str, Any]], estimator: dict[str, Any], layout: str = "ordinal", **changes: Any) -> Any:
    plain = {"task": "binary", "family": "f", "classes": ["no", "yes"], "threshold": 0.5, "contract": CONTRACT}
    rest = {"features_sha256": None, "learned": {"place": ["a", "b"]}, "ids": {"run_id": "r"}}
    return {**plain, **rest, "encoder": {"layout": layout, "inputs": inputs}, "estimator": estimator, **changes}


def several(count: int, estimator: dict[str, Any]) -> dict[str, Any]:
    classes = [str(number) for number in range(count)]
    return body([SIZE, PLACES], estimator, task="multiclass", classes=classes, threshold=None)


def line(width: int, **changes: Any) -> dict[str, Any]:
    weights = [0.5 * place for place in range(width)]
    return {"kind": "linear", "link": "logistic", "coefficients": [weights], "intercept": [0.25], **changes}


SIGMOID = {"as": "sigmoid", "a": -2.0, "b": 0.5}
ISOTONIC = {"as": "isotonic", "x": pack("d", [0.0, 2.0]), "y": pack("d", [0.2, 0.6]), "float32": True}
WIDE = forest(leaf_width=3, baseline=[0.0] * 3, link="softmax", leaves=pack("d", [0.1, 0.2, 0.7]), average=True)
SINGLE = forest(single=True, float32=True, link="logistic-float32", flags=pack("B", [5, 3, 0, 0, 0, 0]))
MEMBERS = [{"estimator": line(6, link="identity"), "calibrators": [kind]} for kind in (SIGMOID, ISOTONIC)]
BODIES = [
    body([SIZE, PLACES], forest()),
    body([SIZE, PLACES], SINGLE),
    several(3, WIDE),
    body([SCALED, PLACES], line(4), "standard"),
    body(STEPS, line(6)),
    body(STEPS, {"kind": "calibrated", "link": "identity", "members": MEMBERS}),
    body([PARTS], line(2, link="identity"), task="regression", classes=None, threshold=None),
]
ASKED = [{"size": 1.0, "place": "a", "at": "2024-02-29T23:30:00Z"}, {"size": -1e38, "place": "\u0000"}, {"size": 2}, {}]


def signed(content: bytes, version: int = compiled.VERSION) -> bytes:
    """Return a file whose checksum is right, whatever it holds."""
    return compiled.HEAD % version + sha256_hex(content).encode() + compiled.MIDDLE + content + b"}"


def text_of(plain: Any) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Watch:
    """Audit hook (it cannot be taken out, so it rests): what the interpreter compiles, runs, opens, starts."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] | None = None
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: Any) -> None:
        if self.seen is not None and event.partition(".")[0] in SUSPICIOUS:
            self.seen.append((event, arguments))

    @contextmanager
    def watching(self) -> Iterator[list[tuple[str, Any]]]:
        self.seen = seen = []
        try:
            yield seen
        finally:
            self.seen = None


SUSPICIOUS = {
    "compile",
    "exec",
    "import",
    "open",
    "os",
    "subprocess",
    "socket",
    "ctypes",
    "pickle",
    "marshal",
    "shutil",
}
WATCH = Watch()
ALLOWED = (ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Assign, ast.AugAssign, ast.Add, ast.If, ast.Name)
ALLOWED += (ast.Load, ast.Store, ast.Compare, ast.LtE, ast.Gt, ast.In, ast.Set, ast.Constant, ast.UnaryOp, ast.USub)
ALLOWED += (ast.Not, ast.BoolOp, ast.And, ast.Or, ast.Subscript)


def check_source(source: str) -> None:
    """Fail unless a text is comparisons and additions of numbers, inputs and totals."""
    for node in ast.walk(ast.parse(source)):
        assert isinstance(node, ALLOWED), ast.dump(node)
        if isinstance(node, ast.Name):
            assert node.id in "xtf" or (node.id[0] in "xt" and node.id[1:].isdecimal()), node.id
        if isinstance(node, ast.Constant):
            assert type(node.value) in (int, float, bool), node.value


class Counter:
    """Counts loop turns and calls of Python code."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        def one_more(*_: Any) -> None:
            self.count += 1

        monitor, events = sys.monitoring, sys.monitoring.events
        monitor.use_tool_id(TOOL, "steps")
        for event in (events.JUMP, events.PY_START):
            monitor.register_callback(TOOL, event, one_more)
        monitor.set_events(TOOL, events.JUMP | events.PY_START)
        try:
            yield
        finally:
            monitor.set_events(TOOL, 0)
            monitor.free_tool_id(TOOL)


TOOL = 4  # of six; coverage and profilers take the first ones


def allowed(model: CompiledModel) -> int:
    """Return how many turns and calls a row may take: in proportion to what the checks let the file ask for."""
    plain = model.body["encoder"]
    outputs = len(model.classes or ()) if model.task == "multiclass" else 1
    steps = steps_of(model.body["estimator"], dense_width(plain), outputs)
    return 300 + 10 * (steps + dense_width(plain) + text_of(plain).count(","))


def follow(data: bytes) -> CompiledModel | None:
    """Read a file and score with it slowly and fast; None when it is refused. Fails on any other outcome."""
    with WATCH.watching() as seen:
        model = loaded(data)
        if model is not None:
            slow = [counted(model, row) for row in ASKED]
            model.accelerate()
            assert str([answers(model, row) for row in ASKED]) == str(slow)
            with suppress(ModelRejected):
                assert model.contract.columns is not None
    for event, arguments in seen:
        assert event in ("compile", "exec"), (event, arguments)
        if event == "compile":
            check_source(arguments[0] if isinstance(arguments[0], str) else arguments[0].decode())
        assert (arguments[1] if event == "compile" else arguments[0].co_filename) == "<trees>"
    return model


def loaded(data: bytes) -> CompiledModel | None:
    """Read a file; None when it is refused, in words that fit a log line."""
    try:
        return CompiledModel.load(data)
    except ModelRejected as error:
        message = str(error)
    assert len(message) < 600
    return None


def counted(model: CompiledModel, row: dict[str, Any]) -> Any:
    """Return what `answers` does; fail if it took more steps than the checks let the file ask for."""
    counter = Counter()
    with counter.counting():
        found = answers(model, row)
    assert counter.count <= allowed(model), (counter.count, allowed(model))
    return found


def answers(model: CompiledModel, row: dict[str, Any]) -> Any:
    """Return what a model answers, or the class of the error that a person would be told."""
    try:
        return model.score([row])
    except LifecycleError as error:
        return type(error)


def warm() -> None:
    """Make the product load what it loads late before anything is watched."""
    for plain in BODIES:
        model = CompiledModel.load(signed(text_of(plain).encode()))
        for row in ASKED:
            answers(model, row)
        with suppress(ModelRejected):
            assert model.contract.columns is not None
    derived = {**BODIES[0], "contract": {**CONTRACT, "derived": {"n": "number"}}}
    for damaged in (b'"\\ud800"', text_of(derived).encode()):
        assert loaded(signed(damaged)) is None
