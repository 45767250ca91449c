"""Where a command acts: a stage on AWS, on the laptop engine, or on an endpoint that speaks as AWS does.

The same calls each time.
"""

import json
import os
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from cli import output
from cloud.door import Door
from cloud.operator import Operator
from cloud.stacks import Stacks
from lifecycle import names

STATE_FILE = Path(".perennial/engine.json")
STAGES = Path("stages.yaml")
ENDPOINT: Final = "AWS_ENDPOINT_URL"
"""The variable by which every AWS client is sent to another address; a command that obeys it says so."""
_OF_AWS: Final = (".amazonaws.com", ".amazonaws.com.cn")


@dataclass(frozen=True, kw_only=True)
class Target:
    """One stage somewhere. `engine` is the laptop engine's state file content, None on AWS."""

    stage: str
    operator: Operator
    engine: dict[str, Any] | None = None

    @property
    def is_local(self) -> bool:
        """Whether the laptop engine answers."""
        return self.engine is not None

    @property
    def where(self) -> str:
        """The target in words."""
        if self.engine is not None:
            return f"stage {self.stage} on the laptop engine at {self.engine['endpoint']}"
        if self.operator.endpoint is not None:
            return f"stage {self.stage} at {self.operator.endpoint}, not on AWS"
        return f"stage {self.stage} on AWS in {self.operator.region}"

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        return self.operator.client(service)

    @property
    def stacks(self) -> Stacks:
        """The CloudFormation stacks of this target."""
        return Stacks(self.client("cloudformation"))

    def shared(self) -> dict[str, str]:
        """Return the outputs of the shared stack; ends the command when the stage is not deployed."""
        return self._outputs(names.shared_stack(self.stage))

    def training(self, model: str) -> dict[str, str]:
        """Return the outputs of a model's training stack; ends the command when there is none."""
        return self._outputs(names.training_stack(self.stage, model))

    def serving(self, model: str) -> dict[str, str]:
        """Return the outputs of a model's serving stack; ends the command when there is none."""
        return self._outputs(names.serving_stack(self.stage, model))

    def door(self) -> Door:
        """Return the HTTP API; ends the command where an endpoint in AWS's place has none, rather than ask AWS."""
        url = self.shared()[names.OUTPUT_API_URL]
        if self.engine is None and self.operator.endpoint and (urlsplit(url).hostname or "").endswith(_OF_AWS):
            output.fail(f"{self.where} has no HTTP API of its own: its stack names {url}", output.EXIT_UNREACHABLE)
        return Door(url, self.operator.region, self.operator.keys())

    def models(self) -> list[str]:
        """Return the names of the models that are deployed; ends the command when the stage is not."""
        start, end = names.training_stack(self.stage, "|").split("|")
        self.shared()
        found = self.stacks.names(start)
        return [name[len(start) : -len(end)] for name in found if name.endswith(end)]

    def _listed(self) -> str:
        return ", ".join(self.models()) or "none"

    def now(self) -> float:
        """Return the time there, in epoch seconds: the engine's clock may be ahead of this machine's."""
        if self.engine is None:
            return time.time()
        with urllib.request.urlopen(f"{self.engine['endpoint']}/_engine/clock", timeout=5) as answer:  # noqa: S310
            return float(json.load(answer)["now"])

    def _outputs(self, stack: str) -> dict[str, str]:
        found = self.stacks.outputs(stack)
        if found is None:
            deploy = "perennial local up" if self.is_local else f"cdk deploy --all -c stage={self.stage}"
            there = "" if stack == names.shared_stack(self.stage) else f" Models there: {self._listed()}."
            output.fail(f"{self.where} has no stack {stack}.{there} Deploy it: {deploy}", output.EXIT_UNREACHABLE)
        return found


def find(*, stage: str | None, where: str | None, endpoint: str | None = None) -> Target:
    """Return the target of this command.

    `where` is "local", "aws" or None: then the laptop engine, if one runs from this checkout, else AWS. `endpoint` is
    an address that is asked in AWS's place, whatever engine runs.
    """
    engine = None if endpoint else running_engine()
    if where == "local" or (where is None and engine is not None):
        return _local(engine, stage)
    stages = _stages()
    chosen = stage or next(iter(stages))
    if chosen not in stages:
        output.fail(f"stage {chosen!r} is not in stages.yaml; it has: {', '.join(stages)}", output.EXIT_USAGE)
    operator = Operator(region=stages[chosen], endpoint=_address(endpoint or os.environ.get(ENDPOINT)))
    return Target(stage=chosen, operator=operator)


def _local(engine: dict[str, Any] | None, stage: str | None) -> Target:
    if engine is None:
        output.fail("no laptop engine runs here. Start one: perennial local up", output.EXIT_UNREACHABLE)
    if stage not in (None, engine["stage"]):
        output.fail(
            f"the laptop engine runs stage {engine['stage']}, not {stage}. For {stage} on AWS add --aws; on this "
            f"machine stop the engine and run: perennial local up --stage {stage}",
            output.EXIT_USAGE,
        )
    operator = Operator(
        region=engine["region"],
        endpoint=engine["endpoint"],
        access_key=engine["access_key"],
        secret_key=engine["secret_key"],
    )
    return Target(stage=engine["stage"], operator=operator, engine=engine)


def _address(given: str | None) -> str | None:
    if given and urlsplit(given).scheme not in ("http", "https"):
        output.fail(f"an endpoint is an address such as http://127.0.0.1:4566, found {given!r}", output.EXIT_USAGE)
    return given or None


def _stages() -> dict[str, str]:
    """Return the region of each stage, in the file's order; ends the command when stages.yaml is wrong."""
    try:
        raw = yaml.safe_load(STAGES.read_text())
        return {str(name): str(stage["region"]) for name, stage in raw.items()}
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, OSError) as error:
        output.fail(
            f"stages.yaml cannot be read ({type(error).__name__}: {error}). It names each stage and its region, such "
            "as `dev: {region: us-east-1}`; `python app.py` lists every problem of the file",
            output.EXIT_USAGE,
        )


def running_engine() -> dict[str, Any] | None:
    """Return the state of the laptop engine started from this checkout, or None when none is alive."""
    try:
        state: dict[str, Any] = json.loads(STATE_FILE.read_text())
        os.kill(int(state["pid"]), 0)
    except (FileNotFoundError, ProcessLookupError, ValueError, KeyError):
        return None
    return state
