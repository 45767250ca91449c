"""What a run asks of the engine: calls with their parameters, events, and answers that break their models.

One JSON line for each thing that was not seen before, written at once: a run that is killed keeps its record.
"""

import json
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.answer_check import AnswerCheck
from local.api import ENGINE, Asked
from local.closed_set import ClosedSet, paths_of
from local.dispatch import Dispatcher
from local.events import Bus
from local.options import Options
from local.service_models import input_shape


class Recorder:
    """Sees calls (`guard`, which refuses nothing), events and faults of answers, and writes what is new."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{os.getpid()}-{time.time_ns()}.jsonl"
        self._lock = threading.Lock()
        self._seen: set[str] = set()

    def guard(self, asked: Asked) -> None:
        """Write down a call of the product or of the engine's own parts; tests and people are nobody."""
        if not asked.app:
            return
        shape = input_shape(asked.service, asked.operation)
        caller = "engine" if asked.app == ENGINE else "role" if asked.caller.role_arn else "operator"
        paths = list(paths_of(shape, asked.parameters)) if asked.parameters else [""]
        for path in dict.fromkeys(paths):
            self._write({"call": [asked.service, asked.operation], "caller": caller, "parameter": path})

    def event(self, event: Mapping[str, Any], matched: bool) -> None:
        """Write down an event of the bus, and whether a rule took it."""
        kind = {"source": event["source"], "detail-type": event["detail-type"], "detail": sorted(event["detail"])}
        self._write({"event": kind, "matched": matched})

    def fault(self, line: str) -> None:
        """Write down what is wrong with an answer."""
        self._write({"fault": line})

    def _write(self, found: Mapping[str, Any]) -> None:
        line = json.dumps(found, sort_keys=True)
        with self._lock:
            if line not in self._seen:
                self._seen.add(line)
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")


def close_and_record(dispatch: Dispatcher, bus: Bus, options: Options) -> None:
    """Let an engine answer the closed set only, and write down what is asked of it, as its options say."""
    if options.record:
        recorder = Recorder(options.record)
        dispatch.guard(recorder.guard)
        bus.watch = recorder.event
        dispatch.witness = AnswerCheck(recorder.fault)
    if not options.any_call:
        dispatch.guard(ClosedSet.load())
