"""Where the one end-to-end test body runs: the laptop engine, LocalStack or AWS, behind one face.

The body speaks AWS's APIs, S3 and HTTP only. What a place cannot do is named here with its reason, and the parts of the
body that need it are skipped there with that reason.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest

from cloud.door import Door
from cloud.ledger import LedgerTable
from cloud.operator import Operator
from lifecycle import keys, ledger, names
from tests.e2e.conftest import clean_environment
from tests.localstack.process import LocalStack

STAGE: Final = "smoke"
MODEL: Final = "plain"
JOBS, HTTP, ALARM_EVENTS, ENCRYPTION = "jobs", "http", "alarm events", "encryption"


@dataclass(frozen=True, kw_only=True)
class Place:
    """One deployed stage with one model. `lacks` says what there is not, and why; `patience` is in seconds."""

    target: str
    folder: Path
    operator: Operator
    patience: float
    lacks: Mapping[str, str] = field(default_factory=dict)
    look_again: Callable[[str], None] = lambda alarm: None
    """Has an alarm evaluated where that happens more rarely than on AWS."""
    process: LocalStack | None = None

    @property
    def linger(self) -> int:
        """Seconds for which a queue is looked at: on AWS a look at once may miss what is there."""
        return 0 if self.operator.endpoint else 2

    def need(self, *abilities: str) -> None:
        """Skip the test where this place lacks one of `abilities`."""
        for ability in abilities:
            if ability in self.lacks:
                pytest.skip(f"{self.target}: {self.lacks[ability]}")

    def said(self, about: str) -> str:
        """Return the lines of LocalStack's log that name `about`."""
        assert self.process is not None
        log = self.process.log.read_text(errors="replace")
        return "\n".join(line for line in log.splitlines() if about in line)

    def client(self, service: str) -> Any:
        return self.operator.client(service)

    def outputs(self, stack: str) -> dict[str, str]:
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}

    @cached_property
    def shared(self) -> dict[str, str]:
        return self.outputs(names.shared_stack(STAGE))

    @cached_property
    def training(self) -> dict[str, str]:
        return self.outputs(names.training_stack(STAGE, MODEL))

    @cached_property
    def door(self) -> Door:
        return Door(self.shared[names.OUTPUT_API_URL], self.operator.region, self.operator.keys())

    def wait[T](self, find: Callable[[], T | None], what: str, seconds: float | None = None) -> T:
        """Return what `find` returns once it is something; fail after `patience` seconds."""
        limit = seconds or self.patience
        until = time.monotonic() + limit
        while time.monotonic() < until:
            if found := find():
                return found
            time.sleep(0.5)
        pytest.fail(f"{self.target}: no {what} within {limit:.0f} s")

    def upload(self, name: str, body: bytes) -> None:
        """Upload a file of the model's dataset."""
        bucket = self.shared[names.OUTPUT_DATA_BUCKET]
        self.client("s3").put_object(Bucket=bucket, Key=keys.incoming(MODEL, name), Body=body)

    def command(self, *arguments: str) -> str:
        """Run `perennial` in the checkout against this place, and return what it prints; fails the test if it fails."""
        where, environment = ["--aws"], dict(os.environ)
        if self.operator.endpoint:
            access, secret, _ = self.operator.keys()
            where = ["--endpoint-url", self.operator.endpoint]
            environment = clean_environment() | {"AWS_ACCESS_KEY_ID": access, "AWS_SECRET_ACCESS_KEY": secret}
        command = [sys.executable, "-c", "from cli.main import main; main()", *arguments, *where]
        ran = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def executions(self) -> list[dict[str, Any]]:
        """All executions of the training machine, oldest first."""
        machine = self.training[names.OUTPUT_TRAINING_MACHINE]
        found = self.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
        return sorted(found, key=lambda e: e["startDate"])

    def history(self, execution: str) -> list[dict[str, Any]]:
        """All events of an execution, oldest first."""
        client = self.client("stepfunctions")
        pages = client.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def artifact(self, *parts: str) -> Any:
        """A JSON object of the artifact bucket below the model's runs."""
        bucket = self.shared[names.OUTPUT_ARTIFACT_BUCKET]
        return json.loads(self.client("s3").get_object(Bucket=bucket, Key=keys.run(MODEL, *parts))["Body"].read())

    def records(self) -> list[dict[str, Any]]:
        """The records of all runs."""
        bucket = self.shared[names.OUTPUT_ARTIFACT_BUCKET]
        listed = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=keys.runs(MODEL)).get("Contents", [])
        runs = [o["Key"].split("/")[2] for o in listed if o["Key"].endswith("/run.json")]
        return [self.artifact(run, "run.json") for run in runs]

    def ledger(self) -> list[dict[str, Any]]:
        """The model's entries, oldest first."""
        return LedgerTable(self.client("dynamodb"), self.shared[names.OUTPUT_LEDGER_TABLE]).entries(ledger.model(MODEL))
