"""What a simulation shows while it runs: the day it has come to, both models so far, and events as they happen."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from cli import output
from cli.follow import Board
from cli.simulation import Counted
from cli.simulation_events import Event
from lifecycle.spec import ModelSpec


class Progress:
    """A line that moves, where the terminal can; a line a month where it cannot; nothing when quiet."""

    def __init__(self, spec: ModelSpec, board: Board, *, quiet: bool) -> None:
        self._spec, self._board, self._quiet = spec, board, quiet
        self._console = output.console(stderr=True)
        self._status = self._console.status("") if self._console.is_terminal and not quiet else None
        self._month = ""

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, at: float, events: Sequence[Event], counted: Counted) -> None:
        """Show where engine time is, and what happened since the last time."""
        for event in events:
            moment = datetime.fromisoformat(event["at"]).astimezone(UTC)
            self._line(f"{moment:%Y-%m-%d %H:%M}  {event['kind']:<9} {event['text']}")
        text = self._so_far(at, counted)
        if self._status is not None:
            self._status.update(output.escape(text))
        month = f"{datetime.fromtimestamp(at, UTC):%Y-%m}"
        if month != self._month:
            self._month = month
            if self._status is None:
                self._line(text)

    def note(self, text: str) -> None:
        """Print a line of its own."""
        self._line(text)

    def _line(self, text: str) -> None:
        if not self._quiet:
            self._console.print(f"  {output.escape(text)}", soft_wrap=True)

    def _so_far(self, at: float, counted: Counted) -> str:
        day = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
        days = counted.days.in_order()
        rows = sum(one.rows for one in days)
        if not rows:
            return day
        metric, mean = self._spec.objective.metric, self._spec.objective.from_mean
        frozen = mean(sum(one.frozen for one in days) / rows)
        renewing = mean(sum(one.renewing for one in days) / rows)
        return f"{day}  {rows:,} rows  {metric}: renewing {renewing:.4f}, frozen {frozen:.4f}"
