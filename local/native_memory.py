"""The C library's memory in a process of hundreds of threads: few heaps, and what is free is given back.

glibc makes up to eight heaps for each processor and never gives back what lies below something still used in them: an
engine that has a day's work behind it would keep the sum of all peaks. Elsewhere than on glibc nothing is done.
"""

import ctypes
from contextlib import suppress
from typing import Final

HEAPS: Final = 2
_M_ARENA_MAX: Final = -8  # mallopt(3)


def confine() -> None:
    """Let all threads share `HEAPS` heaps; to be called before there are any."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, HEAPS)


def give_back() -> None:
    """Give free memory back to the machine (tens of milliseconds)."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
