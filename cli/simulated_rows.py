"""Files of a dataset -> what a simulation uploads for its first months, and what it asks, hour by hour, afterwards."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from lifecycle.errors import DatasetRejected
from lifecycle.schema import Contract, Kind
from lifecycle.simulation import begin, end, kept
from tabular.read import read_objects

_AT, _ASKED = "perennial at", "perennial asked"
DAY: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows of engine time `at` (epoch seconds), each with its own time, its label (None: never), and whether to ask."""

    at: float
    rows: list[dict[str, Any]]
    times: list[float]
    labels: list[Any]
    asked: list[bool]

    def places(self, *, asked: bool) -> list[int]:
        """Return the places of the rows that are asked, or of those that are not."""
        return [place for place, found in enumerate(self.asked) if found is asked]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Which rows a simulation asks and learns from: `share` (0 to 1) of all; and by which both models are judged.

    From the first moment of the month `since` on those asked are all of one day in `days`, and none of the other days:
    so that a day's rows are enough to look at, and the loop has fewer days to work on. Judged by are `judged` (0 to 1)
    of the rows of every day, those asked among them where `judged` is at least `share * days`.
    """

    share: float = 1.0
    days: int = 1
    since: str = ""
    judged: float = 0.0


class Rows:
    """All rows of some files in order of time, sampled; every method tells rows by the month of their time (UTC)."""

    def __init__(self, files: Sequence[Path], contract: Contract, sample: Sample) -> None:
        """Read the files. Raises DatasetRejected where one cannot be read, or where rows have no time."""
        if contract.time is None:
            raise DatasetRejected(
                f"rows without a time cannot be replayed: name the column that orders them (`time:`) in the "
                f"model.yaml of {contract.target!r}'s model"
            )
        self._contract = contract
        frame = read_objects([(file, file.name) for file in files], contract)
        at = frame[contract.time].dt.epoch("us") / 1e6
        self._frame = _sample(frame.with_columns(at.alias(_AT)).drop_nulls(_AT).sort(_AT), contract, sample)

    def __len__(self) -> int:
        """Return the number of rows that are asked or learnt from."""
        return int(self._frame[_ASKED].sum())

    def months(self) -> list[str]:
        """Return the months that have rows."""
        found = self._frame[self._contract.time or ""].dt.strftime("%Y-%m").unique()
        return sorted(found.to_list())

    def upload(self, month: str, folder: Path) -> Path:
        """Write the rows of a month that are learnt from, labelled or not, as a file of the dataset; return it."""
        path = folder / f"{month}.parquet"
        self._between(begin(month), end(month)).filter(_ASKED).drop(_AT, _ASKED).write_parquet(path)
        return path

    def blocks(self, first: str, last: str, hours: int) -> list[Block]:
        """Return the rows of the months from `first` to `last` in blocks of some hours, each of the time it is over."""
        start, after = begin(first), end(last)
        seconds = hours * 3600
        frame = self._between(start, after).with_columns(
            ((pl.col(_AT) - start) / seconds).floor().cast(pl.Int64).alias("block")
        )
        found = []
        for part in frame.partition_by("block", maintain_order=True):
            found.append(self._block(start + (part["block"][0] + 1) * seconds, part))
        return found

    def _between(self, start: float, after: float) -> pl.DataFrame:
        return self._frame.filter((pl.col(_AT) >= start) & (pl.col(_AT) < after))

    def _block(self, at: float, part: pl.DataFrame) -> Block:
        kinds = {column.name: column.kind for column in self._contract.inputs}
        rows = part.select(list(kinds)).to_dicts()
        for name in [name for name, kind in kinds.items() if kind is Kind.DATETIME]:
            for row in rows:
                row[name] = None if row[name] is None else row[name].isoformat()
        return Block(
            at=at,
            rows=rows,
            times=part[_AT].to_list(),
            labels=part[self._contract.target].to_list(),
            asked=part[_ASKED].to_list(),
        )


def _sample(frame: pl.DataFrame, contract: Contract, sample: Sample) -> pl.DataFrame:
    """The rows that are asked or judged by, told by their id, or by their number where the contract has none."""
    if sample.share >= 1:
        return frame.with_columns(pl.lit(value=True).alias(_ASKED))
    names = frame[contract.id].cast(pl.String).to_list() if contract.id else [str(n) for n in range(len(frame))]
    since = begin(sample.since) if sample.since else math.inf
    told = list(zip([name or "" for name in names], frame[_AT].to_list(), strict=True))
    asked = pl.Series(_ASKED, [_is_asked(name, at, sample, since) for name, at in told], dtype=pl.Boolean)
    judged = pl.Series([kept(name, sample.judged) for name, _ in told], dtype=pl.Boolean)
    return frame.with_columns(asked).filter(asked | judged)


def _is_asked(name: str, at: float, sample: Sample, since: float) -> bool:
    if at < since:
        return kept(name, sample.share)
    return int(at // DAY) % sample.days == 0 and kept(name, sample.share * sample.days)
