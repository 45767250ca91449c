"""A log as Firehose delivers it, with a model's contract and reference, written into a folder."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from lifecycle import keys
from lifecycle.prediction_id import ids_of
from lifecycle.reference import Reference
from lifecycle.schema import Column, Contract, Kind, Task
from tabular.reference import column_reference, column_references

NUMBERS = tuple(f"n{place:02d}" for place in range(20))
WORDS = tuple(f"w{place:02d}" for place in range(10))
MODEL = "watched"
DISTINCT = 20_000
"""Rows that differ; ids always do."""


def contract() -> Contract:
    """Return 20 numbers, 10 categories and a label."""
    numbers = tuple(Column(name=name, kind=Kind.NUMBER) for name in NUMBERS)
    words = tuple(Column(name=name, kind=Kind.CATEGORY) for name in WORDS)
    label = Column(name="label", kind=Kind.BOOLEAN)
    return Contract(task=Task.BINARY, target="label", positive="true", columns=(*numbers, *words, label))


def rows(count: int, seed: int) -> pl.DataFrame:
    """Return rows with a score; two per cent of the numbers are missing."""
    chance = np.random.default_rng(seed)
    columns = []
    for place, name in enumerate(NUMBERS):
        values = pl.Series(name, chance.normal(10 * place, 1 + place, count).round(6))
        columns.append(values.set(pl.Series(chance.random(count) < 0.02), None))
    for place, name in enumerate(WORDS):
        columns.append(pl.Series(name, [f"value {n}" for n in chance.integers(0, 4 + 20 * place, count)]))
    return pl.DataFrame([*columns, pl.Series("score", chance.beta(2, 3, count))])


def reference() -> Reference:
    """Return what the model was trained on."""
    trained = rows(50_000, 0)
    columns = column_references(trained.drop("score"), contract())
    return Reference(
        rows=trained.height,
        columns={name: replace(column, importance=1 / len(columns)) for name, column in columns.items()},
        scores=column_reference(trained["score"], Kind.NUMBER),
        quality={"metric": "log_loss", "value": 0.6, "low": 0.59, "high": 0.61, "rows": 10_000},
    )


def write_hour(folder: Path, hour: int, count: int, objects: int = 60) -> int:
    """Write the log of one hour (since the epoch); return its bytes, unpacked."""
    tails = [_tail(row) for row in rows(min(count, DISTINCT), hour).iter_rows(named=True)]
    chance, size, first = np.random.default_rng(hour), 0, 0
    for number in range(objects):
        last = count * (number + 1) // objects
        time_ms = hour * 3_600_000 + number * 60_000
        ids = ids_of(time_ms, chance.bytes(10 * (last - first)))
        lines = (
            f'{_head(time_ms)}"prediction_id": "{ids[n - first]}", {tails[n % len(tails)]}' for n in range(first, last)
        )
        body = "\n".join(lines).encode()
        path = folder / keys.predictions_of_hour(MODEL, hour * 3600) / f"{number:02d}.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(body, 1))
        size, first = size + len(body), last
    return size


def _head(time_ms: int) -> str:
    facts = {"kind": "prediction", "schema": 2, "stage": "dev", "model": MODEL, "model_version": "1", "arm": "2"}
    facts |= {"contract_id": "0" * 16, "data_version": "d" * 64, "code_version": "c" * 64 + ".zip"}
    return json.dumps(facts)[:-1] + f', "time": {time_ms}, "latency_ms": 1.234, "rows": 1, '


def _tail(row: dict[str, Any]) -> str:
    score = row.pop("score")
    return json.dumps({"probability": score, "decision": score >= 0.5, "row": row})[1:]
