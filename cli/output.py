"""What a person sees on the terminal, and what a machine reads with --json; exit codes."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn

from rich import markup
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

EXIT_FAILED = 1  # what was asked for did not succeed
EXIT_USAGE = 2  # the command line is wrong
EXIT_UNREACHABLE = 3  # no engine, no credentials, no stack

PIPED_COLUMNS = 100  # width of tables when nobody's terminal says otherwise


def console(*, stderr: bool = False) -> Console:
    """Return the console of standard output or error; 100 columns wide when it is no terminal and COLUMNS is unset."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS", "").isdigit() else PIPED_COLUMNS
    return Console(stderr=stderr, highlight=False, emoji=False, width=width)


class Output:
    """Prints tables and lines for people, or one JSON value for machines."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def line(self, text: str = "") -> None:
        """Print one line for people, with rich's markup, folded at the terminal's edge; nothing with --json."""
        if not self.as_json:
            console().print(text)

    def raw(self, text: str) -> None:
        """Print text for people as it is, to be copied or searched: no markup, no folding; nothing with --json."""
        if not self.as_json:
            print(text, flush=True)  # who waits for it may read a file or a pipe

    def indented(self, text: str, columns: int) -> None:
        """Print plain text that explains the line above, folded under it; nothing with --json."""
        if not self.as_json:
            console().print(Padding(escape(text), (0, 0, 0, columns)))

    def value(self, value: Any) -> None:
        """Print one JSON value for machines; nothing without --json."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, indent=2, default=_plain) + "\n")

    def table(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, empty: str) -> None:
        """Print rows as a table under the given columns (keys of the rows), or as a JSON list of whole rows.

        `empty` is the sentence a person reads when there are no rows: it says what to do next.
        """
        if self.as_json:
            self.value([dict(row) for row in rows])
            return
        if not rows:
            console().print(empty)
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            numeric = all(isinstance(row.get(column), int | float) for row in rows)
            table.add_column(column.replace("_", " "), justify="right" if numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(row.get(column)) for column in columns))
        console().print(table)

    def record(self, values: Mapping[str, Any]) -> None:
        """Print one thing's properties, a line each, or as one JSON object."""
        if self.as_json:
            self.value(dict(values))
            return
        table = Table.grid(padding=(0, 2))
        for name, value in values.items():
            table.add_row(f"[bold]{name.replace('_', ' ')}[/bold]", _cell(value))
        console().print(table)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Print what went wrong on standard error and end the command with `code`."""
    console(stderr=True).print(f"[bold red]error[/bold red] {escape(message)}")
    raise SystemExit(code)


def escape(text: str) -> str:
    """Return text in which square brackets are no markup."""
    return markup.escape(text)


def short(identifier: str, length: int = 12) -> str:
    """Return the first characters of a long hash, enough to name it on a command line."""
    return identifier[:length]


def when(moment: datetime | float | str | None) -> str:
    """Return a moment as `2026-11-21 10:00:00` UTC, or an empty text."""
    if moment is None or moment == "":
        return ""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, int | float):
        moment = datetime.fromtimestamp(moment, UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def size(count: float) -> str:
    """Return a number of bytes as people write it.

    >>> size(2_500_000)
    '2.5 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return when(value)
    if isinstance(value, list | tuple | set):
        return "\n".join(_cell(item) for item in value)
    return escape(str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Iterable):
        return list(value)
    return str(value)
