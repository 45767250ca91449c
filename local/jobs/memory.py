"""The memory of a job's instance: how much it has, and how much the job's processes use now.

Source of the sizes: SageMaker AI pricing, instance types; of a family all sizes have the same memory for each virtual
processor. A machine with less is asked for less: the job ends before the machine has none left for the engine.
"""

import re
import time
from pathlib import Path
from typing import Final

SAMPLE_SECONDS: Final = 0.25
"""Machine time between two looks; a shorter peak is not seen."""

_GIB_EACH: Final = {"c": 2, "m": 4, "t": 4, "g": 4, "r": 8, "p": 8}
_TYPE: Final = re.compile(r"ml\.([a-z])\d\w*\.(?:(medium|large)|(\d*)xlarge)")
_MACHINE_SHARE: Final = 0.8


def instance_mb(instance: str) -> int | None:
    """Return the memory of an instance type in MiB, None for one that is not known.

    >>> instance_mb("ml.m5.large"), instance_mb("ml.c5.2xlarge"), instance_mb("ml.t3.medium"), instance_mb("local")
    (8192, 16384, 4096, None)
    """
    found = _TYPE.fullmatch(instance)
    if found is None or found[1] not in _GIB_EACH:
        return None
    processors = {"medium": 1, "large": 2}[found[2]] if found[2] else 4 * int(found[3] or 1)
    return processors * _GIB_EACH[found[1]] * 1024


def limit_mb(instance: str) -> int | None:
    """Return what a job on such an instance may use on this machine, MiB; None where nobody can tell."""
    known = [size for size in (instance_mb(instance), _machine_mb()) if size is not None]
    return min(known, default=None)


def used_mb(folder: Path) -> int:
    """Return the memory that cannot be given back of all processes at work below a job's own folder, MiB.

    By their folder, since the preloaded interpreter forks them: they are children and group of another process. What
    several of them share counts once, as it does on an instance.
    """
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                lines = (process / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:", "Pss_Shmem:")))
        except OSError:
            continue  # it ended, or is another user's
    return total // 1024


class Watch:
    """Looks at a job's memory now and then; `over` once it had more than its limit."""

    def __init__(self, folder: Path, limit: int | None) -> None:
        self._folder = folder.resolve()
        self._limit = limit
        self._next = 0.0
        self.over = False

    def is_over(self) -> bool:
        """Tell whether the job has more than its limit."""
        if self._limit is not None and time.perf_counter() >= self._next:
            self._next = time.perf_counter() + SAMPLE_SECONDS
            self.over = used_mb(self._folder) > self._limit
        return self.over


def _machine_mb() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    (total,) = [int(line.split()[1]) for line in lines if line.startswith("MemTotal:")]
    return int(total / 1024 * _MACHINE_SHARE)
