"""stages.yaml -> Stage: where and how carefully the product is deployed."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator

from stacks.door_file import Cors, Throttle
from stacks.images import ACCOUNTS
from stacks.project import SynthesisRefused
from stacks.yaml_file import Problem, problems_of, read_yaml, refuse

STAGE_NAME = r"[a-z][a-z0-9]{0,11}"


class Removal(StrEnum):
    """What happens to data when a stack is deleted."""

    RETAIN = "retain"
    DESTROY = "destroy"


class Stage(BaseModel):
    """One stage. Without `account` the templates fit any account; `region` decides which training image is used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = ""
    region: str
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    removal: Removal = Removal.RETAIN
    approval: Literal["auto", "manual"] = "manual"
    throttle: Throttle = Throttle()
    cors: Cors | None = None

    @field_validator("account", mode="before")
    @classmethod
    def _account_is_text(cls, value: object) -> object:
        # YAML reads an unquoted account id as a number, and one that begins with 0 as something else
        if isinstance(value, int):
            raise ValueError("write the account id in quotes")
        return value

    @field_validator("region")
    @classmethod
    def _region_has_the_image(cls, value: str) -> str:
        if value not in ACCOUNTS:
            raise ValueError(f"the training image is not known there; regions: {', '.join(sorted(ACCOUNTS))}")
        return value


class _Stages(RootModel[dict[Annotated[str, Field(pattern=f"^{STAGE_NAME}$")], Stage]]):
    pass


def read_stages(path: Path) -> dict[str, Stage]:
    """Return the stages of a stages.yaml in file order.

    Raises SynthesisRefused naming every problem of the file.
    """
    raw = read_yaml(path)
    if not raw:
        refuse(path, [Problem("", "must name at least one stage, such as `dev: {region: us-east-1}`")])
    stages, problems = problems_of(_Stages, raw)
    if stages is None:
        refuse(path, problems)
    return {name: stage.model_copy(update={"name": name}) for name, stage in stages.root.items()}


def choose_stage(path: Path, name: str | None) -> Stage:
    """Return the named stage, or the first one. Raises SynthesisRefused when there is no such stage."""
    stages = read_stages(path)
    chosen = name or next(iter(stages))
    if chosen not in stages:
        raise SynthesisRefused(f"{path}: there is no stage {chosen!r}; it has {', '.join(stages)}.")
    return stages[chosen]
