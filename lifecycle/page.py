"""Sections -> one self-contained HTML page: escaped text, tables and inline SVG plots, readable on phone and desk.

No script, no outside resource, light and dark by the reader's own setting. Functions that build parts return `Html`;
everything else given as text is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH = 480  # of a plot's own units: on a phone they shrink to about 0.75 pixels, and its texts stay readable
HEIGHT = 280
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 48, 42
LABEL = 22  # characters of a bar's label
COLOURS = ("var(--one)", "var(--two)", "var(--three)", "var(--four)")

STYLE = """
:root{color-scheme:light dark;--back:#fff;--text:#1c2024;--soft:#5b6570;--line:#d8dee4;--band:#f5f7f9;
--one:#1f6feb;--two:#c2410c;--three:#15803d;--four:#7e22ce;--good:#15803d;--bad:#b91c1c}
@media (prefers-color-scheme:dark){:root{--back:#14171a;--text:#e6e9ec;--soft:#9aa5b1;--line:#343b42;--band:#1c2126;
--one:#6ea8fe;--two:#fb923c;--three:#4ade80;--four:#c084fc;--good:#4ade80;--bad:#f87171}}
*{box-sizing:border-box}body{margin:0 auto;max-width:68rem;padding:1.5rem 1rem 4rem;background:var(--back);
color:var(--text);font:1rem/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 1rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}
p{margin:.5rem 0}.soft{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.wide{overflow-x:auto}table{border-collapse:collapse;min-width:min(100%,22rem);font-size:.92rem}
th,td{padding:.32rem .8rem .32rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
overflow-wrap:normal}
th{color:var(--soft);font-weight:600;vertical-align:bottom;white-space:nowrap}
tbody tr:hover{background:var(--band)}td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
svg{display:block;width:100%;max-width:38rem;height:auto;margin:.5rem 0}
svg text{fill:var(--soft);font:12.5px system-ui,sans-serif}figure{margin:0}figcaption{color:var(--soft);font-size:.9rem}
"""


class Html(str):
    """Markup that is already safe to place in a page."""

    __slots__ = ()


Cell = str | int | float | bool | None
Section = tuple[str, str | Sequence[str]]
Points = Sequence[tuple[float, float]]


def render(title: str, sections: Iterable[Section]) -> str:
    """Return the page. A section is (heading, content or list of contents); plain text becomes a paragraph.

    >>> "<h2>Result</h2><p>1 &lt; 2</p>" in render("Run", [("Result", "1 < 2")])
    True
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>",
    ]
    for heading, content in sections:
        pieces = [content] if isinstance(content, str) else content
        body = "".join(piece if isinstance(piece, Html) else paragraph(piece) for piece in pieces)
        parts.append(f"<section><h2>{escape(heading)}</h2>{body}</section>")
    parts.append("</body></html>\n")
    return "".join(parts)


def paragraph(text: str, tone: str = "") -> Html:
    """Return a paragraph; `tone` is "", "soft", "good" or "bad"."""
    mark = f' class="{escape(tone)}"' if tone else ""
    return Html(f"<p{mark}>{escape(text)}</p>")


def number(value: float | None) -> str:
    """Return a number for people: five significant digits, a dash when there is none.

    >>> number(0.123456789), number(12000), number(None)
    ('0.12346', '12,000', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isfinite(value):
        return str(value)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.5g}" if abs(value) < 1e5 else f"{value:,.0f}"


def table(headers: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Html:
    """Return a table that scrolls sideways on narrow screens. Numbers are aligned to the right, `Html` is kept."""
    body = [list(row) for row in rows]
    numeric = [
        bool(body) and all(_is_number(row[i]) or row[i] is None for row in body if i < len(row))
        for i in range(len(headers))
    ]
    head = "".join(f"<th{_numeric(numeric[i])}>{escape(name)}</th>" for i, name in enumerate(headers))
    lines = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in body)
    return Html(f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>')


def bars(pairs: Sequence[tuple[str, float]], caption: str = "") -> Html:
    """Return a horizontal bar chart of (label, value >= 0), longest bar full width."""
    largest = max((value for _, value in pairs if isfinite(value)), default=0.0) or 1.0
    step, label_width = 24, 168
    room = WIDTH - label_width - 64
    drawn = []
    for i, (label, value) in enumerate(pairs):
        length = room * max(value, 0.0) / largest if isfinite(value) else 0.0
        text = label if len(label) <= LABEL else label[: LABEL - 1] + "…"
        drawn.append(
            f'<text x="{label_width - 8}" y="{i * step + 15}" text-anchor="end">{escape(text)}</text>'
            f'<rect x="{label_width}" y="{i * step + 4}" width="{length:.1f}" height="14" fill="var(--one)"/>'
            f'<text x="{label_width + length + 6:.1f}" y="{i * step + 15}">{number(value)}</text>'
        )
    return _figure(drawn, max(len(pairs), 1) * step + 4, caption)


def lines(series: Sequence[tuple[str, Points]], x_label: str, y_label: str, caption: str = "") -> Html:
    """Return a line plot with one axis pair; each series is (name, points), from the second on drawn dashed."""
    points = [point for _, entry in series for point in entry]
    across, up = _ticks([x for x, _ in points]), _ticks([y for _, y in points])

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
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in entry))
        dashes = ' stroke-dasharray="5 4"' if i else ""
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        drawn.append(f'<text x="{LEFT + 8}" y="{TOP + 14 + 17 * i}" style="fill:{colour}">{escape(name)}</text>')
    return _figure(drawn, HEIGHT, caption)


def _figure(drawn: Sequence[str], height: float, caption: str) -> Html:
    note = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return Html(
        f'<figure><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(caption)}">'
        f"{''.join(drawn)}</svg>{note}</figure>"
    )


def _ticks(values: Sequence[float]) -> list[float]:
    """Return round numbers, evenly spaced, from below the smallest value to above the largest."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high <= low:
        low, high = low - 0.5, low + 0.5
    power = 10.0 ** floor(log10((high - low) / 4))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n * 5 >= high - low)
    first, last = floor(low / step), ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _numeric(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _cell(cell: Cell) -> str:
    if isinstance(cell, Html):
        return f"<td>{cell}</td>"
    if cell is None or _is_number(cell):
        return f'<td class="number">{number(cell)}</td>'  # type: ignore[arg-type]
    return f"<td>{escape(str(cell))}</td>"
