"""Any exception -> the one line that SageMaker reads, and exit code 1.

A training job's reason is the first 1,024 characters of `output/failure`, a processing job's that of `output/message`
(SageMaker developer guide, "How Amazon SageMaker AI processes training output" and "Processing containers").
"""

import logging
import sys
from collections.abc import Callable
from pathlib import Path

LIMIT = 1_000


def run(job: Callable[[], None], reason_file: Path) -> int:
    """Run `job`; on an error write `<ErrorClass>: <message>` to `reason_file`, log the traceback and return 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        job()
    except Exception as error:  # the composition root of a job: every fault must reach FailureReason
        line = f"{type(error).__name__}: {error}"
        reason_file.parent.mkdir(parents=True, exist_ok=True)
        # the limit counts characters in training jobs and bytes in processing jobs: keep within the smaller
        reason_file.write_bytes(line.encode()[:LIMIT])
        logging.getLogger(__name__).error(line, exc_info=error)
        return 1
    return 0
