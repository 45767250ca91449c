"""Holdout rows + the winner -> `probe.json`: rows as a client sends them, and their answers.

A deployment asks a version it published for these rows before any customer does. The answers are made here by the very
code that will make them there, so they must come out equal.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import polars as pl

from lifecycle import probe
from lifecycle.errors import RequestRejected
from lifecycle.problem import Problem
from lifecycle.request import RowChecker, inputs_of, is_nullable
from lifecycle.scoring import CompiledModel
from training.rows import named_rows


def recorded(model: CompiledModel, holdout: pl.DataFrame) -> dict[str, Any]:
    """Return up to `probe.ROWS` rows, evenly spread over the holdout, that the door takes, with their answers.

    Private columns are left out where the contract lets them be missing.
    """
    columns = inputs_of(model.body["contract"])
    spread = holdout.gather_every(max(1, holdout.height // probe.ROWS)).head(probe.ROWS)
    # through JSON and back, as a request goes
    rows = [json.loads(json.dumps(_sent(row, columns))) for row in named_rows(spread)]
    checker = RowChecker(model.body["contract"], learned=model.learned)
    kept, expected = [], []
    for row in rows:
        try:
            [answer] = model.score(checker.rows_of({"rows": [row]}), typed=True)
        except (Problem, RequestRejected):
            continue  # the holdout may hold what the door refuses
        kept.append(row)
        expected.append(answer)
    return probe.document(kept, expected)


def _sent(row: Mapping[str, Any], columns: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        column["name"]: _plain(row[column["name"]])
        for column in columns
        if not (column.get("private") and is_nullable(column))
    }


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
