"""What the deployer's tests share: an engine that deploys but serves nobody, and small cloud assemblies."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import moto_state
from local.api import ENGINE
from local.clients import Clients
from local.clock import Clock
from local.cloudwatch import CloudWatch
from local.cloudwatch.alarm_actions import Actions
from local.deployer import Deployer
from local.dispatch import Dispatcher
from local.functions.functions import Functions
from local.identity import Identity
from local.jobs.registry import Registry
from local.keeping import NOWHERE, Keep
from local.logs_delivery import LogsDelivery
from local.options import RECORD_VARIABLE
from local.queues import Queues
from local.recording import Recorder
from local.states import StateMachines
from tests.local.iam_world import guarded

REGION = "us-east-1"
ENVIRONMENT = f"aws://unknown-account/{REGION}"
ASSETS = f"cdk-hnb659fds-assets-123456789012-{REGION}"
CODE = {"S3Bucket": {"Fn::Sub": f"cdk-hnb659fds-assets-${{AWS::AccountId}}-{REGION}"}}


@dataclass
class World:
    clients: Clients
    deployer: Deployer
    folder: Path
    clock: Clock
    dispatch: Dispatcher
    emitted: list[dict[str, Any]] = field(default_factory=list)
    progress: list[tuple[str, str, str]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.clients.client(service)

    def deploy(self, **stacks: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """Deploy stacks in the given order (each may need the ones before it); return what was reported."""
        write_assembly(self.folder, stacks)
        self.progress.clear()
        self.deployer.deploy(self.folder, lambda *line: self.progress.append(line))
        return self.progress

    def stack(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        return found

    def ids(self, name: str) -> dict[str, str]:
        """Return logical to physical ids."""
        found = self.client("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
        return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in found}


@contextmanager
def world(folder: Path, keep: Keep = NOWHERE) -> Iterator[World]:
    """Begin with nothing but what `keep` has of stacks."""
    moto_state.reset()
    clock, identity = Clock(), Identity()
    dispatch = Dispatcher(identity)
    clients = Clients(dispatch, REGION, app=ENGINE)
    if folder_of_records := os.environ.get(RECORD_VARIABLE):
        dispatch.guard(Recorder(Path(folder_of_records)).guard)
    emitted: list[dict[str, Any]] = []

    def emit(source: str, detail_type: str, detail: Mapping[str, Any], resources: Any = ()) -> None:
        emitted.append({"source": source, "type": detail_type, "detail": detail, "resources": list(resources)})

    deployer = Deployer(clients, emit, clock, keep)
    with tempfile.TemporaryDirectory() as work:
        functions = Functions(clients, clock, identity, work_dir=Path(work), endpoint="http://127.0.0.1:1")
        authority = guarded(dispatch, functions.policy)
        machines = StateMachines(clients, clock, emit, lambda *_: False, REGION)
        queues = Queues(clients, clock)
        log_lines = LogsDelivery(clients, clock, authority)
        watch = CloudWatch(Actions(clients, authority), functions.metrics, clock, emit, REGION)
        registry = Registry(emit, REGION, keep)
        for part in (functions, machines, queues, log_lines, watch, registry, deployer):
            dispatch.register(part.operations())
        try:
            yield World(Clients(dispatch, REGION), deployer, folder, clock, dispatch, emitted)
        finally:
            watch.stop()
            log_lines.stop()
            queues.stop()
            queues.join()
            machines.close()
            functions.close()


def write_assembly(folder: Path, stacks: Mapping[str, Mapping[str, Any]], environment: str = ENVIRONMENT) -> None:
    """Write `folder` as CDK does; every folder `asset.<hash>` in it is an asset of every stack."""
    folder.mkdir(parents=True, exist_ok=True)
    artifacts: dict[str, Any] = {}
    before: list[str] = []
    for name, template in stacks.items():
        (folder / f"{name}.template.json").write_text(json.dumps(template))
        (folder / f"{name}.assets.json").write_text(json.dumps(_assets(folder, name)))
        artifacts[f"{name}.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": f"{name}.assets.json"}}
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": environment,
            "properties": {"templateFile": f"{name}.template.json", "tags": {"perennial:stage": "dev"}},
            "dependencies": [f"{name}.assets", *before],
        }
        before.append(name)
    # the manifest's order is not the order of deployment
    artifacts = dict(reversed(artifacts.items()))
    (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))


def _assets(folder: Path, name: str) -> dict[str, Any]:
    bucket = "cdk-hnb659fds-assets-${AWS::AccountId}-" + REGION
    files = {"template": _file(f"{name}.template.json", "file", bucket, f"{name}.json")}
    for asset in sorted(folder.glob("asset.*")):
        digest = asset.name.removeprefix("asset.")
        files[digest] = _file(asset.name, "zip", bucket, f"{digest}.zip")
    return {"version": "55.0.0", "files": files, "dockerImages": {}}


def _file(path: str, packaging: str, bucket: str, key: str) -> dict[str, Any]:
    return {
        "source": {"path": path, "packaging": packaging},
        "destinations": {"here": {"bucketName": bucket, "objectKey": key}},
    }


def asset(folder: Path, digest: str, **files: str) -> None:
    """Stage an asset folder with Python modules."""
    target = folder / f"asset.{digest}"
    target.mkdir(parents=True)
    for name, text in files.items():
        (target / f"{name}.py").write_text(text)
        (target / f"{name}.py").chmod(0o644)


def resource(kind: str, *after: str, keep: bool = False, **properties: Any) -> dict[str, Any]:
    """Return a resource of a template."""
    made: dict[str, Any] = {"Type": f"AWS::{kind}", "Properties": properties}
    if after:
        made["DependsOn"] = list(after)
    if keep:
        made["DeletionPolicy"] = made["UpdateReplacePolicy"] = "Retain"
    return made


def template(outputs: Mapping[str, Any] | None = None, **resources: Any) -> dict[str, Any]:
    """Return a template as CDK writes it, bootstrap check included."""
    return {
        "Resources": resources,
        "Outputs": dict(outputs or {}),
        "Parameters": {
            "BootstrapVersion": {
                "Type": "AWS::SSM::Parameter::Value<String>",
                "Default": "/cdk-bootstrap/hnb659fds/version",
            }
        },
        "Rules": {"CheckBootstrapVersion": {"Assertions": []}},
    }
