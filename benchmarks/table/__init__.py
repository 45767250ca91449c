"""What every measurement prints: the machine and how busy it is, and one small table."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

QUIET = 0.5


def machine() -> str:
    """Return one line on processor, Python, day and load; a busy machine is said to be one."""
    facts = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    named = [line.partition(":")[2].strip() for line in facts.splitlines() if line.startswith("model name")]
    load = os.getloadavg()[0]
    busy = "" if load < QUIET else ": BUSY, times are too long"
    return (
        f"{os.cpu_count()} cores, {named[0] if named else platform.machine()}, Python {platform.python_version()}, "
        f"{datetime.now(UTC):%Y-%m-%d}, load {load:.1f}{busy}"
    )


def show(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table, columns aligned."""
    widths = [max(len(row[place]) for row in (columns, *rows)) for place in range(len(columns))]
    for row in (columns, ["-" * width for width in widths], *rows):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) + " |", flush=True)


def seconds(value: float) -> str:
    """Return a duration with the unit that fits."""
    if value < 1e-3:
        return f"{value * 1e6:,.0f} us"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.1f} s"
