"""What one kind of job makes of its request: what to fetch, to run, to judge and to keep."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from local.jobs.container import Exit
from local.jobs.job import Ended
from local.jobs.opt_ml import OptMl

OUT_OF_MEMORY: Final = (
    "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an "
    "instance."
)
OUT_OF_DISK: Final = "ClientError: Data download failed:Insufficient disk space"
"""SageMaker's own words for both, as people report them."""


@dataclass(frozen=True, slots=True)
class Source:
    """S3 objects and the folder of the container that they go to."""

    kind: str
    uri: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A job, ready to run. `upload` returns what Describe shows of it; `start_time` names the member to stamp."""

    role_arn: str
    sources: Sequence[Source]
    arguments: Sequence[str]
    environment: Mapping[str, str]
    isolated: bool
    max_seconds: int
    start_time: str
    judge: Callable[[Exit, OptMl], Ended]
    keeps: Callable[[Ended], bool]
    upload: Callable[[Any, OptMl, Ended], Mapping[str, Any]]
