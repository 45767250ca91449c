"""Evaluation learns how far windows of training rows, scores and losses are from one another anyway."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from lifecycle.monitoring import Monitoring
from lifecycle.objective import Objective
from lifecycle.reference import ColumnReference
from lifecycle.spec import Column, Contract, Kind, ModelSpec, Task
from tabular.reference import column_reference, column_references
from training import swings

DAYS, ROWS = 30, 500
CONTRACT = Contract(
    task=Task.REGRESSION,
    target="y",
    time="at",
    columns=(
        Column(name="at", kind=Kind.DATETIME),
        Column(name="weather", kind=Kind.NUMBER),
        Column(name="steady", kind=Kind.NUMBER),
        Column(name="place", kind=Kind.CATEGORY),
        Column(name="y", kind=Kind.NUMBER),
    ),
)
SPEC = ModelSpec(model="m", dataset="d", contract=CONTRACT, objective=Objective(metric="mae_error"))
TIMELESS = replace(CONTRACT, time=None)
DRAW = np.random.default_rng(1)
OF_DAY = np.repeat(DRAW.normal(size=DAYS), ROWS)


def table() -> pl.DataFrame:
    rows = DAYS * ROWS
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "at": [start + timedelta(minutes=24 * 60 / ROWS * row) for row in range(rows)],
            "weather": OF_DAY + DRAW.normal(0, 0.3, rows),
            "steady": DRAW.normal(size=rows),
            "place": DRAW.choice(["here", "there"], rows),
        }
    ).sample(fraction=1.0, shuffle=True, seed=1)


def swung(contract: Contract, rules: Monitoring) -> dict[str, ColumnReference]:
    rows = table()
    return swings.of_columns(column_references(rows, contract), rows, contract, rules)


def test_what_days_have_in_common_is_learned_from_the_time_of_rows() -> None:
    found = swung(CONTRACT, Monitoring())
    assert found["weather"].swing > 0.2
    assert found["steady"].swing < 0.02
    assert found["place"].swing < 0.02
    assert found["at"].swing < 0.02


@pytest.mark.parametrize(
    ("contract", "rules"),
    [(TIMELESS, Monitoring()), (CONTRACT, Monitoring(min_rows=ROWS + 1))],
    ids=["no time", "few rows a day"],
)
def test_nothing_is_known_without_time_or_without_enough_rows_in_a_window(
    contract: Contract, rules: Monitoring
) -> None:
    assert {column.swing for column in swung(contract, rules).values()} == {0.0}


def test_scores_swing_with_the_holdout() -> None:
    rows = table()
    scores = column_reference(rows["weather"], Kind.NUMBER)
    assert swings.of_scores(scores, rows["weather"], rows, CONTRACT, Monitoring()).swing > 0.2


def test_losses_of_days_deviate_beyond_chance() -> None:
    rows = table().sort("at")
    independent = np.abs(np.random.default_rng(2).normal(size=rows.height))
    assert swings.of_quality(independent, rows, SPEC) < 0.02
    deviating = independent + 5 + OF_DAY
    assert swings.of_quality(deviating, rows, SPEC) == pytest.approx(OF_DAY[::ROWS].std(ddof=1), rel=0.1)
    assert swings.of_quality(deviating, rows, replace(SPEC, contract=TIMELESS)) == 0.0
