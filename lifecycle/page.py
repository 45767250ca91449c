"""Sections -> one self-contained HTML page: escaped text and tables, readable on phone and desk.

No script, no outside resource, light and dark by the reader's own setting. Functions that build parts return `Html`;
everything else given as text is escaped. Pictures: `lifecycle.charts`, `lifecycle.time_chart`.
"""

from collections.abc import Iterable, Sequence
from html import escape
from math import isfinite

from lifecycle.page_style import POLICY, STYLE

MANY = 7  # columns from which a table scrolls sideways on a desk, too


class Html(str):
    """Markup that is already safe to place in a page."""

    __slots__ = ()


class Share(float):
    """A share, 0 to 1, that a table shows in percent."""

    __slots__ = ()


def share(value: float | None) -> Share | None:
    """Return a cell of a share, an empty one where there is none."""
    return None if value is None else Share(value)


def rounded(value: float | None, digits: int = 4) -> float | None:
    """Return a figure's first digits, for a cell.

    >>> rounded(0.0123456), rounded(None)
    (0.01235, None)
    """
    return None if value is None else float(f"{value:.{digits}g}")


Cell = str | int | float | bool | None
Section = tuple[str, str | Sequence[str]]


def render(title: str, sections: Iterable[Section]) -> str:
    """Return the page. A section is (heading, content or list of contents); plain text becomes a paragraph.

    A section without a heading ("") stands on its own, such as a verdict below the title.

    >>> "<h2>Result</h2><p>1 &lt; 2</p>" in render("Run", [("Result", "1 < 2")])
    True
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><h1>{escape(title)}</h1>",
    ]
    for heading, content in sections:
        pieces = [content] if isinstance(content, str) else content
        body = "".join(piece if isinstance(piece, Html) else paragraph(piece) for piece in pieces)
        parts.append(f"<section>{f'<h2>{escape(heading)}</h2>' if heading else ''}{body}</section>")
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


def percent(value: float | None) -> str:
    """Return a share for people.

    >>> percent(0.1234), percent(1), percent(0.0004), percent(None)
    ('12.3 %', '100 %', '0.04 %', '–')
    """
    if value is None or not isfinite(value):
        return "–"
    shown = f"{100 * value:.1f}" if abs(value) >= 0.001 or value == 0 else f"{100 * value:.1g}"
    return f"{shown.removesuffix('.0')} %"


def verdict(tone: str, texts: Sequence[str]) -> Html:
    """Return what a reader must know first, in a box; `tone` is "", "good" or "bad", the words say it, too."""
    return Html(f'<div class="verdict {escape(tone)}">{"".join(paragraph(text) for text in texts)}</div>')


def figures(entries: Iterable[tuple[str, str, str]]) -> Html:
    """Return (name, figure, remark) as a grid of cards."""
    cards = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd>"
        + (f'<dd class="soft">{escape(remark)}</dd>' if remark else "")
        + "</div>"
        for name, figure, remark in entries
    )
    return Html(f'<dl class="figures">{cards}</dl>')


def grid(kind: str, parts: Iterable[Html]) -> Html:
    """Return parts side by side where there is room; `kind` is "charts" or "small"."""
    return Html(f'<div class="{escape(kind)}">{"".join(parts)}</div>')


def headed(heading: str, content: Html) -> Html:
    """Return content below a heading of the third order."""
    return Html(f"<div><h3>{escape(heading)}</h3>{content}</div>")


def folded(summary: str, content: Html) -> Html:
    """Return content that a reader unfolds; print unfolds it, too."""
    return Html(f"<details><summary>{escape(summary)}</summary>{content}</details>")


def table(headers: Sequence[str], rows: Iterable[Sequence[Cell]], name: str = "table") -> Html:
    """Return a table that scrolls sideways on narrow screens. Numbers are aligned to the right, `Html` is kept.

    From seven columns on the first one stays in sight, and a keyboard can scroll; `name` tells a screen reader what.
    """
    body = [list(row) for row in rows]
    numeric = [
        bool(body) and all(_is_number(row[i]) or row[i] is None for row in body if i < len(row))
        for i in range(len(headers))
    ]
    head = "".join(f'<th scope="col"{_numeric(numeric[i])}>{escape(text)}</th>' for i, text in enumerate(headers))
    lines = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in body)
    box = '<div class="wide">'
    if len(headers) >= MANY:
        box = f'<div class="wide many" tabindex="0" role="region" aria-label="{escape(name)}">'
    return Html(f"{box}<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>")


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _numeric(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _cell(cell: Cell) -> str:
    if isinstance(cell, Html):
        return f"<td>{cell}</td>"
    if isinstance(cell, Share):
        return f'<td class="number">{percent(cell)}</td>'
    if cell is None or _is_number(cell):
        return f'<td class="number">{number(cell)}</td>'  # type: ignore[arg-type]
    return f"<td>{escape(str(cell))}</td>"
