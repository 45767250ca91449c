"""Where a command acts: a stage on AWS, or the same stage on the laptop engine; the same calls either way."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cli import output
from cloud.operator import Operator
from cloud.stacks import Stacks
from lifecycle import names

STATE_FILE = Path(".perennial/engine.json")


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

    def models(self) -> list[str]:
        """Return the names of the models that are deployed."""
        start, end = names.training_stack(self.stage, "|").split("|")
        found = self.stacks.names(start)
        return [name[len(start) : -len(end)] for name in found if name.endswith(end)]

    def _outputs(self, stack: str) -> dict[str, str]:
        found = self.stacks.outputs(stack)
        if found is None:
            deploy = "perennial local up" if self.is_local else f"cdk deploy --all -c stage={self.stage}"
            output.fail(f"{self.where} has no stack {stack}. Deploy it: {deploy}", output.EXIT_UNREACHABLE)
        return found


def find(*, stage: str | None, where: str | None) -> Target:
    """Return the target of this command.

    `where` is "local", "aws" or None: then the laptop engine, if one runs from this checkout, else AWS.
    """
    stages = yaml.safe_load(Path("stages.yaml").read_text()) if Path("stages.yaml").exists() else {}
    stages = stages.get("stages", stages) or {}
    engine = running_engine()
    if where == "local" or (where is None and engine is not None):
        if engine is None:
            output.fail("no laptop engine runs here. Start one: perennial local up", output.EXIT_UNREACHABLE)
        operator = Operator(
            region=engine["region"],
            endpoint=engine["endpoint"],
            access_key=engine["access_key"],
            secret_key=engine["secret_key"],
        )
        return Target(stage=stage or engine["stage"], operator=operator, engine=engine)
    chosen = stage or next(iter(stages), None)
    if chosen is None or chosen not in stages:
        known = ", ".join(stages) or "none: stages.yaml is missing or empty"
        output.fail(f"stage {chosen!r} is not in stages.yaml (known: {known})", output.EXIT_USAGE)
    return Target(stage=chosen, operator=Operator(region=str(stages[chosen]["region"])))


def running_engine() -> dict[str, Any] | None:
    """Return the state of the laptop engine started from this checkout, or None when none is alive."""
    try:
        state: dict[str, Any] = json.loads(STATE_FILE.read_text())
        os.kill(int(state["pid"]), 0)
    except (FileNotFoundError, ProcessLookupError, ValueError, KeyError):
        return None
    return state
