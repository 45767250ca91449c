"""A compiled file is trusted only after every check: what is damaged or impossible is refused, never scored."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import compiled
from lifecycle.errors import LifecycleError, ModelRejected
from lifecycle.packed import pack
from lifecycle.scoring import CompiledModel

CONTRACT = {
    "task": "binary",
    "target": "y",
    "columns": [
        {"name": "size", "kind": "number"},
        {"name": "place", "kind": "category"},
        {"name": "y", "kind": "text"},
    ],
}
INPUTS = [
    {"feature": "size", "as": "number"},
    {"feature": "place", "as": "category", "categories": ["a", "b", "c"], "missing": 1.5},
]


def trees(**changes: Any) -> dict[str, Any]:
    """Two trees: size <= 1 ? (place in {0, missing} ? .1 : .2) : .3, and a lone leaf .5."""
    return {
        "kind": "trees",
        "link": "logistic",
        "baseline": [-0.5],
        "average": False,
        "float32": False,
        "leaf_width": 1,
        "roots": pack("i", [0, 5]),
        "feature": pack("i", [0, 1, -1, -1, -1, -1]),
        "threshold": pack("d", [1.0, 0.0, 0.1, 0.2, 0.3, 0.5]),
        "right": pack("i", [4, 3, 0, 0, 0, 0]),
        "flags": pack("B", [1, 3, 0, 0, 0, 0]),
        "leaves": "",
        "sets": [[0]],
        **changes,
    }


def linear(**changes: Any) -> dict[str, Any]:
    return {
        "kind": "linear",
        "link": "logistic",
        "coefficients": [[0.5, 1.0, 2.0, 3.0]],
        "intercept": [0.25],
        **changes,
    }


def body(**changes: Any) -> dict[str, Any]:
    return {
        "task": "binary",
        "family": "f",
        "classes": ["no", "yes"],
        "threshold": 0.5,
        "contract": CONTRACT,
        "features_sha256": None,
        "learned": {"place": ["a", "b", "c"]},
        "encoder": {"layout": "ordinal", "inputs": INPUTS},
        "estimator": trees(),
        "ids": {"run_id": "r"},
        **changes,
    }


SCALED = [{**INPUTS[0], "fill": [0.0], "mean": [0.0], "scale": [1.0]}, INPUTS[1]]
LINEAR = body(encoder={"layout": "standard", "inputs": SCALED}, estimator=linear())


def expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize(
    ("row", "raw"),
    [
        ({"size": 1.0, "place": "a"}, 0.1),
        ({"size": 1.0, "place": None}, 0.1),
        ({"size": 0, "place": "b"}, 0.2),
        ({"size": None, "place": "unseen"}, 0.1),
        ({"size": 1.0000000000000002, "place": "a"}, 0.3),
    ],
)
def test_trees_are_walked_as_written_slow_and_fast(row: dict[str, Any], raw: float) -> None:
    model = CompiledModel.load(compiled.write(body()))
    wanted = [[expit(-0.5 + raw + 0.5)]]
    assert model.outputs([row]) == wanted
    model.accelerate()
    assert model.outputs([row]) == wanted


def test_a_linear_model_is_a_dot_product() -> None:
    model = CompiledModel.load(compiled.write(LINEAR))
    assert model.score([{"size": 2.0, "place": "b"}, {"size": None}]) == [
        {"probability": expit(0.25 + 1.0 + 2.0), "decision": True},
        {"probability": expit(0.25), "decision": True},
    ]
    assert model.positive == "yes"


def test_extreme_raw_scores_give_probabilities_and_no_overflow() -> None:
    for intercept, wanted in ((-800.0, 0.0), (800.0, 1.0), (-740.0, 0.0)):
        estimator = linear(coefficients=[[0.0] * 4], intercept=[intercept])
        model = CompiledModel.load(compiled.write({**LINEAR, "estimator": estimator}))
        assert abs(model.outputs([{}])[0][0] - wanted) < 1e-300


def test_the_file_is_one_json_document_with_its_checksum() -> None:
    data = compiled.write(body())
    document = json.loads(data)
    assert document["format"] == "perennial-model"
    assert document["body"] == body()
    assert compiled.read(data) == body()
    assert compiled.write(body()) == data


@given(st.data())
@settings(max_examples=200)
def test_no_changed_byte_goes_unnoticed(data: st.DataObject) -> None:
    good = compiled.write(body())
    place = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != good[place]))
    with pytest.raises(ModelRejected):
        compiled.read(good[:place] + bytes([byte]) + good[place + 1 :])


@pytest.mark.parametrize("cut", [0, 1, 50, 100, 120, -1])
def test_a_file_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ModelRejected, match=r"not a compiled model|damaged"):
        compiled.read(compiled.write(body())[:cut])


def test_another_format_version_is_named() -> None:
    with pytest.raises(ModelRejected, match="not a compiled model of format version 1 or 2: it begins with"):
        compiled.read(compiled.write(body()).replace(b'"version":2', b'"version":3', 1))


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"task": "ranking"}, "unknown task"),
        ({"classes": ["one"]}, "two or more distinct"),
        ({"classes": ["a", "a"]}, "two or more distinct"),
        ({"classes": ["a", "b", "c"]}, "threshold must lie"),
        ({"threshold": 1.5}, "threshold must lie"),
        ({"threshold": None}, "wrong structure"),
        ({"task": "regression"}, "neither classes nor threshold"),
        ({"learned": {"place": [1]}}, "learned categories"),
        ({"contract": []}, "wrong structure"),
        ({"contract": {**CONTRACT, "columns": [{"name": "a", "kind": "image"}]}}, "'a' has the unknown kind 'image'"),
        ({"contract": {**CONTRACT, "derived": {"n": 1}}}, "derived values must have a kind"),
        ({"ids": {"run_id": 5}}, "ids must be texts"),
        ({"encoder": {"layout": "other", "inputs": []}}, "unknown layout"),
        ({"encoder": {"layout": "ordinal", "inputs": [{"feature": "a", "as": "image"}]}}, "unknown encoding 'image'"),
        ({"encoder": {"layout": "ordinal", "inputs": [{**INPUTS[1], "categories": ["a", "a"]}]}}, "bad categories"),
        ({"encoder": {"layout": "ordinal", "inputs": [{**INPUTS[1], "missing": 1.0}]}}, "bad code for missing"),
        ({"encoder": {"layout": "ordinal", "inputs": [{"as": "number", "feature": 3}]}}, "name must be text"),
        ({"encoder": {"layout": "standard", "inputs": [{**SCALED[0], "scale": [0.0]}]}}, "scale must be above 0"),
        ({"encoder": {"layout": "standard", "inputs": [{**SCALED[0], "mean": []}]}}, "bad scaling"),
        ({"encoder": {"layout": "ordinal"}}, "wrong structure: KeyError: 'inputs'"),
        ({"estimator": {"kind": "oracle", "link": "identity"}}, "unknown kind of estimator 'oracle'"),
        ({"estimator": trees(link="probit")}, "unknown link"),
        ({"estimator": trees(link="softmax")}, "softmax needs more"),
        ({"estimator": trees(baseline=[])}, "bad baseline"),
        ({"estimator": trees(average=1)}, "bad switches"),
        ({"estimator": trees(right=pack("i", [1, 3, 0, 0, 0, 0]))}, r"trees names a feature|where its parent says"),
        ({"estimator": trees(right=pack("i", [5, 3, 0, 0, 0, 0]))}, r"trees names a feature|where its parent says"),
        ({"estimator": trees(right=pack("i", [3, 4, 0, 0, 0, 0]))}, "is not where its parent says"),
        ({"estimator": trees(right=pack("i", [-4, 3, 0, 0, 0, 0]))}, r"trees names a feature|where its parent says"),
        (
            {"estimator": trees(feature=pack("i", [2, 1, -1, -1, -1, -1]))},
            r"trees names a feature|where its parent says",
        ),
        (
            {"estimator": trees(feature=pack("i", [-2, 1, -1, -1, -1, -1]))},
            r"trees names a feature|where its parent says",
        ),
        ({"estimator": trees(feature=pack("i", [0, 1, -1, -1, -1]))}, "differ in length"),
        ({"estimator": trees(feature=pack("i", [-1, -1, -1, -1, -1, -1]))}, "has ended, but no other"),
        ({"estimator": trees(feature=pack("i", [0, 1, -1, 0, -1, -1]))}, "where its parent says"),
        ({"estimator": trees(roots=pack("i", [0, 3]))}, r"trees names a feature|where its parent says"),
        ({"estimator": trees(roots=pack("i", [0, 9]))}, "root lies outside"),
        ({"estimator": trees(roots=pack("i", [1, 5]))}, "bad tree roots"),
        ({"estimator": trees(roots="")}, "bad tree roots"),
        ({"estimator": trees(threshold=pack("d", [math.nan, 0, 0, 0, 0, 0]))}, "not finite"),
        ({"estimator": trees(threshold=pack("d", [1.0, 7.0, 0, 0, 0, 0]))}, "names a category set"),
        ({"estimator": trees(flags=pack("B", [2, 3, 0, 0, 0, 0]))}, "names a category set"),
        ({"estimator": trees(sets=[["x"]])}, "bad category sets"),
        ({"estimator": trees(leaf_width=3)}, "leaves do not fit"),
        ({"estimator": trees(right="****")}, "packed array is damaged"),
        ({"estimator": trees(right="AAAA")}, "packed array is damaged"),
    ],
)
def test_an_impossible_model_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelRejected, match=reason):
        compiled.write(body(**changes))


@pytest.mark.parametrize(
    "estimator",
    [linear(coefficients=[[1.0]]), linear(intercept=[]), linear(coefficients=[]), linear(intercept=["x"])],
)
def test_a_linear_model_that_does_not_fit_its_inputs_is_refused(estimator: dict[str, Any]) -> None:
    with pytest.raises(ModelRejected):
        compiled.write({**LINEAR, "estimator": estimator})


def calibrated(*calibrators: dict[str, Any], **changes: Any) -> dict[str, Any]:
    members = [{"estimator": linear(link="identity"), "calibrators": list(calibrators)}]
    return {"kind": "calibrated", "link": "identity", "members": members, **changes}


def line(x: list[float], y: list[float], **changes: Any) -> dict[str, Any]:
    return {"as": "isotonic", "x": pack("d", x), "y": pack("d", y), "float32": False, **changes}


def test_a_calibrated_model_averages_what_its_members_say() -> None:
    estimator = calibrated({"as": "sigmoid", "a": -2.0, "b": 0.5})
    estimator["members"] += calibrated(line([0.0, 2.0], [0.2, 0.6]))["members"]
    model = CompiledModel.load(compiled.write({**LINEAR, "estimator": estimator}))
    assert model.outputs([{"size": 1.5}]) == [[(expit(2 * 1.0 - 0.5) + 0.4) / 2]]
    assert model.outputs([{"size": 99.0}]) == [[(expit(2 * 49.75 - 0.5) + 0.6) / 2]]


@pytest.mark.parametrize(
    ("estimator", "reason"),
    [
        (calibrated(), "calibrators do not fit"),
        (calibrated(members=[]), "1 to 100 members"),
        (calibrated(link="logistic"), "needs no link"),
        (calibrated({"as": "sigmoid", "a": math.inf, "b": 0.0}), r"not finite|not JSON compliant"),
        (calibrated({"as": "beta"}), "unknown calibrator 'beta'"),
        (calibrated(line([], [])), "points are not usable"),
        (calibrated(line([1.0, 1.0], [0.0, 1.0])), "not in order"),
        (calibrated(line([0.0, 1.0], [0.0])), "points are not usable"),
        (calibrated(line([0.0], [0.0], float32=1)), "bad switches"),
        (calibrated(members=[{"estimator": calibrated(), "calibrators": []}]), "unknown kind of estimator"),
        (linear(slope=math.nan), r"slope is not finite|not JSON compliant"),
        (linear(pairwise=1), "bad switches"),
        (linear(link="one-vs-rest"), "one-vs-rest needs more than one output"),
    ],
)
def test_a_calibration_or_link_that_cannot_be_is_refused(estimator: dict[str, Any], reason: str) -> None:
    with pytest.raises((ModelRejected, ValueError), match=reason):
        compiled.write({**LINEAR, "estimator": estimator})


def test_float32_sums_are_rounded_after_each_tree_and_zeros_may_count_as_missing() -> None:
    ones = trees(single=True, baseline=[16777216.0], link="identity", threshold=pack("d", [1, 0, 0.1, 0.2, 1, 1]))
    plain = body(task="regression", classes=None, threshold=None, estimator=ones)
    assert CompiledModel.load(compiled.write(plain)).outputs([{"size": 5.0}]) == [[16777216.0]]
    zero = trees(flags=pack("B", [4, 3, 0, 0, 0, 0]), link="identity", baseline=[0.0])
    model = CompiledModel.load(compiled.write(body(estimator=zero)))
    rows = [{"size": size, "place": "a"} for size in (0.0, 1e-36, -1e-35, 1e-34, None)]
    found = [[0.8], [0.8], [0.8], [0.6], [0.8]]
    assert model.outputs(rows) == found
    model.accelerate()
    assert model.outputs(rows) == found


def test_leaves_of_several_classes_must_be_there() -> None:
    several = {"task": "multiclass", "classes": ["a", "b"], "threshold": None}
    wide = trees(leaf_width=2, baseline=[0.0, 0.0], link="identity", leaves=pack("d", [0.5, 0.5]), average=True)
    model = CompiledModel.load(compiled.write(body(**several, estimator=wide)))
    assert model.score([{"size": 1}]) == [{"probabilities": {"a": 0.5, "b": 0.5}, "decision": "a"}]
    with pytest.raises(ModelRejected, match="leaf value that is not there"):
        compiled.write(body(**several, estimator={**wide, "leaves": ""}))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=6,
)


@given(st.data())
@settings(max_examples=300)
def test_whatever_stands_in_a_field_the_file_is_refused_or_scores(data: st.DataObject) -> None:
    changed = json.loads(json.dumps(data.draw(st.sampled_from([body(), LINEAR]))))
    target = changed
    for _ in range(data.draw(st.integers(0, 3))):
        inner = [value for value in target.values() if isinstance(value, dict) and value]
        if inner:
            target = data.draw(st.sampled_from(inner))
    target[data.draw(st.sampled_from(sorted(target)))] = data.draw(values)
    try:
        model = CompiledModel.load(compiled.write(changed))
    except ModelRejected:
        return
    try:
        model.score([{"size": 1.0, "place": "a"}, {}])
    except LifecycleError:
        return


def test_a_model_with_derived_values_needs_its_features_file(tmp_path: Path) -> None:
    derived = body(contract={**CONTRACT, "derived": {"n": "number"}}, features_sha256="0" * 64)
    with pytest.raises(ModelRejected, match=r"needs the features\.py"):
        CompiledModel.load(compiled.write(derived))
    with pytest.raises(LifecycleError, match=r"features\.py is named by the spec but is not in the package"):
        CompiledModel.load(compiled.write(derived), tmp_path)
