"""What live windows are held against: reference rows as both sides get them, and our reference of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from lifecycle.monitoring import Monitoring
from lifecycle.reference import Reference
from lifecycle.schema import Contract, Kind
from lifecycle.spec import ModelSpec
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
        spec = ModelSpec(model="flights", dataset="flights", contract=contract, monitoring=RULES)
        scores = column_reference(holdout["score"], Kind.NUMBER)
        reference = Reference(
            rows=rows.height,
            columns={name: replace(each, importance=importances[name]) for name, each in columns.items()},
            scores=swings.of_scores(scores, holdout["score"], holdout, contract, RULES),
            quality=measured(holdout) | {"swing": swings.of_quality(losses(holdout), holdout, spec)},
        )
        return cls(contract=contract, rows=rows, reference=reference)


def measured(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the log loss of rows with scores and labels."""
    each = losses(rows)
    value, arm = float(each.mean()), 1.96 * float(each.std()) / sqrt(len(each))
    return {"metric": "log_loss", "value": value, "low": value - arm, "high": value + arm, "rows": len(each)}


def losses(rows: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Return each row's log loss."""
    likely = np.where(rows["label"].to_numpy(), rows["score"].to_numpy(), 1 - rows["score"].to_numpy())
    found: npt.NDArray[np.float64] = -np.log(np.clip(likely, 1e-15, 1))
    return found
