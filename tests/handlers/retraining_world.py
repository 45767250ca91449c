"""A stage with runs that were, a training machine and a dataset's versions, for the tests of retraining."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lambdas import decide_retraining, wiring
from lifecycle import claims, keys, ledger, names
from lifecycle.claims import RETRAIN_LEASE_SECONDS, Taking
from lifecycle.errors import Unavailable
from lifecycle.feedback_label import Change, Label
from lifecycle.retraining import Retraining
from lifecycle.spec import ModelSpec
from lifecycle.versions import Current, assemble

from .conftest import SPEC, STAGE, World, make_execution
from .feedback_world import HOUR, identity, labels, log, make_labels_table

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:training"
WRITING = ("Put", "Delete", "Invoke", "Start")
MANY = Retraining(runs_per_month=1000, instance_minutes_per_month=10**6)


@dataclass
class Asked:
    """The stage. `dying` is the number, from 0, of the writing call before which the function dies."""

    world: World
    root: Path
    patch: pytest.MonkeyPatch
    spec: ModelSpec = SPEC
    serial: int = 0
    dying: int | None = None
    written: int = 0
    execution: Callable[[str], str] = field(default_factory=make_execution)

    def rules(self, rules: Retraining, model: str = SPEC.model, feedback_days: float = 1) -> None:
        """Deploy a model with other rules; it learns from the dataset of all of them."""
        for old in self.root.glob("spec-*.json"):
            old.unlink()
        serving = replace(SPEC.serving, feedback_days=feedback_days)
        self.spec = replace(SPEC, model=model, retraining=rules, serving=serving)
        (self.root / self.spec.file_name).write_bytes(self.spec.to_bytes())
        self.patch.setenv("MODEL", model)
        self.patch.setenv("SPEC_ID", self.spec.spec_id)
        wiring.settings.cache_clear()
        wiring.packaged_spec.cache_clear()

    def cut(self, content: str = "") -> str:
        """Cut a version of what is uploaded, after `content` was; return its id."""
        if content:
            self.world.upload("a.csv", content.encode())
        data = wiring.bucket("data-bucket")
        uploads = data.uploads("flights")
        digests = {}
        for one in uploads:
            body = self.world.s3.get_object(Bucket="data-bucket", Key=f"incoming/flights/{one.name}")["Body"].read()
            digests[one.version_id] = hashlib.sha256(body).hexdigest()
        manifest = assemble("flights", uploads, digests, wiring.iso(wiring.now()))
        self.serial += 1
        newest = Current(version=manifest.version, sequence=self.serial, cut_at=manifest.cut_at)
        data.write_json(keys.manifest("flights", manifest.version), manifest.to_plain())
        data.write_json(keys.current("flights"), newest.to_plain())
        return manifest.version

    def version(self) -> str:
        raw = wiring.bucket("data-bucket").need_json(keys.current("flights"))
        return Current.from_plain(raw).version

    def ran(self, status: str = "succeeded", *, passed: bool | None = True, **facts: Any) -> str:
        """Leave the record of a run on the newest version that began a minute ago and is over."""
        self.serial += 1
        run_id, now = f"{self.spec.model}-{self.serial}", wiring.now()
        record = {
            "run_id": run_id, "started_at": _iso(now - 60), "ended_at": _iso(now), "status": status,
            "version": self.version(), "spec_id": self.spec.spec_id, "trigger": "upload",
            "registration": None if passed is None else {"passed": passed}, **facts,
        }  # fmt: skip
        wiring.bucket("artifact-bucket").write_json(keys.run_record(self.spec.model, run_id), record)
        return run_id

    def held(self, claim: str, seconds: int) -> None:
        """Let an execution hold a claim."""
        self.world.claims().take(Taking(claim=claim, owner="arn:x:1", lease_seconds=seconds), wiring.now())

    def ask(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send an event to the function, as Lambda does; return its answer."""
        self.serial += 1
        context = SimpleNamespace(aws_request_id=f"request-{self.serial}")
        return decide_retraining.handler(json.loads(json.dumps(event)), context)

    def look(self, *alerts: str) -> dict[str, Any]:
        detail = {"stage": STAGE, "model": self.spec.model, "at": "", "alerts": alerts, "window": "", "labelled": 0}
        return self.ask({"source": names.SOURCE, "detail-type": names.MODEL_MONITORED, "detail": detail})

    def alarm(self, what: str) -> dict[str, Any]:
        name = names.alarm(STAGE, self.spec.model, what)
        detail = {"alarmName": name, "state": {"value": "ALARM"}}
        return self.ask({"source": "aws.cloudwatch", "detail-type": names.ALARM_CHANGED, "detail": detail})

    def schedule(self) -> dict[str, Any]:
        return self.ask({"trigger": "schedule"})

    def hand(self, **more: Any) -> dict[str, Any]:
        return self.ask({"trigger": "hand", "reason": "new fares", "by": "arn:aws:iam::1:user/ann", **more})

    def announced(self) -> dict[str, Any]:
        detail = {"stage": STAGE, "dataset": "flights", "version": self.version(), "sequence": self.serial}
        return self.ask({"source": names.SOURCE, "detail-type": names.VERSION_CUT, "detail": detail})

    def runs(self) -> list[dict[str, Any]]:
        """Return the details with which executions were started, oldest first."""
        states = boto3.client("stepfunctions")
        listed = states.list_executions(stateMachineArn=MACHINE)["executions"]
        listed = [one for one in listed if one["name"].startswith("retrain-")]
        listed.sort(key=lambda one: one["startDate"])
        inputs = (states.describe_execution(executionArn=one["executionArn"])["input"] for one in listed)
        return [json.loads(one)["detail"] for one in inputs]

    def told(self) -> list[dict[str, Any]]:
        """Return the decisions in the ledger, oldest first."""
        entries = self.world.ledger(ledger.model(self.spec.model))
        return [one["detail"] for one in entries if one["kind"] == ledger.RETRAINING_DECIDED]

    def answered(self, *numbers: int, ago: float = HOUR) -> None:
        """Log predictions and give them labels."""
        at = wiring.now() - ago
        made = [identity(at, number) for number in numbers]
        for number, one in zip(numbers, made, strict=True):
            log(at, one, row={"flight": f"UA{number}", "origin": "EWR", "distance": 1400.0})
        told = [Label(prediction_id=one, label="true", recorded_at=at, source="r", found=True) for one in made]
        labels().write([Change(before=None, after=one) for one in told])

    def dies(self, write: int, event: Sequence[str]) -> bool:
        """Look, and die before the writing call of this number, and for good; tell whether it came to that."""
        self.dying, self.written = write, 0
        with suppress(ClientError, Unavailable):
            self.look(*event)
            self.dying = None
        died, self.dying = self.dying is not None, None
        self.world.pass_time(RETRAIN_LEASE_SECONDS + 1)
        return died

    def before_call(self, operation: str) -> None:
        self.written += operation.startswith(WRITING)
        if self.dying is not None and self.written > self.dying:
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": "out of order"}}, operation)


def make_asked(world: World, root: Path, patch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Create the stage: a version, and a run on it that was approved."""
    patch.setenv("LABELS_TABLE", make_labels_table())
    patch.setenv("TRAINING_MACHINE", MACHINE)
    asked = Asked(world, root, patch)
    asked.rules(Retraining())
    asked.cut("first")
    asked.ran()
    for service in ("s3", "dynamodb", "lambda", "stepfunctions"):
        wiring.client(service).meta.events.register(
            f"provide-client-params.{service}.*", lambda model, **_: asked.before_call(model.name)
        )
    yield asked


def rollout(asked: Asked) -> str:
    return claims.deploy(asked.spec.model)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
