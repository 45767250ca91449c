"""What `serving.rollout` of a model.yaml may say, and the rollout that follows from it."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from lifecycle.rollout import ALL_AT_ONCE, CANARY, Rollout
from stacks.column_rules import Keys
from stacks.refusals import refuse_rollout

LONGEST_SECONDS = 20 * 3600
"""An execution of the deployment machine, steps and holds included, ends before its claim does."""


class CanaryKeys(Keys):
    """Traffic moves to a new version in steps; each is judged against the live version before the next."""

    steps: Annotated[list[Annotated[int, Field(ge=1, le=99)]], Field(min_length=1, max_length=8)] = Field(
        default_factory=lambda: list(CANARY.steps)
    )
    """percent of traffic, rising; all of it follows after the last"""
    step_minutes: Annotated[int, Field(ge=5, le=240)] = 5
    """how long a step lasts before it is judged (CloudWatch's figures come minutes late)"""
    bake_minutes: Annotated[int, Field(ge=0, le=1440)] = 60
    """how long after going live an alarm brings the version before back; 0 never"""
    min_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """rows that each version must have scored since the rollout began"""
    max_holds: Annotated[int, Field(ge=0, le=20)] = 2
    """how often a step is prolonged for want of rows, before the probe of recorded rows decides"""
    significance: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    """chance that a version as good as the live one is rolled back"""
    max_extra_failures: Annotated[float, Field(ge=0, lt=1)] = 0.002
    """share of requests that may fail beyond the live version's own share"""
    max_duration_ratio: Annotated[float, Field(gt=1)] = 2.0
    """how many times as long as the live version a request may take"""
    max_score_distance: Annotated[float, Field(gt=0, le=1)] = 0.4
    """largest gap between the distributions of scores (Kolmogorov-Smirnov; classes: of their shares)"""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if sorted(set(self.steps)) != self.steps:
            raise ValueError(f"steps must rise, found {self.steps}")
        if self.rollout.longest_seconds > LONGEST_SECONDS:
            raise ValueError("all steps with all their holds may take 20 hours at most; make them fewer or shorter")
        return self

    @property
    def rollout(self) -> Rollout:
        """The rollout with these figures."""
        return Rollout(**{**dict(self), "steps": tuple(self.steps)})


class CanaryRollout(Keys):
    """A canary with figures of its own."""

    canary: CanaryKeys


RolloutWord = Annotated[
    Literal["all-at-once", "canary"] | CanaryRollout,
    BeforeValidator(refuse_rollout, json_schema_input_type=Literal["all-at-once", "canary"] | CanaryRollout),
]


def rollout_of(written: Literal["all-at-once", "canary"] | CanaryRollout) -> Rollout:
    """Return the rollout that a model.yaml asks for."""
    if isinstance(written, CanaryRollout):
        return written.canary.rollout
    return CANARY if written == "canary" else ALL_AT_ONCE
