"""A Parquet file + contract (+ reference) -> profile and tally, each column read and converted once.

Columns do not hang on each other: one is counted and forgotten while the next is read. Memory is that of two columns,
whatever their number. What breaks the contract is found on the way (`lifecycle.profile`).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from lifecycle.profile import ColumnProfile, Profile
from lifecycle.reference import ColumnReference, Reference
from lifecycle.schema import Contract
from lifecycle.tally import ColumnTally, Tally
from tabular import raw
from tabular.column_profile import Mask, profile_of, sketched
from tabular.convert import typed
from tabular.look import kind_of, look


class OnePass:
    """Counts the columns of one Parquet file; `name` is the object's, for messages.

    With a `reference` there are counts in its bins instead of quantiles. Raises DatasetRejected when the file cannot be
    read as Parquet, or its header is not usable.
    """

    def __init__(self, path: Path, name: str, contract: Contract, reference: Reference | None = None) -> None:
        self._path = path
        self._name = name
        self._contract = contract
        self._reference = reference
        self.columns, self.rows = raw.parquet_header(path, name)

    def profile(self) -> Profile:
        """Return the profile."""
        return self.count()[0]

    def count(self, score: str | None = None) -> tuple[Profile, Tally | None]:
        """Return profile and tally (None without a reference); `score` names the column that holds scores."""
        bins = dict(self._reference.columns) if self._reference else {}
        if self._reference and score is not None:
            bins[score] = self._reference.scores
        bad, columns, tallies = Mask(), {}, {}
        for name, stored in self._stored(list(dict.fromkeys([*self._contract.by_name, *bins]))):
            found, tally = self._counted(name, stored, bins.get(name), bad)
            if found is not None:
                columns[name] = found
            if tally is not None:
                tallies[name] = tally
        extra = frozenset(self.columns) - self._contract.by_name.keys()
        profile = Profile(rows=self.rows, bad_rows=bad.count, columns=columns, extra=extra)
        if self._reference is None:
            return profile, None
        scores = self._missing(self._reference.scores) if score is None else tallies.pop(score)
        return profile, Tally(rows=self.rows, columns=tallies, scores=scores)

    def _stored(self, names: list[str]) -> Iterator[tuple[str, pl.Series | None]]:
        """Yield the columns as stored, None for those that the file lacks; the next one is read meanwhile."""
        with ThreadPoolExecutor(1) as reader:
            coming = [(name, reader.submit(self._read, name)) for name in names[:1]]
            for following in [*names[1:], None]:
                name, found = coming.pop()
                stored = found.result()
                if following is not None:
                    coming.append((following, reader.submit(self._read, following)))
                yield name, stored

    def _read(self, name: str) -> pl.Series | None:
        return raw.parquet_column(self._path, self._name, name) if name in self.columns else None

    def _counted(
        self, name: str, stored: pl.Series | None, bins: ColumnReference | None, bad: Mask
    ) -> tuple[ColumnProfile | None, ColumnTally | None]:
        column = self._contract.by_name.get(name)
        if stored is None:
            absent = ColumnProfile(rows=self.rows, absent=self.rows) if column else None
            return absent, self._missing(bins) if bins else None
        kind = kind_of(column, bins)
        read = typed(stored, kind)
        found = look(read[0], kind, bins)
        if column is None:
            return None, found.tally
        profile = profile_of(stored, read, column, found, bad)
        return profile if self._reference else sketched(profile, read[0]), found.tally

    def _missing(self, bins: ColumnReference) -> ColumnTally:
        return ColumnTally(counts=(0,) * len(bins.counts), missing=self.rows)
