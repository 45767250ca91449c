"""Files changed at random: each is refused or scores, within the steps that it may take, and runs no code."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import compiled
from lifecycle.packed import pack, unpack
from tests.unit.hostile import (
    BODIES,
    PLACES,
    SINGLE,
    SIZE,
    STEPS,
    WIDE,
    body,
    follow,
    forest,
    several,
    signed,
    text_of,
    warm,
)

HUGE = "9" * 4000
TOKENS = ["NaN", "-Infinity", "1e999", "-1e999", "1e-999", HUGE, "9" * 5000, "-1", "0", "-0.0", "true", "null", '""']
TOKENS += ["[]", "{}", "[[[[]]]]", '"a"', "\"__import__('os')\"", "1e308", str(2**31), str(2**63), "0.5", '"\\u0000"']
TOKENS += ['{"a":1,"a":2}', "[" * 5000 + "]" * 5000, '{"a":' * 3000 + "1" + "}" * 3000, '"\\ud800"', '"AAAA"']
NUMBERS = [0, 1, -1, 2, 3, 5, 6, 127, 255, 2**31 - 1, -(2**31), 0.5, -0.0, 1e308, -1e308, 5e-324, math.nan, math.inf]


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm()


@pytest.mark.parametrize("plain", BODIES, ids=range(len(BODIES)))
@pytest.mark.parametrize("version", compiled.READABLE)
def test_the_files_that_are_changed_below_are_good(plain: Any, version: int) -> None:
    assert follow(signed(text_of(plain).encode(), version)) is not None
    assert follow(compiled.write(plain)) is not None


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything in a document."""
    keys = sorted(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*at, key)
        yield from places(value[key], (*at, key))


PLACES_OF = [list(places(plain)) for plain in BODIES]
OTHERS = [text_of(plain["estimator"]) for plain in BODIES] + [text_of(entry) for entry in STEPS]
MARK = "\u2603"


@st.composite
def changed_documents(draw: st.DrawFn) -> bytes:
    """Documents in which up to three places were taken away, exchanged, or say something that nobody expects."""
    number = draw(st.integers(0, len(BODIES) - 1))
    plain = json.loads(text_of(BODIES[number]))
    said: list[str] = []
    for path in draw(st.lists(st.sampled_from(PLACES_OF[number]), min_size=1, max_size=3)):
        try:
            holder = plain
            for key in path[:-1]:
                holder = holder[key]
            if isinstance(holder, dict) != isinstance(path[-1], str):
                continue
            how = draw(st.sampled_from(["token", "remove", "double", "other", "swap"]))
            change(draw, holder, path[-1], how, said)
        except (KeyError, IndexError, TypeError):  # an earlier change took the place away
            continue
    text = text_of(plain)
    for place, token in enumerate(said):
        text = text.replace(f'"{MARK}{place}"', token)
    return text.encode("utf-8", "surrogatepass")


def change(draw: st.DrawFn, holder: Any, key: Any, how: str, said: list[str]) -> None:
    if how == "token":
        holder[key] = f"{MARK}{len(said)}"
        said.append(draw(st.sampled_from(TOKENS)))
    elif how == "remove":
        del holder[key]
    elif how == "double":
        holder[key] = [holder[key], holder[key]]
    elif how == "other":
        holder[key] = json.loads(draw(st.sampled_from(OTHERS)))
    else:
        other = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        holder[key], holder[other] = holder[other], holder[key]


@given(changed_documents())
@settings(max_examples=600)
def test_a_document_with_anything_anywhere_is_refused_or_scores(content: bytes) -> None:
    follow(signed(content))


@given(
    st.integers(0, len(BODIES) - 1), st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=4)
)
@settings(max_examples=400)
def test_bytes_changed_under_a_right_checksum_are_refused_or_score(number: int, flips: list[tuple[int, int]]) -> None:
    content = bytearray(text_of(BODIES[number]).encode())
    for place, byte in flips:
        content[place % len(content)] = byte
    follow(signed(bytes(content)))


@given(st.integers(0, len(BODIES) - 1), st.integers(0), st.integers(0, 40))
@settings(max_examples=100)
def test_a_body_that_is_cut_or_repeated_is_refused(number: int, start: int, length: int) -> None:
    content = text_of(BODIES[number]).encode()
    start %= len(content)
    cut = content[:start] + content[start + length :]
    follow(signed(cut))
    assert follow(signed(content[:start])) is None
    assert follow(signed(content + content[start:])) is None


ARRAYS = {"roots": "i", "feature": "i", "right": "i", "threshold": "d", "flags": "B", "leaves": "d"}


@st.composite
def changed_trees(draw: st.DrawFn) -> Any:
    """Trees in which up to four numbers are others: cycles, children of two parents, indices that are not there."""
    wide = draw(st.booleans())
    estimator = dict(WIDE if wide else draw(st.sampled_from([forest(), SINGLE])))
    for name in draw(st.lists(st.sampled_from(sorted(ARRAYS)), min_size=1, max_size=4)):
        values = unpack(ARRAYS[name], estimator[name]).tolist()
        if not values:
            continue
        place = draw(st.integers(0, len(values) - 1))
        values[place] = fitting(ARRAYS[name], draw(st.sampled_from(NUMBERS)))
        if draw(st.integers(0, 9)) == 0:
            values = values[:place] + draw(st.sampled_from([[], values]))
        estimator[name] = pack(ARRAYS[name], values)
    estimator["sets"] = draw(
        st.sampled_from([[[0]], [[]], [], [[0, 1, 2]], [[2**61]], [[-1]], [[0.5]], [[True]], [{}]])
    )
    return several(3, estimator) if wide else body([SIZE, PLACES], estimator)


def fitting(code: str, value: float) -> float:
    """Return a number that an array of a type can hold."""
    if code in "df":
        return float(value)
    if code == "B":
        return int(value) % 256 if math.isfinite(value) else 4
    return int(value) if -(2**31) <= value < 2**31 else -1


@given(changed_trees())
@settings(max_examples=600)
def test_trees_with_any_numbers_are_refused_or_walked_to_an_end_slow_and_fast_alike(plain: Any) -> None:
    follow(signed(text_of(plain).encode()))
