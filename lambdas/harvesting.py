"""Labels that came by feedback + the logged rows they belong to -> files of the dataset: one for each day.

Opened by whoever decides on retraining, one at a time for a model (its claim): first it counts, and if a run may start
it uploads what it joined to count. What is uploaded raises S3's event like any upload, so a data version is cut from
it. Days are joined one by one, hour by hour, and what was joined is remembered; a harvest that runs out of time leaves
the rest to the next one.
"""

import csv
import gzip
import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from itertools import batched, groupby
from math import ceil
from pathlib import Path
from typing import Final, Protocol

from cloud.objects import Bucket
from lambdas import wiring
from lambdas.labelled_log import DAY_HOURS, LabelledLog
from lambdas.observability import note
from lifecycle import keys
from lifecycle.feedback_label import Value
from lifecycle.harvest import Labelled, LeftOut, day_of, day_of_name, folder_of, in_order, name_of
from lifecycle.harvest_index import Fingerprint, Index, Joined
from lifecycle.spec import ModelSpec
from lifecycle.versions import Current, Manifest

SECONDS: Final = 600.0  # of the function's fifteen minutes, for joining
UPLOAD_SECONDS: Final = 200.0  # for uploading, and for joining days again that an earlier harvest only counted
DAYS_AT_ONCE: Final = 4  # whose labels are asked for together
FASTEST: Final = 1  # of gzip's levels: smaller files take three times as long to write


@dataclass(frozen=True, kw_only=True, slots=True)
class Harvested:
    """What a harvest found and did.

    `rows` labelled rows are not in the dataset's newest version, of `total` there are. `keys` were written: the
    data version that is cut from them holds those rows; empty when there are too few rows, or all were there already.
    `complete` is False when time ran out: the next harvest goes on.
    """

    rows: int
    total: int
    keys: tuple[str, ...]
    complete: bool


class Places(Protocol):
    """Settings of a function that harvests: where labels, log and data lie, and who says what is live."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def data_bucket(self) -> str: ...  # noqa: D102
    @property
    def artifact_bucket(self) -> str: ...  # noqa: D102
    @property
    def labels_table(self) -> str: ...  # noqa: D102


@contextmanager
def harvesting(settings: Places, *, seconds: float = SECONDS) -> Iterator["Harvest"]:
    """Open a harvest; what it joined stays on disk until it is closed. Nothing is read before it is asked for."""
    data = wiring.bucket(settings.data_bucket)
    with tempfile.TemporaryDirectory() as folder:
        yield Harvest(
            spec=wiring.packaged_spec(),
            data=data,
            artifacts=wiring.bucket(settings.artifact_bucket),
            log=LabelledLog(
                model=settings.model, data=data, labels=wiring.labels(settings.labels_table, settings.model)
            ),
            folder=Path(folder),
            now=wiring.now,
            seconds=seconds,
        )


@dataclass(kw_only=True)
class Harvest:
    """Harvests one model once. `seconds` are for joining; the days that are not reached by then wait for the next one.

    Raises Throttled or Unavailable when AWS does not answer; another harvest goes on where this ended.
    """

    spec: ModelSpec
    data: Bucket
    artifacts: Bucket
    log: LabelledLog
    folder: Path
    now: Callable[[], float]
    seconds: float = SECONDS
    _began: float = field(init=False, default=0.0)
    _index: Index = field(init=False, default_factory=Index)
    _found: Harvested | None = field(init=False, default=None)

    def count(self) -> Harvested:
        """Join new labels with their logged rows and count them; asked again, it answers the same."""
        if self._found is None:
            self._began = self.now()
            self._index = Index.from_plain(self.artifacts.read_json(keys.harvests(self.spec.model)))
            complete = self._join(self._began + self.seconds)
            rows, total = self._index.fresh(self._known()), sum(day.rows for day in self._index.days.values())
            self._found = Harvested(rows=rows, total=total, keys=(), complete=complete)
            note("feedback counted", new=rows, rows=total, complete=complete)
        return self._found

    def upload(self) -> Harvested:
        """Count; if any row is new, upload what is not there yet."""
        found = self.count()
        if found.rows:
            found = replace(found, keys=tuple(self._upload(self.now() + UPLOAD_SECONDS)))
            note("feedback uploaded", new=found.rows, rows=found.total, files=len(found.keys))
        return found

    def _join(self, until: float) -> bool:
        """Bring the index up to date, oldest day first; leave the files that were made in `folder`."""
        index, contract = self._index, self.spec.contract.contract_id
        for place, (day, hours) in enumerate(self._loaded(index.in_turn(self._days(index.days)))):
            if place and self.now() > until:  # each harvest gets further, however slowly labels come
                self._remember(index.stopped_at(day))
                return False
            found, known = self._fingerprint(hours), index.days.get(day)
            if found.hours if known is None else not known.is_current(day, contract, found.text):
                index.days[day] = self._joined(day, found).after(known)
            if known is None or not known.is_pending or self._path(day).exists():
                self.log.forget(hours)  # the others are joined again before they are uploaded
        self._remember(index.stopped_at(None))
        return True

    def _loaded(self, days: Iterable[tuple[int, list[int]]]) -> Iterator[tuple[int, list[int]]]:
        """Yield days with their hours, whose labels were asked for some days at a time."""
        for some in batched(days, DAYS_AT_ONCE):
            self.log.load(hour for _, hours in some for hour in hours)
            yield from some

    def _fingerprint(self, hours: Iterable[int]) -> Fingerprint:
        return Fingerprint((hour, self.log.labels_of(hour)) for hour in hours)

    def _joined(self, day: int, found: Fingerprint) -> Joined:
        """Write the file of a day; without a row there is none."""
        path = self._path(day)
        left: Counter[str] = Counter()
        rows = unknown = 0
        with path.open("wb") as raw, gzip.GzipFile("", "wb", FASTEST, raw, mtime=0) as packed:
            text = io.TextIOWrapper(packed, "utf-8", newline="")
            maker = Labelled(self.spec.contract)
            writer = csv.writer(text, lineterminator="\r\n")
            writer.writerow(maker.header)
            for hour in found.hours:
                labels = self.log.labels_of(hour)
                made = self._rows(maker, hour, labels)
                unknown += len(labels) - len(made)
                left.update(cells.reason for cells in made.values() if isinstance(cells, LeftOut))
                lines = in_order(made)
                writer.writerows(lines)
                rows += len(lines)
            text.flush()
        note("day joined", day=name_of(self.spec.model, day), rows=rows, unknown=unknown, left_out=sum(left.values()))
        return Joined(
            contract=self.spec.contract.contract_id,
            labels=found.text,
            joined_at=self._began,  # what came since is not in the log as it was listed
            rows=rows,
            sha256=_sha256(path) if rows else None,
            unknown=unknown,
            left_out=dict(sorted(left.items())),
        )

    def _rows(self, maker: Labelled, hour: int, labels: Mapping[str, Value]) -> dict[str, list[str] | LeftOut]:
        """The cells of an hour's labelled predictions, by their ids."""
        found = self.log.labelled(hour, labels)
        return {record["prediction_id"]: maker.cells(record, label) for record, label in found}

    def _upload(self, until: float) -> list[str]:
        """Upload what is not there yet; a day that has no row any more has no file either."""
        index, there = self._index, self._files()
        written = []
        for day, known in sorted(index.days.items()):
            if not known.is_pending and (known.sha256 is None or day in there):
                continue
            if self.now() > until:
                break
            path, key = self._path(day), keys.incoming(self.spec.dataset, name_of(self.spec.model, day))
            joined = known
            if not path.exists():  # joined by an earlier harvest, which only counted
                hours = self.log.hours(day, day)
                joined = self._joined(day, self._fingerprint(hours)).after(known)
                self.log.forget(hours)
            if joined.sha256 is None:
                self.data.delete(key)
            else:
                self.data.upload(path, key)
            index.days[day] = replace(joined, uploaded=joined.sha256)
            written.append(key)
        if written:
            self._remember(index)
        return written

    def _days(self, known: Mapping[int, Joined]) -> Iterator[tuple[int, list[int]]]:
        """The days to look at, with the hours in which there may be predictions.

        While labels may come, and as long as an older file has the columns of another contract.
        """
        today, contract = day_of(self.now()), self.spec.contract.contract_id
        first = today - ceil(self.spec.serving.feedback_days) - 1
        for day in sorted(day for day, joined in known.items() if day < first and joined.contract != contract):
            yield day, self.log.hours(day, day)
        for day, hours in groupby(self.log.hours(first, today), lambda hour: hour // DAY_HOURS):
            yield day, list(hours)

    def _known(self) -> dict[int, str]:
        """The harvested files in the dataset's newest version: SHA-256 by day.

        Not in the live model's: rows that a rejected model learned from would call for the same run again.
        """
        current = self.data.read_json(keys.current(self.spec.dataset))
        raw = current and self.data.read_json(keys.manifest(self.spec.dataset, Current.from_plain(current).version))
        if not raw:
            return {}
        found = {day_of_name(entry.name): entry for entry in Manifest.from_plain(raw).objects}
        return {
            day: entry.sha256
            for day, entry in found.items()
            if day is not None and entry.name == name_of(self.spec.model, day)
        }

    def _files(self) -> set[int]:
        """The days whose file is in the dataset."""
        prefix = keys.incoming(self.spec.dataset)
        there = self.data.keys(f"{prefix}{folder_of(self.spec.model)}")
        return {day for day in (day_of_name(key.removeprefix(prefix)) for key in there) if day is not None}

    def _remember(self, index: Index) -> None:
        self.artifacts.write_json(keys.harvests(self.spec.model), index.to_plain())

    def _path(self, day: int) -> Path:
        return self.folder / f"{day}.csv.gz"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
