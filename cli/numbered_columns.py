"""Column names -> runs of names that count on (s_001, s_002, ...), each of which model.yaml can write as one range."""

from collections.abc import Collection, Sequence
from typing import Final

SHORTEST: Final = 10
LONGEST: Final = 5_000  # columns that one range may stand for
DIGITS: Final = "0123456789"


def runs_of(names: Sequence[str], sharing: Collection[str]) -> list[list[str]]:
    """Return the runs of neighbours in `names` that are all in `sharing` and count on.

    >>> runs_of([f"s{i}" for i in range(1, 31)], {f"s{i}" for i in range(5, 31)})[0][:2]
    ['s5', 's6']
    """
    runs: list[list[str]] = []
    going = False
    for name in names:
        if name not in sharing or name[-1] not in DIGITS:
            going = False
        elif going and len(runs[-1]) < LONGEST and _follows(runs[-1][0], runs[-1][-1], name):
            runs[-1].append(name)
        else:
            runs.append([name])
            going = True
    return [run for run in runs if len(run) >= SHORTEST]


def _follows(first: str, before: str, here: str) -> bool:
    """Whether a name counts on in the range from `first`: s_099 to s_100, s9 to s10; not s_09 to s_010."""
    (head, start), (same, last), (next_head, number) = (_numbered(name) for name in (first, before, here))
    counts = head == same == next_head and number == str(int(last) + 1).zfill(len(last))
    return counts and (len(number) == len(start) or start[0] != "0")


def _numbered(name: str) -> tuple[str, str]:
    head = name.rstrip(DIGITS)
    return head, name[len(head) :]
