"""The predict function as the serving stack made it, its versions answering as their packages say, and the machine."""

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import boto3
import pytest

from cloud.functions import code_sha256
from lambdas import (
    close_deployment,
    judge_rollout,
    plan_deployment,
    probe_version,
    promote_model,
    publish_model,
    shift_traffic,
    wiring,
    withdraw_version,
)
from lifecycle import live, names
from lifecycle.errors import NotReady, Overtaken

from .conftest import SPEC, STAGE, World
from .test_runs import finish, machine, stop

FUNCTION = names.predict_function(STAGE, SPEC.model)
GROUP = names.package_group(STAGE, SPEC.model)
ROWS = [{"origin": "JFK"}, {"origin": "EWR"}]
EXPECTED = [{"probability": 0.25, "decision": False}, {"probability": 0.75, "decision": True}]


def asset(content: str = "handler = 1\n") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        target.writestr("lambdas/predict.py", content)
        target.writestr(SPEC.file_name, SPEC.to_bytes())
    return made.getvalue()


@dataclass
class Predict:
    """The versions of the predict function. `faults` maps a run to what its version does wrong."""

    client: Any
    packages: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, bool]] = field(default_factory=list)

    def release(self, number: str) -> dict[str, Any] | None:
        """What a version holds, None without a model."""
        sha = self.client.get_function_configuration(FunctionName=FUNCTION, Qualifier=number)["CodeSha256"]
        if sha not in self.packages:
            return None
        with zipfile.ZipFile(io.BytesIO(self.packages[sha])) as found:
            return dict(json.loads(found.read("model/release.json")))

    def invoke(self, number: str, event: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """Return (payload, FunctionError)."""
        assert event["requestContext"]["perennial"] == "probe"
        release, rows = self.release(number), "body" in event
        self.asked.append((number, rows))
        if release is None:
            return {"statusCode": 503, "body": json.dumps({"detail": "no model yet"})}, None
        fault = self.faults.get(release["run_id"], "")
        if fault.startswith("cold") and rows and len(self.asked) <= int(fault.removeprefix("cold ")):
            return {"statusCode": 503, "body": json.dumps({"detail": "the endpoint may be starting"})}, None
        if fault == "hangs":
            return {"errorType": "Sandbox.Timedout", "errorMessage": "Task timed out after 29.00 seconds"}, "Unhandled"
        if fault == "raises":
            return {"statusCode": 500, "body": json.dumps({"detail": "the request could not be answered"})}, None
        if not rows:
            return {"statusCode": 200, "body": json.dumps(release)}, None
        answers = [{**entry, "prediction_id": str(n)} for n, entry in enumerate(EXPECTED)]
        if fault == "wrong":
            answers[1]["probability"] = 0.7500001
        return {"statusCode": 200, "body": json.dumps({"predictions": answers})}, None

    def alias(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get_alias(FunctionName=FUNCTION, Name=names.LIVE)
        return found

    def live(self) -> tuple[str, live.Live | None]:
        found = self.alias()
        return found["FunctionVersion"], live.parse(found["Description"])

    def weights(self) -> dict[str, float]:
        routing = self.alias().get("RoutingConfig") or {}
        return dict(routing.get("AdditionalVersionWeights") or {})

    def versions(self) -> list[str]:
        found = self.client.list_versions_by_function(FunctionName=FUNCTION)["Versions"]
        return [entry["Version"] for entry in found if entry["Version"] != "$LATEST"]

    def update_stack(self, world: World, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A stack update with new handler code: another asset, another code in `$LATEST`, without a model."""
        key = f"predict-{hashlib.sha256(content.encode()).hexdigest()[:8]}.zip"
        world.s3.put_object(Bucket="asset-bucket", Key=key, Body=asset(content))
        monkeypatch.setenv("ASSET_KEY", key)
        wiring.settings.cache_clear()
        self.client.update_function_code(FunctionName=FUNCTION, ZipFile=asset(content))


def make_predict(world: World) -> Iterator[Predict]:
    world.s3.put_object(Bucket="asset-bucket", Key="predict.zip", Body=asset())
    role = boto3.client("iam").create_role(RoleName="predict", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = boto3.client("lambda")
    functions.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.12",
        Role=role,
        Handler="lambdas.predict.handler",
        Code={"ZipFile": asset()},
        Publish=True,
    )
    functions.create_alias(FunctionName=FUNCTION, Name=names.LIVE, FunctionVersion="1", Description="no model yet")
    made = Predict(functions)

    def kept(params: dict[str, Any], **_: Any) -> None:
        package = params["ZipFile"]
        made.packages[code_sha256(package)] = package

    def answered(params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]] | None:
        if FUNCTION not in unquote(params["url_path"]):
            return None  # the ledger's writer
        number = params["query_string"]["Qualifier"]
        payload, fault = made.invoke(number, json.loads(params["body"]))
        parsed = {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(payload).encode())}
        return SimpleNamespace(status_code=200), {**parsed, **({"FunctionError": fault} if fault else {})}

    hooks = wiring.client("lambda").meta.events
    hooks.register("provide-client-params.lambda.UpdateFunctionCode", kept)
    hooks.register("before-call.lambda.Invoke", answered)  # moto would look for Docker
    yield made


def package(world: World, run_id: str, status: str = "Approved", **changed: str) -> str:
    compiled = json.dumps({"run": run_id}).encode()
    key = f"runs/flights/{run_id}/evaluation/compiled.json"
    world.s3.put_object(Bucket="artifact-bucket", Key=key, Body=compiled)
    recorded = {"schema": 1, "rows": ROWS, "expected": EXPECTED}
    probe_key = f"runs/flights/{run_id}/evaluation/probe.json"
    world.s3.put_object(Bucket="artifact-bucket", Key=probe_key, Body=json.dumps(recorded))
    properties = {
        "run_id": run_id,
        "data_version": "d" * 64,
        "contract_id": SPEC.contract.contract_id,
        "compiled": key,
        "compiled_sha256": hashlib.sha256(compiled).hexdigest(),
        **changed,
    }
    answer = boto3.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus=status,
        CustomerMetadataProperties=properties,
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": "s3://artifact-bucket/model.tar.gz"}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )
    return str(answer["ModelPackageArn"])


@dataclass
class Deployment:
    """One execution of the deployment machine, step by step, as its definition says."""

    execution: str
    world: World
    detail: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    at: str = "Plan"
    visited: list[str] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.at in ("Nothing", "Done", "RolledBack", "Overtaken")

    def step(self) -> None:
        """Run the next task, wait if it must be waited, and choose what follows."""
        self.visited.append(self.at)
        try:
            self.at = getattr(self, f"_{self.at.lower()}")()
        except Overtaken:
            self.at = "Overtaken"

    def until(self, state: str) -> "Deployment":
        while not self.is_over and self.at != state:
            self.step()
        return self

    def run(self) -> "Deployment":
        """To the end, closer included."""
        self.until("")
        finish(self.execution)
        close(self.execution)
        return self

    def _plan(self) -> str:
        asked = {"execution": self.execution, "started_at": "2026-11-21T12:00:00Z", "detail": self.detail}
        self.state["plan"] = plan_deployment.handler(asked, None)
        return "Publish" if self.state["plan"]["go"] else "Nothing"

    def _publish(self) -> str:
        if self.state["plan"].get("endpoint"):
            with suppress(NotReady):  # the endpoint was asked for; the machine looks again
                self._call(publish_model.handler)
        self.state["published"] = self._call(publish_model.handler)
        return "Probe"

    def _probe(self) -> str:
        self.state["rollout"] = self._call(probe_version.handler)
        if not self.state["rollout"]["sound"]:
            return "RollBack"
        return "Shift" if self.state["rollout"]["gradual"] else "Promote"

    def _shift(self) -> str:
        self.state["rollout"] = self._call(shift_traffic.handler)
        return "Judge"

    def _judge(self) -> str:
        self.world.pass_time(self.state["rollout"]["wait_seconds"])
        self.state["rollout"] = self._call(judge_rollout.handler)
        if self.state["rollout"]["bad"]:
            return "RollBack"
        return "Shift" if self.state["rollout"]["more"] else "Promote"

    def _promote(self) -> str:
        self.state["promoted"] = self._call(promote_model.handler)
        return "Done"

    def _rollback(self) -> str:
        self.state["withdrawn"] = self._call(withdraw_version.handler)
        return "RolledBack"

    def _call(self, handler: Callable[[dict[str, Any], Any], dict[str, Any]]) -> dict[str, Any]:
        event = json.loads(json.dumps({"execution": self.execution, **self.state}))
        return dict(json.loads(json.dumps(handler(event, None))))


def close(execution: str) -> None:
    close_deployment.handler({"detail": {"executionArn": execution, "stateMachineArn": machine(execution)}}, None)


def aborted(deployment: Deployment) -> None:
    """The execution is stopped where it is, and its closer runs."""
    stop(deployment.execution)
    close(deployment.execution)


def kinds(world: World) -> list[str]:
    return [entry["kind"] for entry in world.ledger("model#flights")]


def traffic(world: World, arms: dict[str, dict[str, Any]], *, requests: int = 200) -> None:
    """Log lines and metrics of the next minute, per version: `score` (of n), `failures`, `errors`, `duration`."""
    now = wiring.now()
    lines = [line for version, does in arms.items() for line in _lines(version, does, requests, now)]
    body = gzip.compress("\n".join(json.dumps(line) for line in lines).encode())
    key = f"predictions/flights/{datetime.fromtimestamp(now, UTC):%Y/%m/%d/%H}/{now}.gz"
    world.s3.put_object(Bucket="data-bucket", Key=key, Body=body)
    for version, does in arms.items():
        _count(version, float(requests), float(does.get("errors", 0)), float(does.get("duration", 10)), now)


def _lines(version: str, does: dict[str, Any], requests: int, now: float) -> Iterator[dict[str, Any]]:
    score = does.get("score", lambda n: (n * 0.618034) % 1)
    for n in range(requests - int(does.get("errors", 0))):
        common = {"schema": 2, "arm": version, "time": int(now * 1000) + 1000, "model": "flights"}
        identity = f"{version}-{n}-{now}"
        if n < does.get("failures", 0):
            yield {"kind": "failure", "status": 500, "request_id": identity, **common}
        else:
            yield {"kind": "prediction", "prediction_id": identity, "rows": 1, "probability": score(n), **common}


def _count(version: str, requests: float, errors: float, duration: float, now: float) -> None:
    dimensions = [
        {"Name": "FunctionName", "Value": FUNCTION},
        {"Name": "Resource", "Value": f"{FUNCTION}:live"},
        {"Name": "ExecutedVersion", "Value": version},
    ]
    figures: list[dict[str, Any]] = [
        {"MetricName": "Invocations", "Value": requests},
        {"MetricName": "Errors", "Value": errors},
        {"MetricName": "Duration", "StatisticValues": {
            "SampleCount": requests, "Sum": requests * duration, "Minimum": duration, "Maximum": duration}},
    ]  # fmt: skip
    stamped = [{**one, "Dimensions": dimensions, "Timestamp": now + 60} for one in figures]
    boto3.client("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=stamped)
