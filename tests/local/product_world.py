"""The product on the engine, in this process: its own stacks with one model of a small generated table."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.new import new_model
from cloud.door import Door
from cloud.operator import Operator
from cloud.stacks import Stacks
from lifecycle import names
from local.chaos import Chaos
from local.engine import Engine
from local.identity import OPERATOR
from local.options import RECORD_VARIABLE, Options
from stacks.project import Project
from stacks.synthesis import synthesize
from tests import tables

ROOT = Path(__file__).resolve().parents[2]
MODEL = "houses"
STAGE = "dev"


@dataclass(frozen=True)
class Product:
    """A running engine with the product on it, spoken to as its operator."""

    engine: Engine
    folder: Path

    def client(self, service: str) -> Any:
        return self.engine.clients.client(service)

    @property
    def operator(self) -> Operator:
        keys = {"access_key": OPERATOR.access_key, "secret_key": OPERATOR.secret_key}
        return Operator(region="us-east-1", endpoint=self.engine.endpoint, **keys)

    @property
    def stacks(self) -> Stacks:
        return Stacks(self.client("cloudformation"), sleep=lambda _: None)

    def output(self, stack: str, key: str) -> str:
        found = self.stacks.outputs(stack)
        assert found is not None
        return found[key]

    def upload(self, name: str, body: bytes) -> None:
        bucket = self.output(names.shared_stack(STAGE), names.OUTPUT_DATA_BUCKET)
        self.client("s3").put_object(Bucket=bucket, Key=f"incoming/{MODEL}/{name}", Body=body)

    def executions(self, machine: str) -> list[dict[str, Any]]:
        """All executions of "training" or "deployment", oldest first."""
        training = machine == "training"
        output = names.OUTPUT_TRAINING_MACHINE if training else names.OUTPUT_DEPLOYMENT_MACHINE
        stack = (names.training_stack if training else names.serving_stack)(STAGE, MODEL)
        client = self.client("stepfunctions")
        arns = client.list_executions(stateMachineArn=self.output(stack, output))["executions"]
        found = [client.describe_execution(executionArn=one["executionArn"]) for one in arns]
        return sorted(found, key=lambda one: one["startDate"])

    def start(self, machine: str, detail: dict[str, Any]) -> bool:
        """Start "training" or "deployment" by hand, and say so."""
        training = machine == "training"
        output = names.OUTPUT_TRAINING_MACHINE if training else names.OUTPUT_DEPLOYMENT_MACHINE
        stack = (names.training_stack if training else names.serving_stack)(STAGE, MODEL)
        arn, payload = self.output(stack, output), json.dumps({"detail": detail})
        self.client("stepfunctions").start_execution(stateMachineArn=arn, input=payload)
        return True

    @property
    def door(self) -> Door:
        outputs = Stacks(self.operator.client("cloudformation")).outputs(names.shared_stack(STAGE)) or {}
        url = outputs[names.OUTPUT_API_URL]
        return Door(url, "us-east-1", (OPERATOR.access_key, OPERATOR.secret_key, None))

    def until(self, holds: Callable[[], Any], what: str, seconds: float = 240.0) -> None:
        give_up = time.perf_counter() + seconds
        while not holds():
            if time.perf_counter() > give_up:
                pytest.fail(f"no {what} within {seconds:.0f} s")
            time.sleep(0.1)

    def settle(self, seconds: float = 150.0) -> None:
        """Let engine time pass: more than two settle times of the look queue."""
        until = self.engine.clock.now() + seconds
        self.until(lambda: self.engine.clock.now() > until, f"{seconds:.0f} s of engine time")


@contextmanager
def product(
    folder: Path, chaos: Chaos | None = None, idle_speed: float = 600.0, keys: Mapping[str, str] | None = None
) -> Iterator[Product]:
    """Start it; `keys` replace top-level keys of its model.yaml."""
    table = tables.amounts(folder / "houses.csv", 600)
    new_model(MODEL, table, tables.TARGETS[MODEL], folder)
    described = folder / "models" / MODEL / "model.yaml"
    for key, value in (keys or {}).items():
        text = re.sub(rf"(?m)^{key}: .*\n?", "", described.read_text())
        described.write_text(f"{text}\n{key}: {value}\n")
    for name in ("app.py", "stages.yaml"):
        shutil.copy(ROOT / name, folder)
    synthesize(Project(code=ROOT, home=folder), stage=STAGE, outdir=folder / "cdk.out")
    python, record = ROOT / ".venv-jobs" / "bin" / "python", os.environ.get(RECORD_VARIABLE)
    options = Options(idle_speed=idle_speed, python=python, chaos=chaos, record=Path(record) if record else None)
    with Engine(folder / "cdk.out", options) as engine:
        yield Product(engine, folder)
