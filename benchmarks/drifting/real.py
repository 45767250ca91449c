"""The example's flights of 2013: rows of January to March drawn at random, whole days, and the rest of the year."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.drifting.setting import Setting
from stacks.model_yaml import read_model

MODEL = Path(__file__).parents[2] / "models" / "flights"
CONTRACT = read_model(MODEL / "model.yaml").contract
FEATURES = [c.name for c in CONTRACT.inputs if c.name not in ("flight_id", "scheduled", "year", "month", "day")]
BLIZZARD = ("2013-02-08", "2013-02-09")
SPLITS = 8
COLUMNS = {
    "temperature, 10 F warmer": "temp",
    "temperature x1000": "temp",
    "distance in km": "distance",
    "distance x1000": "distance",
    "two carriers swapped": "carrier",
    "a fifth of seats missing": "seats",
}
Cases = dict[str, list[pl.DataFrame]]
Draw = np.random.Generator


def flights(months: int = 3) -> pl.DataFrame:
    """Return the flights of the first months whose delay is known, with their date."""
    found = importlib.util.spec_from_file_location("flights_monthly", MODEL / "monthly.py")
    assert found is not None
    assert found.loader is not None
    monthly = importlib.util.module_from_spec(found)
    found.loader.exec_module(monthly)
    table: pl.DataFrame = monthly.flights().filter((pl.col("month") <= months) & pl.col("late").is_not_null())
    return table.rename({"late": "label"}).with_columns(date=pl.date("year", "month", "day").cast(pl.String))


class Model:
    """A model of flights, and the setting that its training leaves."""

    def __init__(self, learned: pl.DataFrame, held: pl.DataFrame) -> None:
        self._trees = HistGradientBoostingClassifier(max_iter=60, random_state=1)
        self._trees.fit(_encoded(learned), learned["label"].to_numpy())
        shares = dict.fromkeys(FEATURES, 1 / len(FEATURES))
        self.setting = Setting.of(CONTRACT, self.scored(learned), self.scored(held), shares)

    def scored(self, table: pl.DataFrame) -> pl.DataFrame:
        """Return the table with the model's answers."""
        return table.with_columns(score=pl.Series(self._trees.predict_proba(_encoded(table))[:, 1]))


def drawn(draw: Draw, stationary: int, shifted: int, rows: int) -> tuple[Setting, Cases]:
    """Return windows of rows that were drawn from all days: independent, whatever the weather of a day."""
    table = flights()
    table = table[draw.permutation(table.height)]
    model = Model(table[:20_000], table[20_000:30_000])
    pool = table[30_000:]

    def window() -> pl.DataFrame:
        return pool[draw.choice(pool.height, rows, replace=False)]

    cases = {"no shift": [model.scored(window()) for _ in range(stationary)]}
    for name, shift in shifts(draw).items():
        cases[name] = [model.scored(shift(window())) for _ in range(shifted)]
    return model.setting, cases


def days(draw: Draw) -> Iterator[tuple[Setting, Cases]]:
    """Yield splits of the days: half are learned from, a sixth is held out, the others are windows as they were."""
    table = flights()
    dates = table["date"].unique().sort().to_numpy()
    for _ in range(SPLITS):
        mixed = draw.permutation(dates)
        learned, held, live = (table.filter(pl.col("date").is_in(part.tolist())) for part in np.split(mixed, [45, 60]))
        model = Model(learned, held)
        parts = live.partition_by("date", maintain_order=True)
        calm = [part for part in parts if part["date"][0] not in BLIZZARD]
        storm = [part for part in parts if part["date"][0] in BLIZZARD]
        cases = {"no shift": [model.scored(part) for part in calm]}
        cases["the blizzard of 8 and 9 February"] = [model.scored(part) for part in storm]
        for name, shift in shifts(draw).items():
            cases[name] = [model.scored(shift(part)) for part in calm[:3]]
        yield model.setting, cases


def year() -> tuple[Setting, Cases]:
    """Return the days of April to December as windows of a model that learned from January to March."""
    table = flights(12)
    first, later = table.filter(pl.col("month") <= 3), table.filter(pl.col("month") > 3)
    newest = first["date"].unique().sort()[-18]
    model = Model(first.filter(pl.col("date") < newest), first.filter(pl.col("date") >= newest))
    cases: Cases = {}
    for (month, _), day in later.partition_by("month", "day", maintain_order=True, as_dict=True).items():
        cases.setdefault(f"2013-{month:02}", []).append(model.scored(day))
    return model.setting, cases


def shifts(draw: Draw) -> dict[str, Any]:
    """Return what may happen to flights."""

    def some(table: pl.DataFrame, share: float) -> pl.Expr:
        return pl.when(pl.Series(draw.random(table.height) < share))

    def prior(table: pl.DataFrame) -> pl.DataFrame:
        weights = np.where(table["label"].to_numpy(), 3.0, 1.0)
        return table[draw.choice(table.height, table.height, p=weights / weights.sum())]

    swapped = pl.col("carrier").replace({"UA": "MQ", "MQ": "UA"})
    return {
        "temperature, 10 F warmer": lambda table: table.with_columns(pl.col("temp") + 10),
        "temperature x1000": lambda table: table.with_columns(pl.col("temp") * 1000),
        "distance in km": lambda table: table.with_columns(pl.col("distance") * 1.609),
        "distance x1000": lambda table: table.with_columns(pl.col("distance") * 1000),
        "two carriers swapped": lambda table: table.with_columns(swapped),
        "a fifth of seats missing": lambda table: table.with_columns(
            some(table, 0.2).then(None).otherwise(pl.col("seats")).alias("seats")
        ),
        "three times as many late flights": prior,
    }


def _encoded(table: pl.DataFrame) -> npt.NDArray[np.float64]:
    texts = [pl.col(name).hash(1) % 251 if table[name].dtype == pl.String else pl.col(name) for name in FEATURES]
    found: npt.NDArray[np.float64] = table.select([each.cast(pl.Float64) for each in texts]).to_numpy()
    return found
