"""What a run of the body on AWS can cost at most, before anything is made there."""

from dataclasses import dataclass
from typing import Final

# On-demand price of SageMaker training and processing, US dollars an hour (AWS price list, us-east-1, ml.m5.large);
# other regions cost up to twice as much
HOURLY: Final = {"ml.m5.large": 0.115}
DEAREST_REGION: Final = 2.0
RUNS: Final = 2
"""One for the upload, and one if the raised alarm starts another."""
EVERYTHING_ELSE: Final = 1.0
"""A key for part of a month, alarms, requests, logs, a few MB in S3: cents, rounded up."""


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """The jobs of one run, all on `instance` for at most `minutes` each."""

    count: int
    minutes: int
    instance: str = "ml.m5.large"


def worst(jobs: Jobs) -> float:
    """Return US dollars: every job of every run takes all of its time, in the dearest region.

    Raises
    ------
    ValueError
        when the price of the instance is not known here.
    """
    if jobs.instance not in HOURLY:
        raise ValueError(f"the price of {jobs.instance} is not known here; known: {', '.join(HOURLY)}")
    return RUNS * jobs.count * jobs.minutes / 60 * HOURLY[jobs.instance] * DEAREST_REGION + EVERYTHING_ELSE
