"""Seeded rows of twenty features with a score and a label, and the shifts that are made in them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from lifecycle.schema import Column, Contract, Kind, Task

Numbers = npt.NDArray[np.float64]
Shift = Callable[[pl.DataFrame, np.random.Generator, float], pl.DataFrame]

NUMBERS = [f"n{place:02}" for place in range(14)]
CATEGORIES = [f"c{place}" for place in range(6)]
SIZES = (2, 5, 8, 30, 80, 12)
HARDLY_USED = ("n12", "c4")
CONTRACT = Contract(
    task=Task.BINARY,
    target="label",
    positive="true",
    columns=(
        *(Column(name=name, kind=Kind.NUMBER) for name in NUMBERS),
        *(Column(name=name, kind=Kind.CATEGORY) for name in CATEGORIES),
        Column(name="label", kind=Kind.BOOLEAN),
    ),
)


def rows(draw: np.random.Generator, count: int) -> pl.DataFrame:
    """Return rows whose labels are drawn from the very probabilities that the score tells."""
    table: dict[str, object] = {name: draw.normal(place, 1 + place, count) for place, name in enumerate(NUMBERS[:8])}
    table["n08"] = draw.lognormal(0, 1, count)
    table["n09"] = draw.exponential(5, count)
    table["n10"] = np.where(draw.random(count) < 0.7, 0.0, draw.exponential(2, count))
    table["n11"] = draw.poisson(3, count).astype(float)
    table["n12"] = draw.uniform(-1, 1, count)
    table["n13"] = draw.normal(0, 1, count)
    for name, size in zip(CATEGORIES, SIZES, strict=True):
        shares = 1 / np.arange(1, size + 1)
        table[name] = np.array([f"v{n}" for n in range(size)])[draw.choice(size, count, p=shares / shares.sum())]
    made = empty(empty(pl.DataFrame(table), "n13", draw.random(count) < 0.3), "c5", draw.random(count) < 0.05)
    return labelled(scored(made), draw)


def scored(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with the model's answers; the model holds values to three deviations, as trees would."""
    total = np.full(table.height, -1.6)
    for place, name in enumerate(NUMBERS):
        centre, wide = (place, 1 + place) if place < 8 else (1.5, 2.0)
        values = np.clip((table[name].fill_null(centre).to_numpy() - centre) / wide, -3, 3)
        total += (0.01 if name in HARDLY_USED else 0.3) * (-1) ** place * values
    for name in CATEGORIES:
        numbers = table[name].fill_null("v0").str.slice(1).cast(pl.Int64, strict=False).fill_null(0).to_numpy()
        total += (0.01 if name in HARDLY_USED else 0.5) * (numbers % 2)
    return table.with_columns(score=pl.Series(1 / (1 + np.exp(-total))))


def labelled(table: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    """Return the table with labels drawn from its scores."""
    return table.with_columns(label=pl.Series(draw.random(table.height) < table["score"].to_numpy()))


def importances() -> dict[str, float]:
    """Return equal shares of all features that the model uses, and next to nothing of those that it hardly does."""
    names = [*NUMBERS, *CATEGORIES]
    shares = {name: 0.002 if name in HARDLY_USED else 1.0 for name in names}
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def empty(table: pl.DataFrame, name: str, which: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """Return the table with some of a column's values gone."""
    return table.with_columns(pl.when(pl.Series(which)).then(None).otherwise(pl.col(name)).alias(name))


def _changed(table: pl.DataFrame, name: str, values: Numbers, draw: np.random.Generator | None) -> pl.DataFrame:
    """Values that really changed bring labels of their own; values that are only told wrong do not."""
    found = scored(table.with_columns(pl.Series(name, values)))
    return labelled(found, draw) if draw is not None else found


def mean(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """A normal feature rises by `size` deviations."""
    return _changed(table, "n03", table["n03"].to_numpy() + 4 * size, draw)


def spread(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """A normal feature's deviation becomes `size` times as large."""
    return _changed(table, "n04", 4 + (table["n04"].to_numpy() - 4) * size, draw)


def skewed(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """All of a lognormal feature becomes larger by a share `size`."""
    return _changed(table, "n08", table["n08"].to_numpy() * (1 + size), draw)


def swap(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """In a share `size` of the rows, the most frequent category and a rare one change places."""
    other = {"v0": "v5", "v5": "v0"}
    swapped = pl.when(pl.Series(draw.random(table.height) < size)).then(pl.col("c2").replace(other))
    return labelled(scored(table.with_columns(swapped.otherwise(pl.col("c2")).alias("c2"))), draw)


def unseen(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """A share `size` of the rows has a category that training never saw."""
    new = pl.when(pl.Series(draw.random(table.height) < size)).then(pl.lit("new"))
    return scored(table.with_columns(new.otherwise(pl.col("c1")).alias("c1")))


def burst(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """A share `size` of a feature's values is missing."""
    return scored(empty(table, "n05", draw.random(table.height) < size))


def unit(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """A share `size` of the rows tells a feature in a unit a thousand times smaller."""
    factor = np.where(draw.random(table.height) < size, 1000.0, 1.0)
    return _changed(table, "n09", table["n09"].to_numpy() * factor, None)


def prior(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """Positive rows become `size` times as frequent against negative ones; what belongs to which stays."""
    weights = np.where(table["label"].to_numpy(), size, 1.0)
    return table[draw.choice(table.height, table.height, p=weights / weights.sum())]


def concept(table: pl.DataFrame, draw: np.random.Generator, size: float) -> pl.DataFrame:
    """Inputs stay as they are; in a share `size` of the rows, the label follows the opposite rule."""
    likely = table["score"].to_numpy()
    likely = np.where(draw.random(table.height) < size, 1 - likely, likely)
    return table.with_columns(label=pl.Series(draw.random(table.height) < likely))


COLUMNS = {
    "mean, deviations": "n03",
    "deviation, times": "n04",
    "lognormal, larger by": "n08",
    "category swap, share of rows": "c2",
    "unseen category, share of rows": "c1",
    "missing burst, share of rows": "n05",
    "unit x1000, share of rows": "n09",
}
SHIFTS: dict[str, tuple[Shift, tuple[float, ...]]] = {
    "mean, deviations": (mean, (0.1, 0.2, 0.35, 0.5, 1.0)),
    "deviation, times": (spread, (1.15, 1.25, 1.5, 2.0)),
    "lognormal, larger by": (skewed, (0.1, 0.3, 0.5, 1.0)),
    "category swap, share of rows": (swap, (0.1, 0.25, 0.5, 1.0)),
    "unseen category, share of rows": (unseen, (0.02, 0.05, 0.15)),
    "missing burst, share of rows": (burst, (0.05, 0.15, 0.3, 1.0)),
    "unit x1000, share of rows": (unit, (0.02, 0.1, 1.0)),
    "labels, times as many positives": (prior, (1.5, 2.0, 4.0)),
    "concept, share of rows": (concept, (0.1, 0.2, 0.5)),
}
