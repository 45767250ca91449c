"""`s_001..s_300` -> the names of a range, so that a wide table needs one line."""

import re
from typing import Final

_RANGE: Final = re.compile(r"(?P<head>.*?)(?P<first>\d+)\.\.(?P<again>.*?)(?P<last>\d+)")
LIMIT: Final = 5_000  # columns


def expand(text: str) -> list[str]:
    """Return the names that a range stands for, in order.

    Raises ValueError when the text is no range, or one that is empty or too long.

    >>> expand("s_08..s_11")
    ['s_08', 's_09', 's_10', 's_11']
    """
    found = _RANGE.fullmatch(text)
    if not found or found["head"] != found["again"]:
        raise ValueError("must be a range such as s_001..s_300 (a pattern such as s_* cannot be expanded without data)")
    first, last = int(found["first"]), int(found["last"])
    if last < first:
        raise ValueError(f"the range ends at {last} before it begins at {first}")
    if last - first >= LIMIT:
        raise ValueError(f"the range has {last - first + 1:,} columns; at most {LIMIT:,} are possible")
    if len(found["first"]) != len(found["last"]) and (found["first"][0] == "0" or found["last"][0] == "0"):
        raise ValueError("numbers with leading zeros must have the same number of digits on both sides")
    width = len(found["first"]) if found["first"][0] == "0" else 0
    return [f"{found['head']}{number:0{width}d}" for number in range(first, last + 1)]
