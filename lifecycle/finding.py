"""One thing that validation found: which check, which column and files, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from lifecycle.profile import Examples


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A problem refuses the data version, a note does not."""

    check: str
    text: str
    is_problem: bool
    column: str | None = None
    objects: tuple[str, ...] = ()

    @classmethod
    def problem(cls, check: str, text: str, *, column: str | None = None, objects: Sequence[str] = ()) -> Self:
        """Return a finding that refuses the version."""
        return cls(check=check, text=text, is_problem=True, column=column, objects=tuple(objects))

    @classmethod
    def note(cls, check: str, text: str, *, column: str | None = None, objects: Sequence[str] = ()) -> Self:
        """Return a finding that does not refuse the version."""
        return cls(check=check, text=text, is_problem=False, column=column, objects=tuple(objects))

    def to_plain(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"check": self.check, "column": self.column, "objects": list(self.objects), "text": self.text}


def places(rows: Examples) -> str:
    """Return where rows are, for people.

    >>> places(Examples(count=3, first=(("a.csv", 2), ("a.csv", 9))))
    'a.csv row 2, a.csv row 9 and 1 more'
    >>> places(Examples(count=1, first=(("a.csv", 2),), values=("n/a?",)))
    "a.csv row 2 ('n/a?')"
    """
    told = rows.told
    shown = ", ".join(
        f"{name} row {row}" + (f" ({told[name, row][:40]!r})" if (name, row) in told else "")
        for name, row in rows.first
    )
    rest = rows.count - len(rows.first)
    return f"{shown} and {rest} more" if rest > 0 else shown


def objects_of(names: Sequence[str], total: int) -> str:
    """Return which files something is true of, for people.

    >>> objects_of(["a.csv"], 3), objects_of(["a.csv", "b.csv"], 2)
    ('a.csv', 'all 2 files')
    """
    if len(names) == total and total > 1:
        return f"all {total} files"
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
