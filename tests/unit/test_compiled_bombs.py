"""Files made to cost more than they weigh: memory while reading, steps and source text while scoring."""

import tracemalloc
from typing import Any

import pytest

from lifecycle import compiled, trees
from lifecycle.compiled_check import MAX_STEPS
from lifecycle.errors import ModelRejected
from lifecycle.explain import Explainer, owners
from lifecycle.packed import pack
from lifecycle.scoring import CompiledModel
from tests.unit.hostile import (
    BODIES,
    PARTS,
    PLACES,
    SIZE,
    STEPS,
    WATCH,
    body,
    follow,
    forest,
    line,
    several,
    signed,
    text_of,
    warm,
)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm()


def read_within(content: bytes, times: int) -> CompiledModel | None:
    """Read a file; fail if that takes more memory than so many times its size (and what any file takes)."""
    data = signed(content)
    tracemalloc.start()
    try:
        return CompiledModel.load(data)
    except ModelRejected:
        return None
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < times * len(data) + 500_000, f"{peak:,} bytes for a file of {len(data):,}"


BOMBS = {
    "empty lists": b"[" + b"[]," * 50_000 + b"[]]",
    "objects with a key each": b"[" + b'{"":0},' * 50_000 + b"{}]",
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"0" + b"}" * 100_000,
    "a long number": b"[" + b"9" * 300_000 + b"]",
    "many long numbers": b"[" + b",".join([b"9" * 4000] * 80) + b"]",
    "many long fractions": b"[" + b",".join([b"0." + b"3" * 4000] * 80) + b"]",
    "one long text": b'{"task":"' + b"a" * 300_000 + b'"}',
    "one wide letter makes a text four times as long": b'{"task":"' + b"a" * 300_000 + "\U0001f600".encode() + b'"}',
    "escapes": b'{"task":"' + b"\\u0001" * 50_000 + b'"}',
}


@pytest.mark.parametrize("content", BOMBS.values(), ids=BOMBS)
def test_what_is_no_model_is_refused_in_memory_that_its_size_bounds(content: bytes) -> None:
    assert read_within(content, 60) is None


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = signed(text_of(BODIES[0]).encode())
    monkeypatch.setattr(compiled, "MAX_BYTES", len(data))
    assert follow(data) is not None
    with pytest.raises(ModelRejected, match=r"bytes; at most .* are read"):
        compiled.read(data + b" ")
    monkeypatch.setattr(compiled, "MAX_BYTES", 48 * 1024 * 1024)
    with pytest.raises(ModelRejected, match=r"about 1,\d\d\d,\d\d\d values; at most 1,000,000 are read"):
        compiled.read(signed(b"[" + b"," * 1_000_000 + b"]"))


def balanced(depth: int, **changes: Any) -> dict[str, Any]:
    """Return a full tree that splits the category at every node, by one set that all nodes share."""
    feature: list[int] = []
    right: list[int] = []

    def grow(left: int) -> None:
        place = len(feature)
        feature.append(1 if left else -1)
        right.append(0)
        if left:
            grow(left - 1)
            right[place] = len(feature)
            grow(left - 1)

    grow(depth)
    flags = [2 if split == 1 else 0 for split in feature]
    arrays = {"feature": pack("i", feature), "right": pack("i", right), "flags": pack("B", flags)}
    return forest(roots=pack("i", [0]), threshold=pack("d", [0.0] * len(feature)), cover="", **arrays, **changes)


def test_leaves_that_all_trees_share_are_refused_when_they_ask_for_too_many_steps() -> None:
    lone = {"feature": [-1], "right": [0], "flags": [0], "threshold": [0.0]}
    codes = {"feature": "i", "right": "i", "flags": "B", "threshold": "d"}
    for count, fits in ((3000, True), (7000, False)):
        arrays: dict[str, Any] = {name: pack(codes[name], values * count) for name, values in lone.items()}
        leaves = {"leaf_width": 3000, "leaves": pack("d", [0.0] * 3000), "baseline": [0.0] * 3000}
        plain = several(3000, forest(roots=pack("i", range(count)), link="softmax", **leaves, **arrays))
        content = text_of(plain).encode()
        assert len(content) < 400_000
        if fits:
            assert CompiledModel.load(signed(content)).task == "multiclass"
        else:
            with pytest.raises(ModelRejected, match=f"steps; at most {MAX_STEPS:,} are allowed"):
                CompiledModel.load(signed(content))


def test_members_that_all_spread_out_a_long_list_of_categories_are_refused() -> None:
    place = {**PLACES, "categories": [str(number) for number in range(250_000)]}
    member = {"estimator": forest(link="identity"), "calibrators": [{"as": "sigmoid", "a": 1.0, "b": 0.0}]}
    estimator = {"kind": "calibrated", "link": "identity", "members": [member] * 100}
    with pytest.raises(ModelRejected, match=r"may take 25,\d\d\d,\d\d\d steps"):
        CompiledModel.load(signed(text_of(body([place], estimator, "standard")).encode()))


def chain(depth: int) -> dict[str, Any]:
    """Return a tree whose left children all split once more."""
    feature = [0] * depth + [-1] * (depth + 1)
    right = [*range(2 * depth, depth, -1), *[0] * (depth + 1)]
    arrays = {"feature": pack("i", feature), "right": pack("i", right), "flags": pack("B", [0] * len(feature))}
    values = pack("d", [-float(place) for place in range(len(feature))])
    cover = pack("f", [1.0] * len(feature))
    return forest(roots=pack("i", [0]), threshold=values, link="identity", cover=cover, **arrays)


@pytest.mark.parametrize("kind", ["shared set", "shared leaves", "deep"])
def test_trees_whose_source_would_be_far_longer_than_they_are_stay_walked(kind: str) -> None:
    if kind == "shared set":
        plain = body([SIZE, PLACES], balanced(11, sets=[list(range(0, 4000, 2))]))
    elif kind == "shared leaves":
        wide = {"leaf_width": 400, "leaves": pack("d", [0.0] * 400), "baseline": [0.0] * 400, "link": "softmax"}
        plain = several(400, balanced(11, **wide))
    else:
        plain = body([SIZE, PLACES], chain(8000))
    with WATCH.watching() as seen:
        model = CompiledModel.load(signed(text_of(plain).encode()))
        before = model.outputs([{"size": -1.0, "place": "a"}])
        model.accelerate()
    assert model.outputs([{"size": -1.0, "place": "a"}]) == before
    assert seen == []


def test_the_source_of_trees_is_no_longer_than_their_numbers_allow() -> None:
    with WATCH.watching() as seen:
        model = CompiledModel.load(signed(text_of(body([SIZE, PLACES], balanced(9, sets=[[0, 1]]))).encode()))
        model.accelerate()
    sources = [arguments[0] for event, arguments in seen if event == "compile"]
    assert 1 <= len(sources) <= 3
    assert sum(map(len, sources)) < 60 * trees.MAX_NUMBERS


def test_codes_that_all_hash_alike_are_refused() -> None:
    codes = [number * (2**61 - 1) for number in range(1, 50)]
    assert follow(signed(text_of(body([SIZE, PLACES], forest(sets=[codes]))).encode())) is None


def test_a_table_that_knows_very_many_numbers_is_refused() -> None:
    count = 10_001
    table = {"keys": pack("d", range(count)), "width": 1, "rows": pack("d", [0.0] * (count + 2))}
    entry = {"feature": "size", "as": "steps", "of": "number", "steps": [], "table": table}
    with pytest.raises(ModelRejected, match="size: a table knows more than 10,000 numbers"):
        compiled.read(signed(text_of(body([entry], line(1))).encode()))


def test_trees_too_deep_to_be_explained_are_scored_but_not_explained() -> None:
    deep, shallow = (CompiledModel.load(signed(text_of(body([SIZE, PLACES], chain(n))).encode())) for n in (401, 400))
    assert deep.outputs([{"size": 1.0}]) == [[-802.5]]
    with pytest.raises(ModelRejected, match="cannot be explained: its trees are deeper than 400"):
        Explainer(deep)
    assert Explainer(shallow).explain({"size": 1.0})[0].contributions.keys() == {"size", "place"}


def test_what_steps_make_is_explained_as_their_feature() -> None:
    assert owners({"layout": "standard", "inputs": [*STEPS, PLACES, PARTS]}) == [
        *("size", "size", "at", "place", "size", "size", "place", "place", "place", "at", "at"),
    ]
