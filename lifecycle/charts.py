"""Numbers -> inline SVG: bars, shares before and now, lines over a number. Text alternatives, no colour alone.

What is drawn in a chart is escaped, colours are the style sheet's; the charts over time are in `lifecycle.time_chart`.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor, isfinite, log10
from typing import Final

from lifecycle.page import Html, number, percent

WIDTH: Final = 480  # of a chart's own units: on a phone they shrink to about 0.75 pixels, and its texts stay readable
HEIGHT: Final = 280
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 48, 42
LABEL: Final = 22  # characters of a bar's label
TOLD: Final = 80  # characters of a label in a chart's words: values come from strangers
SMALL: Final = 360  # width of a chart of which several stand side by side
CLASSES: Final = ("one", "two", "three", "four")
Points = Sequence[tuple[float, float]]


def bars(pairs: Sequence[tuple[str, float]], caption: str = "") -> Html:
    """Return a horizontal bar chart of (label, value >= 0), longest bar full width."""
    largest = max((value for _, value in pairs if isfinite(value)), default=0.0) or 1.0
    step, label_width = 24, 168
    room = WIDTH - label_width - 64
    drawn = []
    for i, (label, value) in enumerate(pairs):
        length = room * max(value, 0.0) / largest if isfinite(value) else 0.0
        text = escape(shortened(label, LABEL))
        drawn.append(
            f'<text x="{label_width - 8}" y="{i * step + 15}" text-anchor="end">{text}</text>'
            f'<rect x="{label_width}" y="{i * step + 4}" width="{length:.1f}" height="14" fill="var(--one)"/>'
            f'<text x="{label_width + length + 6:.1f}" y="{i * step + 15}">{number(value)}</text>'
        )
    told = "; ".join(f"{shortened(label, TOLD)} {number(value)}" for label, value in pairs[:20])
    return figure(drawn, (WIDTH, max(len(pairs), 1) * step + 4), caption, told)


def shares(labels: Sequence[str], before: Sequence[float], now: Sequence[float], caption: str = "") -> Html:
    """Return shares of two samples, a row a label: now a solid bar, before a bracket behind it, both in figures.

    The three sequences are equally long; shares are 0 to 1, and the longest fills the width.
    """
    largest = max((share for share in (*before, *now) if isfinite(share)), default=0.0) or 1.0
    step, left, right, top = 22, 112, 100, 26
    labels = [shortened(label, TOLD) for label in labels]
    room = SMALL - left - right
    drawn = [
        f'<rect x="{left}" y="3" width="14" height="8" fill="var(--one)"/><text x="{left + 19}" y="12">now</text>'
        f'<rect x="{left + 60}" y="1" width="14" height="12" fill="none" stroke="var(--before)" stroke-width="2"/>'
        f'<text x="{left + 80}" y="12">before</text>'
        f'<text x="{SMALL}" y="12" text-anchor="end">before → now</text>'
    ]
    for i, (label, then, today) in enumerate(zip(labels, before, now, strict=True)):
        y = top + i * step
        drawn.append(
            f'<text x="{left - 7}" y="{y + 12}" text-anchor="end">{escape(shortened(label, 16))}'
            f"<title>{escape(label)}</title></text>"
            f'<rect x="{left}" y="{y + 4}" width="{room * today / largest:.1f}" height="8" fill="var(--one)"/>'
            f'<rect x="{left}" y="{y + 1}" width="{room * then / largest:.1f}" height="14" fill="none" '
            'stroke="var(--before)" stroke-width="2"/>'
            f'<text x="{SMALL}" y="{y + 12}" text-anchor="end">{_short(then)} → {_short(today)}</text>'
        )
    told = "; ".join(
        f"{label}: {percent(a)} before, {percent(b)} now" for label, a, b in zip(labels, before, now, strict=True)
    )
    return figure(drawn, (SMALL, top + len(labels) * step), caption, told)


def lines(series: Sequence[tuple[str, Points]], x_label: str, y_label: str, caption: str = "") -> Html:
    """Return a line plot with one axis pair; each series is (name, points), from the second on drawn dashed."""
    points = [point for _, entry in series for point in entry]
    across, up = ticks([x for x, _ in points]), ticks([y for _, y in points])

    def place(x: float, y: float) -> tuple[float, float]:
        right = (x - across[0]) / (across[-1] - across[0]) * (WIDTH - LEFT - RIGHT)
        return LEFT + right, HEIGHT - BOTTOM - (y - up[0]) / (up[-1] - up[0]) * (HEIGHT - TOP - BOTTOM)

    drawn = []
    for tick in up:
        _, y = place(across[0], tick)
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--line)"/>')
        drawn.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in across:
        x, _ = place(tick, up[0])
        drawn.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="middle">{number(tick)}</text>')
    drawn.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">{escape(x_label)}</text>')
    drawn.append(f'<text x="0" y="{TOP - 16}">{escape(y_label)}</text>')
    for i, (name, entry) in enumerate(series):
        style = CLASSES[i % len(CLASSES)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in entry))
        dashes = ' stroke-dasharray="5 4"' if i else ""
        drawn.append(f'<polyline points="{path}" fill="none" stroke="var(--{style})" stroke-width="2"{dashes}/>')
        drawn.append(f'<text x="{LEFT + 8}" y="{TOP + 14 + 17 * i}" class="{style}">{escape(name)}</text>')
    return figure(drawn, (WIDTH, HEIGHT), caption)


def figure(drawn: Iterable[str], size: tuple[float, float], caption: str, told: str = "") -> Html:
    """Return drawn elements as a figure with a caption; `told` says in words what the picture shows."""
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    words = escape(". ".join(text for text in (caption, told) if text))
    return Html(
        f'<figure><svg viewBox="0 0 {size[0]:.0f} {size[1]:.0f}" role="img" aria-label="{words}">'
        f"{''.join(drawn)}</svg>{note}</figure>"
    )


def ticks(values: Iterable[float]) -> list[float]:
    """Return round numbers, evenly spaced, from below the smallest value to above the largest.

    >>> ticks([0.12, 0.31])
    [0.1, 0.15, 0.2, 0.25, 0.3, 0.35]
    """
    known = list(values)
    low, high = min(known, default=0.0), max(known, default=1.0)
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
        around = max(0.5, abs(low) * 0.01)
        low, high = low - around, low + around
    power = 10.0 ** floor(log10((high - low) / 4))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n * 5 >= high - low)
    first, last = floor(low / step), ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def shortened(text: str, length: int) -> str:
    """Return text of at most so many characters, an ellipsis for what is left out.

    >>> shortened("a long name", 6)
    'a lon…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def _short(share: float) -> str:
    return percent(share) if share < 0.1 else f"{100 * share:.0f} %"
