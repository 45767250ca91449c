"""Random preprocessing of scikit-learn's own transformers, and tables with everything awkward in them."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from lifecycle.spec import Kind

FEATURES = (
    ("size", Kind.NUMBER),
    ("odd", Kind.NUMBER),
    ("count", Kind.INTEGER),
    ("member", Kind.BOOLEAN),
    ("at", Kind.DATETIME),
    ("place", Kind.CATEGORY),
    ("plan", Kind.CATEGORY),
)
SCHEMA = {
    "size": pl.Float64,
    "odd": pl.Float64,
    "count": pl.Int64,
    "member": pl.Boolean,
    "at": pl.Datetime("us", "UTC"),
    "place": pl.String,
    "plan": pl.String,
}
PARTS = {"at": ("minute", "hour", "weekday", "day", "day_of_year", "month", "year")}
NUMBERS = ["size", "odd", "count", "member", *(f"at_{part}" for part in PARTS["at"])]
TEXTS = ["place", "plan"]
PLACES = ["Å", "A\u030a", "Å", "東京", "x y", "missing_value", "nan", "None", "~", "\u200b", "ﬁ", "fi", "\U0001f600"]
EDGES = [
    *(0.0, -0.0, 1.0, -1.0, 0.1, 1e-300, 5e-324, 1e-40, 16777217.0, 1.1754943508222875e-38, 3.4028235677973366e38),
    *(1e38, -1e38, 1.0000000001e38, 1e300, float("inf"), float("-inf"), float("nan")),
]
"""What a row may hold; a table to learn from holds numbers that can be squared (`training`)."""


def training(seed: int, rows: int = 60) -> list[dict[str, Any]]:
    """Rows to fit on: sometimes a column is constant, or missing throughout."""
    chance = random.Random(seed)
    start = datetime(2000 + chance.randrange(50), 2, 28, tzinfo=UTC)
    dull = {name for name in SCHEMA if chance.random() < 0.08}
    empty = {name for name in SCHEMA if chance.random() < 0.05}
    spread = 10.0 ** chance.randrange(-8, 9)

    def row() -> dict[str, Any]:
        return {
            "size": chance.choice([chance.gauss(0, spread), float(np.float32(chance.gauss(0, spread))), 0.0, -spread]),
            "odd": chance.choice([0.1, 1.0, 16777217.0, 1e-300, 5e-324, -0.0, 1e15, 2.0, None, 1e200]),
            "count": chance.choice([0, 1, 2, 3, chance.randrange(-9, 9)]),
            "member": chance.choice([True, False]),
            "at": start + timedelta(minutes=chance.randrange(2_000_000)),
            "place": chance.choice(PLACES),
            "plan": chance.choice(["a", "b", "c", ""]),
        }

    first = row()
    made = []
    for _ in range(rows):
        now = row()
        found = {name: first[name] if name in dull else value for name, value in now.items()}
        made.append(
            {n: None if n in empty or (n not in dull and chance.random() < 0.1) else v for n, v in found.items()}
        )
    return made


class Maker:
    """Draws unfitted transformers."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def scaler(self) -> Any:
        """A scaler with options."""
        pick, yes = self.chance.choice, lambda: self.chance.random() < 0.7
        return pick(
            [
                StandardScaler(with_mean=yes(), with_std=yes()),
                RobustScaler(with_centering=yes(), with_scaling=yes(), quantile_range=pick([(25, 75), (5, 95)])),
                MinMaxScaler(feature_range=pick([(0, 1), (-3, 0.7)]), clip=yes()),
                FunctionTransformer(),
            ]
        )

    def imputer(self, *, texts: bool) -> Any:
        """An imputer with options."""
        pick = self.chance.choice
        strategy = pick(["most_frequent", "constant"] if texts else ["mean", "median", "most_frequent", "constant"])
        fill = pick([None, "?", "x y"] if texts else [None, 0.0, -1.5]) if strategy == "constant" else None
        return (
            SimpleImputer(
                strategy=strategy, fill_value=fill, add_indicator=not texts and pick([True, False]),
                keep_empty_features=pick([True, False]),
            )
        )  # fmt: skip

    def encoder(self, *, sparse: bool = False) -> Any:
        """An encoder with options; any takes texts and numbers."""
        pick = self.chance.choice
        unknown = {"handle_unknown": "use_encoded_value", "unknown_value": pick([-1, -7])}
        rare = pick([{}, {"min_frequency": 6}, {"max_categories": 3}])
        drop = {} if rare else {"drop": pick([None, None, "if_binary"])}
        ignore = pick(["ignore", "infrequent_if_exist"])
        return pick(
            [
                OneHotEncoder(handle_unknown=ignore, sparse_output=sparse, **rare, **drop),
                OrdinalEncoder(**unknown, encoded_missing_value=pick([-2, -1]), **rare),
                TargetEncoder(smooth=pick(["auto", 3.0]), cv=2, random_state=1),
            ]
        )

    def of_texts(self) -> Any:
        """Steps for texts, numbers at the end."""
        steps = [self.imputer(texts=True)] if self.chance.random() < 0.4 else []
        steps.append(self.encoder(sparse=self.chance.random() < 0.3))
        if self.chance.random() < 0.3 and not getattr(steps[-1], "sparse_output", False):
            steps.append(self.scaler())
        return make_pipeline(*steps)

    def of_numbers(self) -> Any:
        """Steps for numbers."""
        if self.chance.random() < 0.15:
            union = [("a", self.of_numbers()), ("b", (MissingIndicator(features="all"))), ("c", self.scaler())]
            return FeatureUnion(union, transformer_weights=self.chance.choice([None, {"c": 0.3}]))
        steps: list[Any] = []
        if self.chance.random() < 0.2:
            steps.append(self.scaler())
        if self.chance.random() < 0.6:
            steps.append(self.imputer(texts=False))
        if self.chance.random() < 0.2:
            steps.append(self.encoder())
        steps += [self.scaler() for _ in range(self.chance.randrange(3))]
        return make_pipeline(*steps) if steps else "passthrough"

    def preprocessing(self) -> Any:
        """A ColumnTransformer over some columns, perhaps nested or followed by more."""
        numbers = self.chance.sample(NUMBERS, self.chance.randrange(1, 6))
        more = self.chance.sample(NUMBERS, self.chance.randrange(1, 3))
        texts = self.chance.sample(TEXTS, self.chance.randrange(1, 3))
        parts = [("n", self.of_numbers(), numbers), ("c", self.of_texts(), texts), ("m", self.of_numbers(), more)]
        self.chance.shuffle(parts)
        inner = (
            ColumnTransformer(
                parts, sparse_threshold=self.chance.choice([0.0, 0.3, 1.0]),
                transformer_weights=self.chance.choice([None, None, {"n": 2.5}]),
            )
        )  # fmt: skip
        after = [("more", StandardScaler(with_mean=False))] if self.chance.random() < 0.3 else []
        return Pipeline([("columns", inner), *after])
