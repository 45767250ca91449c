"""What every side does in its own environment: answer one row and end, or time itself and say how long it takes."""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

Answer = Callable[[bytes], bytes]

CALLS = {1: 30, 100: 6}


def run(load: Callable[[Path], Answer]) -> None:
    """Do what the command line asks: `first FOLDER` or `time FOLDER`; `load` makes the side's JSON-to-JSON function."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    answer = load(folder)
    if what == "first":
        sys.stdout.write(answer((folder / "rows-1.json").read_bytes()).decode())
        return
    found = {"answers": json.loads(answer((folder / "rows-100.json").read_bytes()))}
    for rows, calls in CALLS.items():
        body = (folder / f"rows-{rows}.json").read_bytes()
        for _ in range(250 // rows):
            answer(body)
        taken = []
        for _ in range(7):
            started = time.perf_counter()
            for _ in range(calls):
                answer(body)
            taken.append((time.perf_counter() - started) / calls)
        found[str(rows)] = statistics.median(taken)
    sys.stdout.write(json.dumps(found))
