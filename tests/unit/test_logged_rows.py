"""Records of an hour are counted whatever they hold; labels find their answers, for every task."""

from random import Random

import pytest

from lifecycle.judged_model import JudgedModel
from lifecycle.live import Live
from lifecycle.objective import Objective
from lifecycle.prediction_id import ids_of
from lifecycle.reference import ColumnReference, Reference, category_reference, number_reference
from lifecycle.schema import Column, Contract, Kind, Task
from tabular import answers_file, labelled_rows
from tabular.logged_rows import SAMPLED, HourReader, HourRows, smallest

COLUMNS = (
    Column(name="n", kind=Kind.NUMBER),
    Column(name="w", kind=Kind.CATEGORY),
    Column(name="t", kind=Kind.DATETIME),
    Column(name="b", kind=Kind.BOOLEAN),
    Column(name="secret", kind=Kind.CATEGORY, private="hash"),
    Column(name="y", kind=Kind.CATEGORY),
)
SCORES = {
    Task.BINARY: number_reference((0.5,), (5, 5), 0),
    Task.MULTICLASS: category_reference({"a": 5, "b": 5}, 0),
    Task.REGRESSION: number_reference((10.0,), (5, 5), 0),
}


def model(task: Task = Task.BINARY, metric: str = "log_loss") -> JudgedModel:
    columns: dict[str, ColumnReference] = {
        "n": number_reference((1.0, 2.0), (3, 3, 4), 0),
        "w": category_reference({"x": 6, "y": 4}, 0),
        "t": category_reference({"00": 5, "23": 5}, 0),
        "b": category_reference({"true": 6, "false": 4}, 0),
    }
    classes = {Task.BINARY: ("false", "true"), Task.MULTICLASS: ("a", "b")}.get(task)
    return JudgedModel(
        live=Live(package_arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/m/3", run_id="r"),
        task=task,
        classes=classes,
        contract=Contract(task=task, target="y", columns=COLUMNS),
        reference=Reference(rows=10, columns=columns, scores=SCORES[task]),
        objective=Objective(metric=metric),
    )


ROW = {"n": 1.5, "w": "x", "t": "2026-11-21T23:10:00Z", "b": True, "secret": "s3cr3t"}


def record(number: int, **changes: object) -> dict:
    identity = ids_of(1_795_237_200_000, Random(number).randbytes(10))[0]
    found = {"prediction_id": identity, "model_version": "3", "probability": 0.25, "decision": False, "row": ROW}
    return {**found, **changes}


def read(judged: JudgedModel, *records: dict) -> HourRows:
    reader = HourReader(judged)
    for each in records:
        reader.add(each)
    return reader.finish()


def test_raw_columns_are_counted_in_the_bins_of_the_reference():
    tally = read(model(), record(1), record(2, row={**ROW, "w": "new", "b": False})).counts.tally
    assert tally.columns["n"].counts == (0, 2, 0)
    assert tally.columns["w"].counts == (1, 0, 1)
    assert tally.columns["t"].counts == (0, 2, 0)
    assert tally.scores.counts == (2, 0)


@pytest.mark.parametrize("value", ["text", [1], {"a": 1}, float("nan"), float("inf"), 10**400, None])
def test_values_of_a_wrong_type_are_missing(value):
    tally = read(model(), record(1, row={**ROW, "n": value}), record(2)).counts.tally
    assert (tally.rows, tally.columns["n"].missing) == (2, 1)


@pytest.mark.parametrize("said", ["high", None, True, float("nan"), [0.5]])
def test_an_answer_that_is_none_is_a_row_without_a_score(said):
    found = read(model(), record(1, probability=said))
    assert (found.counts.tally.scores.missing, found.counts.expected.rows) == (1, 0)


def test_rows_of_other_versions_of_no_id_and_cut_ones_are_told_apart():
    found = read(
        model(),
        record(1, model_version="2"),
        record(2, prediction_id="c5b2a1a0-1111-4222-8333-444455556666"),
        record(3, row=None),
        record(4),
        record(4),
    )
    counts = found.counts
    assert (counts.others, counts.cut, counts.copies, counts.tally.rows, counts.answered) == (2, 1, 1, 1, 2)
    assert found.answers.height == 2


def test_samples_are_fair_bounded_and_hold_nothing_private():
    found = read(model(), *(record(number) for number in range(SAMPLED + 50)))
    assert len(found.sample) == SAMPLED
    assert all(row == {name: value for name, value in ROW.items() if name != "secret"} for row in found.sample.values())
    kept = {identity[16:] for identity in found.sample}
    every = sorted(record(number)["prediction_id"].replace("-", "")[16:] for number in range(SAMPLED + 50))
    assert kept == set(every[:SAMPLED])
    assert len(smallest([found.sample, found.sample], 7)) == 7


@pytest.mark.parametrize(
    ("task", "metric", "answer", "labels", "mean"),
    [
        (Task.BINARY, "brier_loss", {"probability": 0.25}, ["true", "false", "maybe", 1.0], (0.5625 + 0.0625) / 2),
        (Task.MULTICLASS, "log_loss", {"probabilities": {"a": 1.0, "b": 0.0}, "decision": "a"}, ["a", 2.0], 0.0),
        (Task.MULTICLASS, "log_loss", {"probabilities": {"a": 1.0}, "decision": "a"}, ["a"], None),
        (Task.REGRESSION, "mae_error", {"value": 12}, [10.0, 16.0, "many"], 3.0),
        (Task.REGRESSION, "rmse_error", {"value": 12}, [1e300], 1e100),
    ],
)
def test_labels_find_their_answers_after_the_hour_was_written(task, metric, answer, labels, mean):
    judged = model(task, metric)
    records = [record(number, **answer) for number in range(len(labels))]
    answers = answers_file.read(answers_file.to_bytes(read(judged, *records).answers))
    given = [(one["prediction_id"], label) for one, label in zip(records, labels, strict=True)]
    sums = labelled_rows.sums(labelled_rows.losses(judged, answers, labelled_rows.label_frame(judged, given)))
    assert (sums.total / sums.rows if sums.rows else None) == (None if mean is None else pytest.approx(mean))


def test_an_hour_without_rows_is_an_hour_of_none():
    found = read(model(Task.MULTICLASS))
    assert (found.counts.answered, found.answers.height, found.sample) == (0, 0, {})
    assert answers_file.read(answers_file.to_bytes(found.answers)).height == 0


def test_worst_slices_are_those_above_the_mean_with_enough_rows():
    judged = model()
    rows = [record(n, row={**ROW, "w": "x" if n < 40 else "y"}, probability=0.9 if n < 40 else 0.2) for n in range(80)]
    labels = [(one["prediction_id"], "false") for one in rows]
    found = labelled_rows.losses(judged, read(judged, *rows).answers, labelled_rows.label_frame(judged, labels))
    (worst,) = labelled_rows.worst_slices(judged.objective, found, judged.sliced)
    assert (worst["column"], worst["value"], worst["rows"]) == ("w", "x", 40)
    assert worst["score"] > worst["overall"]
