"""How an engine runs, and the command line that says it."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.chaos import Chaos

JOBS_PYTHON = Path(".venv-jobs/bin/python")
RECORD_VARIABLE = "PERENNIAL_RECORD"
ANY_CALL_VARIABLE = "PERENNIAL_ANY_CALL"
"""Both say what --record and --any-call say, so that engines that other programs start are recorded too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an engine runs. `port` 0 takes a free one; `python` runs the jobs; `chaos` plays with events and executions.

    `begin` is engine time at its start, in epoch seconds (default: the machine's time). `record` is a folder for what
    the product asks of this engine; with `any_call` it may ask for what docs/engine.md does not have. `data` is a
    folder that outlives the engine: what is in it is there again (default: all state ends with the engine). `quotas`
    are instances that jobs may have at once, by type.
    """

    region: str = "us-east-1"
    idle_speed: float = 1.0
    begin: float | None = None
    port: int = 0
    python: Path = JOBS_PYTHON
    chaos: Chaos | None = None
    record: Path | None = None
    data: Path | None = None
    any_call: bool = False
    fresh: bool = False
    quotas: Mapping[str, int] = field(default_factory=dict)


def arguments_of(arguments: list[str] | None) -> tuple[argparse.Namespace, Options]:
    """Return what a command line says, and the options in it; ends the process when it cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m local.engine", description="Run the laptop engine.")
    parser.add_argument("--cdk-out", type=Path, required=True, help="the cloud assembly to deploy")
    parser.add_argument("--port", type=int, default=0, help="loopback port (default: a free one)")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--idle-speed", type=float, default=1.0, help="how fast time passes while nothing runs")
    parser.add_argument("--begin", type=float, help="engine time at the start, epoch seconds (default: now)")
    parser.add_argument("--state-file", type=Path, help="where to write address and keys")
    chaos_told = "deliver events late, out of order, repeatedly or never, and kill executions"
    parser.add_argument("--chaos", type=int, metavar="SEED", help=chaos_told)
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep all state in DIR, and begin with what is there")
    folder = os.environ.get(RECORD_VARIABLE)
    told = f"write what the product asks of the engine into DIR (default: ${RECORD_VARIABLE}), and check answers"
    parser.add_argument("--record", type=Path, metavar="DIR", default=folder, help=told)
    open_told = f"answer what docs/engine.md does not list, too (default: ${ANY_CALL_VARIABLE})"
    parser.add_argument("--any-call", action="store_true", default=ANY_CALL_VARIABLE in os.environ, help=open_told)
    quota_told = "instances of a type that jobs may have at once"
    parser.add_argument("--quota", action="append", default=[], type=_quota, metavar="TYPE=N", help=quota_told)
    parser.add_argument("--fresh", action="store_true", help="delete first what DIR has")
    given = parser.parse_args(arguments)
    options = Options(
        region=given.region,
        idle_speed=given.idle_speed,
        begin=given.begin,
        port=given.port,
        chaos=None if given.chaos is None else Chaos(seed=given.chaos),
        record=given.record,
        data=given.data,
        any_call=given.any_call,
        fresh=given.fresh,
        quotas=dict(given.quota),
    )
    return given, options


def _quota(text: str) -> tuple[str, int]:
    instance, _, number = text.partition("=")
    if not number.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not TYPE=N, as ml.m5.large=0")
    return instance, int(number)
