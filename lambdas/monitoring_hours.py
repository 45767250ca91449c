"""Objects of the prediction log -> counts of a window: each closed hour is read once, each settled day is one file.

Files are written so that the last one of an hour, its counts, says that the others are there. A run that dies between
two of them leaves nothing that counts, and the next one writes the same bytes again.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from cloud.objects import Bucket, Stored
from cloud.predictions import Predictions
from lifecycle import canonical, keys
from lifecycle.hour_counts import DIGITS, HourCounts, sources_id, total
from lifecycle.judged_model import JudgedModel
from lifecycle.window_hours import DAY_HOURS, HOUR, LOOKBACK_HOURS, Window, day_text, hour_of_text, hour_text, hours_of
from tabular import answers_file
from tabular.logged_rows import HourReader, packed_id

READERS: Final = 8
HourFacts = tuple[int, tuple[int, ...]]
"""Answered rows of an hour of arrival, and the hours (since the epoch) in which their predictions were made."""
COUNTS, ANSWERS, SAMPLE = ".json", ".answers.parquet", ".sample.json"


@dataclass(frozen=True, slots=True)
class Found:
    """Counts of a window.

    `stems` are where the files of each counted hour begin; `uncounted` hours are left to the next run. `newest` is
    when the newest object of the log was written (epoch seconds), None where none was seen.
    """

    counts: HourCounts
    stems: Mapping[int, str]
    uncounted: int
    newest: float | None


@dataclass(slots=True)
class Hours:
    """The hours of one model's log.

    `in_time` says whether another hour may be begun. `known` are facts of counted hours by their stem: those that the
    look before remembered, and those that this one learned.
    """

    model: str
    judged: JudgedModel
    log: Bucket
    kept: Bucket
    in_time: Callable[[], bool]
    known: dict[str, HourFacts] = field(default_factory=dict)
    _objects: dict[int, list[Stored]] = field(init=False, default_factory=dict)
    _files: dict[int, dict[str, float]] = field(init=False, default_factory=dict)

    def window(self, window: Window) -> Found:
        """Return the counts of a window, after counting what was not counted yet.

        Hours before the model went live count where they were counted already, as after a redeployment.
        """
        days = self._days(window)
        self._list(window)
        stems, uncounted = {}, 0
        for hour in window.hours_without(days):
            stem = self._stem(hour, window)
            if stem is None:
                continue
            if stem + COUNTS in self._files.get(hour, ()):
                stems[hour] = stem
            elif hour < self._live_hour:
                continue
            elif uncounted or not self.in_time():
                uncounted += 1
            else:
                self._count(hour, stem, window)
                stems[hour] = stem
        parts = self._read([*days.values(), *(stem + COUNTS for stem in stems.values())])
        if not uncounted:
            settled = {hour: parts[stem + COUNTS] for hour, stem in stems.items() if hour < window.settled}
            self._settle([day for day in window.days if day not in days], settled, stems)
        return Found(total(self.judged.reference, parts.values()), stems, uncounted, newest_of(self._objects))

    def stem(self, hour: int, found: Found) -> str | None:
        """Return where the files of an hour begin that was counted at any time; None where it never was."""
        files = self._files.get(hour)
        return found.stems.get(hour) or (_newest(files) if files else None)

    def facts(self, stem: str) -> HourFacts:
        """Return how many rows a counted hour holds, and of which hours."""
        if stem not in self.known:
            self._read([stem + COUNTS])
        return self.known[stem]

    def remembered(self) -> dict[str, HourFacts]:
        """Return the facts that the next look may need."""
        stems = {key.removesuffix(COUNTS) for files in self._files.values() for key in files}
        return {stem: self.known[stem] for stem in sorted(stems) if stem in self.known}

    def answers(self, stem: str) -> pl.DataFrame:
        """Return the answers of a counted hour."""
        return answers_file.read(self.kept.need(stem + ANSWERS))

    def sample(self, stem: str) -> dict[str, Any]:
        """Return sampled rows of a counted hour by id."""
        found: dict[str, Any] = self.kept.need_json(stem + SAMPLE)
        return found

    @property
    def _live_hour(self) -> int:
        return self.judged.live.since // HOUR

    def _days(self, window: Window) -> dict[int, str]:
        """The settled days of the window that are one file already."""
        if not window.days:
            return {}
        prefix = keys.monitoring(self.model, "days", "")
        found = {}
        for key in self.kept.keys(prefix, after=prefix + day_text(window.days[0])):
            text, _, name = key.removeprefix(prefix).partition("/")
            if name.startswith(self.judged.yardstick):
                found[text] = key
        return {day: found[day_text(day)] for day in window.days if day_text(day) in found}

    def _list(self, window: Window) -> None:
        """List the files kept, and the log's objects from the hour before the first that may still get some."""
        first = max(window.first, window.settled) - 1
        self._objects = {hour: [] for hour in range(first, window.until)} | arrived(self.log, self.model, first)
        prefix = keys.monitoring(self.model, "hours", "")
        for entry in self.kept.stored(prefix, after=prefix + hour_text(window.until - LOOKBACK_HOURS)):
            text, _, name = entry.key.removeprefix(prefix).partition("/")
            hour = hour_of_text(text)
            if hour is not None and name.startswith(self.judged.yardstick) and not name.endswith((ANSWERS, SAMPLE)):
                self._files.setdefault(hour, {})[entry.key] = entry.modified

    def _arrived(self, hour: int) -> list[Stored]:
        """The objects of an hour; settled ones are listed only if they have to be, a day at once."""
        if hour not in self._objects:
            listed = self.log.stored(keys.predictions_of_day(self.model, hour * HOUR))
            self._objects = {each: [] for each in hours_of(hour // DAY_HOURS)} | _by_hour(listed) | self._objects
        return self._objects[hour]

    def _stem(self, hour: int, window: Window) -> str | None:
        """Where the files of an hour begin, counted or not; None for an hour in which nothing arrived."""
        files = self._files.get(hour, {})
        if hour < window.settled and files:
            return _newest(files)
        if (hour < self._live_hour and not files) or not self._arrived(hour):
            return None
        # copies are recognised by the hour before, so its objects are sources as well
        sources = sources_id((each.key, each.tag) for each in [*self._arrived(hour - 1), *self._arrived(hour)])
        return keys.monitoring(self.model, "hours", hour_text(hour), f"{self.judged.yardstick}-{sources}")

    def _count(self, hour: int, stem: str, window: Window) -> None:
        log = Predictions(self.log, self.model)
        reader = HourReader(self.judged, self._ids_before(hour, window))
        for record in log.of_objects(each.key for each in self._arrived(hour)):
            reader.add(record)
        found = reader.finish(log.unreadable)
        self.kept.write(stem + ANSWERS, answers_file.to_bytes(found.answers))
        self.kept.write(stem + SAMPLE, canonical.to_bytes(found.sample))
        self.kept.write(stem + COUNTS, canonical.to_bytes(found.counts.to_plain()))
        self._files.setdefault(hour, {})[stem + COUNTS] = 0.0

    def _ids_before(self, hour: int, window: Window) -> frozenset[bytes]:
        """The ids of this version's rows in the hour before: from its file, or from the log where there is none."""
        before = self._stem(hour - 1, window)
        if before is not None and before + COUNTS in self._files.get(hour - 1, ()):
            return answers_file.ids(self.kept.need(before + ANSWERS))
        records = Predictions(self.log, self.model).of_objects(each.key for each in self._arrived(hour - 1))
        mine = (r["prediction_id"] for r in records if str(r.get("model_version")) == self.judged.version)
        return frozenset(packed for packed in map(packed_id, mine) if packed is not None)

    def _read(self, names: Iterable[str]) -> dict[str, HourCounts]:
        wanted = list(names)
        with ThreadPoolExecutor(READERS) as pool:
            bodies = pool.map(self.kept.need, wanted)
            found = {name: HourCounts.from_plain(json.loads(body)) for name, body in zip(wanted, bodies, strict=True)}
        self.known |= {name.removesuffix(COUNTS): (one.answered, tuple(one.events)) for name, one in found.items()}
        return found

    def _settle(self, days: Iterable[int], counted: Mapping[int, HourCounts], stems: Mapping[int, str]) -> None:
        """Write each day's hours as one file."""
        for day in days:
            mine = [hour for hour in hours_of(day) if hour in counted]
            if mine:
                merged = total(self.judged.reference, (counted[hour] for hour in mine))
                made = canonical.digest([stems[hour] for hour in mine])[:DIGITS]
                key = keys.monitoring(self.model, "days", day_text(day), f"{self.judged.yardstick}-{made}.json")
                self.kept.write(key, canonical.to_bytes(merged.to_plain()))


def newest_of(objects: Mapping[int, Iterable[Stored]]) -> float | None:
    """Return when the newest row arrived (epoch seconds), as far as objects by their hour of arrival tell; or None.

    Within its hour an object's rows are as old as the object, which may have been delivered later than that.
    """
    moments = (min(each.modified, (hour + 1.0) * HOUR) for hour, found in objects.items() for each in found)
    return max(moments, default=None)


def arrived(log: Bucket, model: str, first: int) -> dict[int, list[Stored]]:
    """Return the objects of a model's log by their hour of arrival, from the hour `first` on."""
    return _by_hour(log.stored(keys.predictions(model), after=keys.predictions_of_hour(model, first * HOUR)))


def _by_hour(listed: Iterable[Stored]) -> dict[int, list[Stored]]:
    found: dict[int, list[Stored]] = {}
    for entry in listed:
        arrival = keys.parse_predictions(entry.key)
        if arrival is not None:
            found.setdefault(int(arrival) // HOUR, []).append(entry)
    return found


def _newest(files: Mapping[str, float]) -> str:
    return max(files, key=lambda key: (files[key], key)).removesuffix(COUNTS)
