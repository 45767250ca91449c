"""Runs inside a worker: gives the process engine time, then hands over to AWS's runtime client (awslambdaric).

Started as a file with the interpreter of the functions, so it imports nothing of the engine. The engine writes the
clock's offset (seconds, a packed double) to a file before each invocation; while the offset is zero nothing is imported
and nothing replaced.
"""

import os
import struct
import sys
from typing import Any

OFFSET = struct.Struct("<d")
NOTICED_SECONDS = 0.005


class EngineTime:
    """Follows the offset that the engine wrote to the open file `descriptor`."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._offset = 0.0
        self._traveller: Any = None
        # the performance counter is the one that time-machine leaves alone
        import time

        self._counter = time.perf_counter
        # of several readings the quickest: between two calls a busy machine may run something else
        readings = [(time.perf_counter(), time.time(), time.perf_counter()) for _ in range(5)]
        before, now, after = min(readings, key=lambda reading: reading[2] - reading[0])
        self._epoch_at_zero = now - (before + after) / 2

    def follow(self) -> None:
        """Move this process to engine time."""
        (offset,) = OFFSET.unpack(os.pread(self._descriptor, OFFSET.size, 0))
        if abs(offset - self._offset) < NOTICED_SECONDS:
            return
        self._offset = offset
        if self._traveller is None:
            import time_machine

            self._traveller = time_machine.travel(self._now(), tick=True).start()
        # after the start once more: importing and starting take as long as many an invocation
        self._traveller.move_to(self._now(), tick=True)

    def _now(self) -> float:
        return float(self._epoch_at_zero + self._counter() + self._offset)


def main() -> None:
    """Run `handler` (argv[1]) with the offset file argv[2] against the Runtime API that the environment names."""
    handler, offset_file = sys.argv[1:3]
    engine_time = EngineTime(os.open(offset_file, os.O_RDONLY))
    engine_time.follow()

    from awslambdaric import bootstrap
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    class Client(LambdaRuntimeClient):  # type: ignore[misc]
        def wait_next_invocation(self) -> Any:
            request = super().wait_next_invocation()
            engine_time.follow()
            return request

    sys.argv[1:] = []
    bootstrap.run(handler, Client(os.environ["AWS_LAMBDA_RUNTIME_API"]))


if __name__ == "__main__":
    main()
