"""What every side does with a window: get ready with the reference, then time itself. Imports are over by then."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NUMBERS = [f"n{i:02}" for i in range(20)]
WORDS = {f"c{i:02}": [f"value {j}" for j in range(4 + i * 4)] for i in range(10)}
LOW, HIGH = -1e6, 1e6
QUANTILES = [step / 10 for step in range(1, 10)]


def run(prepare: Callable[[Path], Any], measure: Callable[[Path, Any], dict[str, Any]]) -> None:
    """Time `measure(window, prepare(reference))`; the answer is a JSON line of seconds and what was found."""
    window, reference = Path(sys.argv[1]), Path(sys.argv[2])
    ready = prepare(reference)
    started, worked = time.perf_counter(), time.process_time()
    found = measure(window, ready)
    took = {"seconds": time.perf_counter() - started, "worked": time.process_time() - worked}
    sys.stdout.write(json.dumps({**took, **found}))


def psi(before: list[float], after: list[float]) -> float:
    """The population stability index of two histograms, empty bins as half a row."""
    from math import log

    one, two = sum(before), sum(after)
    shares = [(max(a, 0.5) / one, max(b, 0.5) / two) for a, b in zip(before, after, strict=True)]
    return sum((b - a) * log(b / a) for a, b in shares)
