"""Records of one arrival hour of the prediction log -> their counts, and what labels will need of each row.

Records stream through in blocks, so that memory holds ids, answers and slices of an hour, never its rows.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heappushpop
from math import isfinite
from operator import itemgetter
from typing import Any, Final

import polars as pl

from lifecycle.hour_counts import Expected, HourCounts
from lifecycle.judged_model import JudgedModel
from lifecycle.prediction_id import time_of
from lifecycle.schema import Kind, Task
from lifecycle.tally import Tally
from tabular.convert import DTYPES, typed
from tabular.losses import expected_losses
from tabular.tally import tally_of

BLOCK: Final = 20_000
SAMPLED: Final = 300
ID: Final = "id"
OUTPUT: Final = "output"
DECIDED: Final = "decided"
SCORE: Final = "score"
_HOUR_MS: Final = 3_600_000
_RANDOM: Final = slice(8, 16)
"""The bytes of an id that are chance alone: the rows with the smallest ones are a fair sample of any set of rows."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HourRows:
    """An hour, read.

    `answers` has one row per prediction of the judged version: ID (16 bytes), OUTPUT (the probability, the value, or
    the list of probabilities by class; null in a copy of the hour before), DECIDED (1 or 0, binary) and the sliced
    columns as text. `sample` holds raw rows by id (hex), without private columns.
    """

    counts: HourCounts
    answers: pl.DataFrame
    sample: dict[str, Record]


@dataclass(slots=True)
class HourReader:
    """Takes the records of one hour; `before` holds the ids (16 bytes) of the hour before it."""

    model: JudgedModel
    before: Container[bytes] = frozenset()
    _counts: HourCounts = field(init=False)
    _seen: set[bytes] = field(init=False, default_factory=set)
    _ids: list[bytes] = field(init=False, default_factory=list)
    _block: list[Record] = field(init=False, default_factory=list)
    _frames: list[pl.DataFrame] = field(init=False, default_factory=list)
    _repeated: list[bytes] = field(init=False, default_factory=list)
    _sample: list[tuple[int, bytes, Record]] = field(init=False, default_factory=list)
    _seen_as: dict[str, int] = field(init=False, default_factory=dict)
    _events: dict[int, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with no rows."""
        self._counts = HourCounts(tally=Tally.empty(self.model.reference))
        self._seen_as = dict.fromkeys(("copies", "others", "cut"), 0)

    def add(self, record: Record) -> None:
        """Take one record of kind "prediction"."""
        if str(record.get("model_version")) != self.model.version:
            self._seen_as["others"] += 1
            return
        identity = record["prediction_id"]
        packed = packed_id(identity)
        if packed is None:
            self._seen_as["others"] += 1  # no id of ours: nobody could ever label it
            return
        if packed in self._seen:
            self._seen_as["copies"] += 1
            return
        self._seen.add(packed)
        if packed in self.before:
            self._seen_as["copies"] += 1
            self._repeated.append(packed)
            return
        hour = int.from_bytes(packed[:6]) // _HOUR_MS
        self._events[hour] = self._events.get(hour, 0) + 1
        self._ids.append(packed)
        self._block.append(record)
        self._keep(packed, record)
        if len(self._block) >= BLOCK:
            self._flush()

    def finish(self, unreadable: int = 0) -> HourRows:
        """Return what the hour held; `unreadable` lines and objects were no records."""
        self._flush()
        none = HourCounts(
            tally=Tally.empty(self.model.reference),
            copies=self._seen_as["copies"],
            others=self._seen_as["others"],
            cut=self._seen_as["cut"],
            unreadable=unreadable,
            events=self._events,
        )
        repeated = pl.DataFrame({ID: pl.Series(self._repeated, dtype=pl.Binary)})
        answers = pl.concat([_empty(self.model), *self._frames, repeated], how="diagonal")
        sample = {identity.hex(): row for _, identity, row in self._sample}
        return HourRows(self._counts.merge(none), answers, sample)

    def _keep(self, identity: bytes, record: Record) -> None:
        row = record.get("row")
        if not isinstance(row, dict):
            return
        place = -int.from_bytes(identity[_RANDOM])  # the head of the heap is the largest id that is kept
        if len(self._sample) == SAMPLED and place <= self._sample[0][0]:
            return
        entry = (place, identity, self._public(row))
        if len(self._sample) < SAMPLED:
            heappush(self._sample, entry)
        else:
            heappushpop(self._sample, entry)

    def _public(self, row: Record) -> Record:
        names = [column.name for column in self.model.contract.columns if not column.private]
        return {name: _plain(row[name]) for name in names if name in row}

    def _flush(self) -> None:
        if not self._block:
            return
        answers = _answers(self.model, self._ids, self._block)
        held = [place for place, record in enumerate(self._block) if isinstance(record.get("row"), dict)]
        rows = _rows(self.model, [self._block[place]["row"] for place in held])
        scored = rows.with_columns(_scores(self.model, answers, self._block)[held].alias("\0score"))
        counted = tally_of(scored, self.model.contract, self.model.reference, "\0score")
        slices = [_words(self.model, rows, name) for name in self.model.sliced]
        sliced = pl.DataFrame([pl.Series(ID, [self._ids[place] for place in held], dtype=pl.Binary), *slices])
        self._frames.append(answers.join(sliced, on=ID, how="left", maintain_order="left"))
        self._seen_as["cut"] += len(self._block) - len(held)
        self._counts = self._counts.merge(HourCounts(tally=counted, expected=_expected(self.model, answers)))
        self._ids, self._block = [], []


def packed_id(identity: str) -> bytes | None:
    """Return the 16 bytes of a prediction id; None for a text that is none."""
    return None if time_of(identity) is None else bytes.fromhex(identity.replace("-", ""))


def smallest(samples: Sequence[Mapping[str, Record]], most: int) -> list[Record]:
    """Return a fair sample of at most `most` rows of several hours' samples."""
    found = {identity: row for sample in samples for identity, row in sample.items()}
    return [found[identity] for identity in sorted(found, key=lambda text: (text[16:], text))[:most]]


def _rows(model: JudgedModel, rows: Sequence[Record]) -> pl.DataFrame:
    """The columns that the reference counts, as the log holds them. Values of a wrong type are missing."""
    kinds = {column.name: column.kind for column in model.contract.columns}
    names, found = list(model.reference.columns), []
    for name, values in zip(names, _columns(names, rows), strict=True):
        kind = kinds.get(name, Kind.TEXT)
        dtype = pl.String() if kind is Kind.DATETIME else DTYPES[kind]
        found.append(_series(name, values, dtype))
    return pl.DataFrame(found, height=len(rows))


def _columns(names: Sequence[str], rows: Sequence[Record]) -> Sequence[Sequence[Any]]:
    """Rows as columns; a row that lacks a name, as no row of the door does, has None there."""
    if len(names) > 1 and rows:
        try:
            return list(zip(*map(itemgetter(*names), rows), strict=True))
        except KeyError:
            pass
    return [[row.get(name) for row in rows] for name in names]


def _words(model: JudgedModel, rows: pl.DataFrame, name: str) -> pl.Series:
    kind = model.contract.by_name[name].kind
    values = typed(rows[name], kind)[0]
    texts = values.dt.strftime("%H") if values.dtype == pl.Datetime else values.cast(pl.String)
    return texts.alias(name)


def _answers(model: JudgedModel, ids: Sequence[bytes], records: Sequence[Record]) -> pl.DataFrame:
    columns = [pl.Series(ID, ids, dtype=pl.Binary)]
    if model.task is Task.MULTICLASS:
        classes = model.classes or ()
        by_class = [record.get("probabilities") for record in records]
        found = [[_number(p.get(c)) for c in classes] if isinstance(p, dict) else None for p in by_class]
        whole = [None if one is None or None in one else one for one in found]
        columns.append(pl.Series(OUTPUT, whole, dtype=pl.List(pl.Float64)))
    else:
        member = "probability" if model.task is Task.BINARY else "value"
        columns.append(pl.Series(OUTPUT, [_number(record.get(member)) for record in records], dtype=pl.Float64))
    decided = [int(record.get("decision") is True) for record in records]
    return pl.DataFrame([*columns, pl.Series(DECIDED, decided, dtype=pl.Int8)])


def _number(value: Any) -> float | None:
    return float(value) if value.__class__ in (int, float) and -1e308 < value < 1e308 else None


def _plain(value: Any) -> Any:
    """A value as a file can hold it; None for one that the door never takes, such as a list."""
    if value.__class__ is str:
        return value.encode(errors="backslashreplace").decode()  # JSON may hold half a character, UTF-8 may not
    if value.__class__ in (int, bool) or (value.__class__ is float and isfinite(value)):
        return value
    return None


def _series(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    try:
        return pl.Series(name, values, dtype=dtype, strict=False)
    except UnicodeEncodeError:
        return pl.Series(name, list(map(_plain, values)), dtype=dtype, strict=False)


def _scores(model: JudgedModel, answers: pl.DataFrame, records: Sequence[Record]) -> pl.Series:
    if model.task is not Task.MULTICLASS:
        return answers[OUTPUT]
    said = [record.get("decision") for record in records]
    return _series("", [each if isinstance(each, str) else None for each in said], pl.String())


def _expected(model: JudgedModel, answers: pl.DataFrame) -> Expected:
    if model.task is Task.REGRESSION:
        return Expected()
    known = answers.filter(pl.col(OUTPUT).is_not_null())
    if not known.height:
        return Expected()
    mean, squares = expected_losses(model.objective, model.task, *outputs_of(model, known))
    return Expected(rows=known.height, total=float(mean.sum()), squares=float(squares.sum()))


def outputs_of(model: JudgedModel, answers: pl.DataFrame) -> tuple[Any, Any]:
    """Return the outputs, shape (rows,) or (rows, classes), and what was decided, of rows whose OUTPUT is known."""
    outputs = answers[OUTPUT]
    if model.task is Task.MULTICLASS:
        outputs = outputs.list.to_array(len(model.classes or ()))
    return outputs.to_numpy(), answers[DECIDED].to_numpy()


def _empty(model: JudgedModel) -> pl.DataFrame:
    output: pl.DataType = pl.List(pl.Float64) if model.task is Task.MULTICLASS else pl.Float64()
    schema: dict[str, pl.DataType] = {ID: pl.Binary(), OUTPUT: output, DECIDED: pl.Int8()}
    return pl.DataFrame(schema=schema | dict.fromkeys(model.sliced, pl.String()))
