"""Values over time -> inline SVG: lines with their intervals as bands, gaps where nothing is known, marks of events.

Times are epoch seconds and are shown in UTC. Events have a lane of their own for each kind below the plot, so that
many of them stay apart and none is told by its colour alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import groupby
from typing import Final

from lifecycle.charts import CLASSES, figure, ticks
from lifecycle.page import Html, number

WIDTH: Final = 446
PLOT: Final = 210  # height of the plot itself
LEFT, RIGHT = 72, 14
LEGEND, LANE, FOOT = 20, 19, 24
LETTER: Final = 7.2  # a letter's mean width
DASHES: Final = ("", "6 4", "2 3", "9 3 2 3")
LEVEL: Final = 'stroke="var(--soft)" stroke-width="1.5" stroke-dasharray="1 3"'
DOTS: Final = 40  # as many points get a dot each
_HOUR, _DAY = 3600, 86400
_STEPS: Final = tuple(_HOUR * n for n in (1, 2, 3, 6, 12, 24, 48, 168, 336))
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60)
MOST_TICKS: Final = 6

# how the marks of the lanes are drawn, around (0, 0)
SHAPES: Final = (
    '<path d="M0-6 6 5H-6Z"/>',
    '<circle r="4.5"/>',
    '<path d="M-5-5H5V5H-5Z"/>',
    '<path d="M-5-5 5 5M5-5-5 5" stroke-width="2.5"/>',
    '<path d="M0-6 6 0 0 6-6 0Z"/>',
    '<path d="M0-6V6M-6 0H6" stroke-width="3"/>',
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """A value at a time, with its interval where there is one; None leaves a gap."""

    at: float
    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A named line; points in order of time. `style` 0 to 3 chooses colour and dashes."""

    name: str
    points: Sequence[Point]
    style: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """Something that happened: `lane` is its kind, `text` what a reader sees who points at it."""

    at: float
    lane: str
    text: str


def over_time(
    series: Sequence[Line], y_label: str, caption: str, levels: Sequence[tuple[str, float]] = (),
    marks: Sequence[Mark] = (), span: tuple[float, float] | None = None,
) -> Html:  # fmt: skip
    """Return the chart.

    `levels` are named horizontal lines, such as a limit; `marks` have a lane for each kind, in their order; `span` is
    the time to show, beyond what points and marks need.
    """
    lanes = list(dict.fromkeys(mark.lane for mark in marks))
    times = [point.at for line in series for point in line.points] + [mark.at for mark in marks]
    top = LEGEND * (1 + len(_rows(_entries(series, levels)))) + 6.0
    place, across, up = _frame(series, levels, [*times, *(span or ())], top)
    bottom = top + PLOT
    drawn = [*_axes(place, across, up, bottom), *_legend(_entries(series, levels), y_label)]
    for _, value in levels:
        y = place(0.0, value)[1]
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" {LEVEL}/>')
    for line in series:
        drawn += _drawn(line, place)
    for i, lane in enumerate(lanes):
        y = bottom + FOOT + 12 + i * LANE
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(lane)}</text>')
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="var(--line)"/>')
        drawn += [_mark(mark, i, place(mark.at, up[0])[0], y) for mark in marks if mark.lane == lane]
    height = bottom + FOOT + len(lanes) * LANE + 4
    return figure(drawn, (WIDTH, height), caption, _told(series, levels, marks))


Place = Callable[[float, float], tuple[float, float]]


def _frame(
    series: Sequence[Line], levels: Sequence[tuple[str, float]], times: Sequence[float], top: float
) -> tuple[Place, list[tuple[float, str]], list[float]]:
    """The function from values to places, and both axes' ticks."""
    points = [point for line in series for point in line.points]
    values = [v for p in points for v in (p.value, p.low, p.high) if v is not None] + [value for _, value in levels]
    up = ticks(values)
    first, last = min(times, default=0.0), max(times, default=0.0)
    if last - first < _HOUR:
        first, last = first - _HOUR, last + _HOUR

    def place(at: float, value: float) -> tuple[float, float]:
        right = (at - first) / (last - first) * (WIDTH - LEFT - RIGHT - 8)
        return LEFT + 4 + right, top + PLOT - (value - up[0]) / (up[-1] - up[0]) * PLOT

    return place, time_ticks(first, last), up


def _axes(place: Place, across: Sequence[tuple[float, str]], up: Sequence[float], bottom: float) -> Iterable[str]:
    for tick in up:
        y = place(0.0, tick)[1]
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--line)"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>'
    for at, text in across:
        x = place(at, up[0])[0]
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{bottom:.1f}" y2="{bottom + 5:.1f}" stroke="var(--soft)"/>'
        x = min(x, WIDTH - LETTER * len(text) / 2)
        yield f'<text x="{x:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{escape(text)}</text>'


def _entries(series: Sequence[Line], levels: Sequence[tuple[str, float]]) -> list[tuple[str, str]]:
    """The legend: (name, how its stroke is drawn)."""
    return [(line.name, f'{_stroke(line)} stroke-width="2.5"') for line in series] + [
        (name, LEVEL) for name, _ in levels
    ]


def _stroke(line: Line) -> str:
    return f'stroke="var(--{CLASSES[line.style]})" stroke-dasharray="{DASHES[line.style]}"'


def _rows(entries: Sequence[tuple[str, str]]) -> list[list[tuple[str, str, float]]]:
    """The legend's rows: (name, stroke, x)."""
    rows: list[list[tuple[str, str, float]]] = []
    x = float(WIDTH)
    for name, stroke in entries:
        wide = 34 + LETTER * len(name) + 16
        if x + wide > WIDTH:
            rows.append([])
            x = float(LEFT)
        rows[-1].append((name, stroke, x))
        x += wide
    return rows


def _legend(entries: Sequence[tuple[str, str]], y_label: str) -> Iterable[str]:
    rows = _rows(entries)
    for row, shown in enumerate(rows):
        y = LEGEND * row + 10
        for name, stroke, x in shown:
            yield f'<line x1="{x:.0f}" x2="{x + 28:.0f}" y1="{y}" y2="{y}" {stroke}/>'
            yield f'<text x="{x + 34:.0f}" y="{y + 4}" class="strong">{escape(name)}</text>'
    yield f'<text x="4" y="{LEGEND * len(rows) + 14}">{escape(y_label)}</text>'


def _drawn(line: Line, place: Place) -> Iterable[str]:
    """One line: a band and a stroke for each stretch without a gap, a dot for each point where there are few."""
    colour = f"var(--{CLASSES[line.style]})"
    known = sum(point.value is not None for point in line.points)
    for is_known, group in groupby(line.points, key=lambda point: point.value is not None):
        run = list(group) if is_known else []
        band = [p for p in run if p.low is not None and p.high is not None]
        if len(band) > 1:
            edge = [place(p.at, p.high or 0.0) for p in band] + [place(p.at, p.low or 0.0) for p in reversed(band)]
            yield f'<polygon points="{_path(edge)}" fill="{colour}" fill-opacity=".18"/>'
        for p in band if len(band) == 1 else ():
            (x, high), (_, low) = place(p.at, p.high or 0.0), place(p.at, p.low or 0.0)
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{high:.1f}" y2="{low:.1f}" stroke="{colour}" stroke-width="3" '
            yield 'stroke-opacity=".4"/>'
        places = [place(p.at, p.value or 0.0) for p in run]
        if len(places) > 1:
            yield f'<polyline points="{_path(places)}" fill="none" {_stroke(line)} stroke-width="2"/>'
        for x, y in places if known <= DOTS or len(places) == 1 else ():
            fill = colour if line.style % 2 == 0 else "var(--back)"
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.8" fill="{fill}" stroke="{colour}" stroke-width="1.5"/>'


def _mark(mark: Mark, lane: int, x: float, y: float) -> str:
    colour = f"var(--{CLASSES[lane % 4]})"
    return (
        f'<g transform="translate({x:.1f} {y})" fill="{colour}" stroke="{colour}">{SHAPES[lane % len(SHAPES)]}'
        f"<title>{escape(mark.text)}</title></g>"
    )


def _path(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _told(series: Sequence[Line], levels: Sequence[tuple[str, float]], marks: Sequence[Mark]) -> str:
    """What the chart shows, in words."""
    said = []
    for line in series:
        values = [point.value for point in line.points if point.value is not None]
        gaps = len(line.points) - len(values)
        if values:
            text = f"{line.name}: last {number(values[-1])}, from {number(min(values))} to {number(max(values))}"
            said.append(text + (f", {gaps} of {len(line.points)} without a value" if gaps else ""))
        else:
            said.append(f"{line.name}: no value")
    said += [f"{name}: {number(value)}" for name, value in levels]
    counts = {lane: sum(mark.lane == lane for mark in marks) for lane in dict.fromkeys(mark.lane for mark in marks)}
    return "; ".join([*said, *(f"{lane}: {count}" for lane, count in counts.items())])


def time_ticks(first: float, last: float) -> list[tuple[float, str]]:
    """Return (epoch seconds, label) of at most seven round times between two times, which differ.

    >>> [label for _, label in time_ticks(1356998400, 1356998400 + 2 * 86400)]
    ['1 Jan', '12:00', '2 Jan', '12:00', '3 Jan']
    >>> [label for _, label in time_ticks(1356998400, 1356998400 + 365 * 86400)]
    ['Jan 2013', 'Apr', 'Jul', 'Oct', 'Jan 2014']
    """
    for step in _STEPS:
        if (last - first) / step < MOST_TICKS:
            start = -(-first // step) * step
            return [(at, _label(at)) for at in (start + i * step for i in range(MOST_TICKS + 1)) if at <= last]
    begin, end = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)
    months = (end.year - begin.year) * 12 + end.month - begin.month
    step = next((n for n in _MONTHS if months / n < MOST_TICKS), -(-months // MOST_TICKS))
    found: list[tuple[float, str]] = []
    for i in range(months + 1):
        count = begin.year * 12 + begin.month - 1 + i
        year, month = divmod(count, 12)
        at = datetime(year, month + 1, 1, tzinfo=UTC)
        if count % step == 0 and first <= at.timestamp() <= last:
            found.append((at.timestamp(), f"{at:%b %Y}" if month == 0 or not found else f"{at:%b}"))
    return found


def _label(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    midnight = moment - timedelta(hours=moment.hour, minutes=moment.minute)
    return f"{moment.day} {moment:%b}" if moment == midnight else f"{moment:%H:%M}"
