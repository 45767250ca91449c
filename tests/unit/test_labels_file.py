"""Files of labels: read row by row, or refused as a whole, whatever bytes they hold."""

import gzip
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle.errors import DatasetRejected
from lifecycle.feedback_items import Item
from lifecycle.schema import Column, Contract, Kind, Task
from tabular import labels_file
from tabular.labels_file import ENDINGS


def contract(kind: Kind = Kind.BOOLEAN, task: Task = Task.BINARY) -> Contract:
    return Contract(task=task, target="y", positive="true", columns=(Column(name="y", kind=kind),))


def read(body: bytes, ending: str = ".csv", rules: Contract | None = None) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "object")
        path.write_bytes(body)
        return labels_file.read(path, f"labels{ending}", rules or contract())


def table(frame: pl.DataFrame, rules: Contract | None = None) -> list[Item]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "object")
        frame.write_parquet(path)
        items, wrong = labels_file.read(path, "labels.parquet", rules or contract())
    assert wrong == []
    return items


@pytest.mark.parametrize("word", ["true", "TRUE", "yes", "1", "t", " y "])
def test_labels_of_tables_are_read_as_training_data_is(word):
    (item,), _ = read(f"prediction_id,label\nx,{word}\n".encode())
    assert item.label == "true"


def test_what_cannot_be_read_is_refused_by_row_with_what_stands_there():
    _, wrong = read(b"prediction_id,label,time\nx,perhaps,\ny,true,noon\n,true,\n")
    assert [(w.place, w.prediction_id) for w in wrong] == [(1, "x"), (2, "y"), (3, None)]
    assert "perhaps" in wrong[0].message
    assert "noon" in wrong[1].message


def test_classes_that_parquet_stores_as_numbers_have_one_spelling():
    rules = contract(Kind.CATEGORY, Task.MULTICLASS)
    for values in ([1, 2], [1.0, 2.0], ["1", "2"]):
        items = table(pl.DataFrame({"prediction_id": ["a", "b"], "label": values}), rules)
        assert [item.label for item in items] == ["1", "2"]


def test_stored_times_are_kept_to_the_microsecond():
    at = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
    (item,) = table(pl.DataFrame({"prediction_id": ["a"], "label": [True], "time": [at]}))
    assert item.time == at.timestamp()


def test_numbers_that_are_none_are_refused():
    rules = contract(Kind.NUMBER, Task.REGRESSION)
    items, wrong = read(b"prediction_id,label\na,1.5\nb,nan\nc,inf\nd,\ne,1e400\n", rules=rules)
    assert [item.label for item in items] == [1.5]
    assert [w.place for w in wrong] == [2, 3, 4, 5]


def test_more_rows_than_a_file_may_have_are_refused_before_any_is_taken():
    rows = "".join(f"{number},true\n" for number in range(labels_file.ROWS + 1))
    with pytest.raises(DatasetRejected, match="Split it"):
        read(b"prediction_id,label\n" + rows.encode())
    line = json.dumps({"prediction_id": "x", "label": True}).encode() + b"\n"
    with pytest.raises(DatasetRejected, match="Split it"):
        read(gzip.compress(line * (labels_file.ROWS + 1), 1), ".jsonl.gz")


LINES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.just(b'{"prediction_id": "x", "label": true}'),
        st.just(b'{"prediction_id": "x", "label": NaN}'),
        st.just(b"prediction_id,label"),
        st.just(b"x,true"),
        st.just(b'x,"tr'),
        st.just(b"[" * 2000),
    ),
    max_size=5,
).map(b"\n".join)


@given(LINES, st.sampled_from(ENDINGS))
@example(b"PAR1" + bytes(100) + b"PAR1", ".parquet")
@example(b"\xef\xbb\xbfprediction_id,label\nx,true\n", ".csv")
@example(b"1" * 5000, ".jsonl")
def test_any_bytes_are_read_or_refused_as_a_file(body: bytes, ending: str):
    for data in (body, gzip.compress(body)) if ending.endswith(".gz") else (body,):
        try:
            items, wrong = read(data, ending)
        except DatasetRejected:
            continue
        assert items or wrong
