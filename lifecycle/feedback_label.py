"""What is stored of a label: by which key, with which history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Value = str | float
"""A class as text, or a number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A stored label. Times are epoch seconds; `time` is when it became known, if that was said.

    `source` says how it came: an object and its version, or a request. `found` tells whether the prediction was seen in
    the log. `history` holds what was replaced: label, recorded_at, source.
    """

    prediction_id: str
    label: Value
    recorded_at: float
    source: str
    time: float | None = None
    found: bool = False
    history: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """`after` is to be stored if `before` (None: nothing) still is."""

    before: Label | None
    after: Label


def hour_of(at: float) -> int:
    """Return the hour since the epoch that holds `at` (epoch seconds)."""
    return int(at // 3600)


def partition(model: str, hour: int) -> str:
    """Return the table key of the labels of predictions that were made in an hour since the epoch.

    >>> partition("flights", 498677)
    'flights#2026-11-21T05'
    """
    return f"{model}#{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%dT%H}"
