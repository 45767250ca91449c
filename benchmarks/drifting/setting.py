"""What live windows are held against: reference rows as both sides get them, and our reference of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import polars as pl

from lifecycle.monitoring import Monitoring
from lifecycle.reference import Reference
from lifecycle.schema import Contract, Kind
from tabular.reference import column_reference, column_references
from training import swings

RULES = Monitoring()


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Rows and the reference made of them."""

    contract: Contract
    rows: pl.DataFrame
    reference: Reference

    @classmethod
    def of(
        cls, contract: Contract, rows: pl.DataFrame, holdout: pl.DataFrame, importances: Mapping[str, float]
    ) -> "Setting":
        """Return the setting as evaluation would make it. Rows have "score" and "label"."""
        columns = {name: each for name, each in column_references(rows, contract).items() if name in importances}
        columns = swings.of_columns(columns, rows, contract, RULES)
        scores = column_reference(holdout["score"], Kind.NUMBER)
        reference = Reference(
            rows=rows.height,
            columns={name: replace(each, importance=importances[name]) for name, each in columns.items()},
            scores=swings.of_scores(scores, holdout["score"], holdout, contract, RULES),
            quality=measured(holdout),
        )
        return cls(contract=contract, rows=rows, reference=reference)


def measured(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the log loss of rows with scores and labels."""
    likely = np.where(rows["label"].to_numpy(), rows["score"].to_numpy(), 1 - rows["score"].to_numpy())
    losses = -np.log(np.clip(likely, 1e-15, 1))
    value, arm = float(losses.mean()), 1.96 * float(losses.std()) / sqrt(len(losses))
    return {"metric": "log_loss", "value": value, "low": value - arm, "high": value + arm, "rows": len(losses)}
