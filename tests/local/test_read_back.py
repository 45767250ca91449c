"""Every property of the synthesized templates is read back from the service that it was given to, or is in the table.

What a deployed resource was asked for is changed in one place at a time, in memory only: reading back must then find
that it is other than asked. What nobody finds is not read back, whatever the deployer says.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from local.api import ACCOUNT
from local.closed_set import FILE
from local.intrinsics import uses
from local.keeping import Nowhere
from local.resource_steps import NotAsAskedError, read_back
from local.resources.catalogue import IGNORED, KINDS
from local.stack_state import StackResource
from scripts.deployer_doc import DOCUMENT, change_of, names_of
from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import FIXTURES, ROOT
from tests.issuer import running
from tests.local.deployer_world import REGION, World, world

pytestmark = pytest.mark.slow

MODEL = "-price-"

_STATEMENT = {
    "Effect": "Deny",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": "*",
    "Resource": "*",
    "Sid": "Changed",
}
OTHERWISE: dict[tuple[str, str], Any] = {
    ("ApiGatewayV2::Api", "CorsConfiguration"): {"AllowOrigins": ["https://other.example"], "AllowMethods": ["GET"]},
    ("ApiGatewayV2::Authorizer", "IdentitySource"): ["$request.header.Other"],
    ("ApiGatewayV2::Authorizer", "Name"): "other",
    ("ApiGatewayV2::Integration", "TimeoutInMillis"): 5000,
    ("ApiGatewayV2::Route", "AuthorizationScopes"): ["other"],
    ("ApiGatewayV2::Route", "RouteKey"): "GET /other",
    ("ApiGatewayV2::Stage", "AccessLogSettings"): {"Format": '{"other": "$context.status"}'},
    ("ApiGatewayV2::Stage", "AutoDeploy"): False,
    ("ApiGatewayV2::Stage", "DefaultRouteSettings"): {"ThrottlingBurstLimit": 3, "ThrottlingRateLimit": 2},
    ("CloudWatch::Alarm", "AlarmActions"): [],
    ("CloudWatch::Alarm", "OKActions"): [],
    ("CloudWatch::Alarm", "Dimensions"): [{"Name": "Stage", "Value": "other"}],
    ("CloudWatch::Alarm", "Namespace"): "Other",
    ("CloudWatch::Alarm", "DatapointsToAlarm"): 1,
    ("CloudWatch::Dashboard", "DashboardBody"): '{"widgets": []}',
    ("DynamoDB::Table", "PointInTimeRecoverySpecification"): {"PointInTimeRecoveryEnabled": False},
    ("Events::Rule", "State"): "DISABLED",
    ("Events::Rule", "ScheduleExpression"): "rate(2 hours)",
    ("IAM::Policy", "PolicyName"): "Other",
    ("IAM::Role", "AssumeRolePolicyDocument"): {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    },
    ("KMS::Key", "EnableKeyRotation"): False,
    ("KMS::Key", "KeyPolicy"): {"Version": "2012-10-17", "Statement": [{**_STATEMENT, "Effect": "Allow"}]},
    ("Lambda::Alias", "FunctionVersion"): "$LATEST",
    ("Lambda::EventInvokeConfig", "MaximumEventAgeInSeconds"): 60,
    ("Lambda::EventInvokeConfig", "MaximumRetryAttempts"): 0,
    ("Lambda::EventSourceMapping", "BatchSize"): 3,
    ("Lambda::EventSourceMapping", "FunctionResponseTypes"): [],
    ("Lambda::Function", "EphemeralStorage"): {"Size": 600},
    ("Lambda::Function", "Layers"): [],
    ("Lambda::Function", "MemorySize"): 300,
    ("Lambda::Function", "Timeout"): 77,
    ("Logs::LogGroup", "RetentionInDays"): 7,
    ("Logs::MetricFilter", "FilterPattern"): '"OTHER"',
    ("Logs::MetricFilter", "MetricTransformations"): [
        {"MetricName": "Other", "MetricNamespace": "Perennial", "MetricValue": "2"}
    ],
    ("Logs::SubscriptionFilter", "FilterPattern"): '{ $.kind = "other" }',
    ("S3::Bucket", "BucketEncryption"): {
        "ServerSideEncryptionConfiguration": [
            {"BucketKeyEnabled": False, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        ]
    },
    ("S3::Bucket", "LifecycleConfiguration"): {"Rules": [{"Id": "o", "Status": "Enabled", "ExpirationInDays": 3}]},
    ("S3::Bucket", "NotificationConfiguration"): {"EventBridgeConfiguration": {"EventBridgeEnabled": False}},
    ("S3::Bucket", "OwnershipControls"): {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
    ("S3::Bucket", "PublicAccessBlockConfiguration"): {"BlockPublicAcls": False},
    ("S3::Bucket", "VersioningConfiguration"): {"Status": "Suspended"},
    ("SQS::Queue", "MessageRetentionPeriod"): 7200,
    ("SQS::Queue", "RedrivePolicy"): {"maxReceiveCount": 7},
    ("SQS::Queue", "SqsManagedSseEnabled"): False,
    ("SQS::Queue", "VisibilityTimeout"): 901,
    ("StepFunctions::StateMachine", "DefinitionString"): '{"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}',
    ("StepFunctions::StateMachine", "LoggingConfiguration"): {"Level": "ERROR"},
    ("StepFunctions::StateMachine", "TracingConfiguration"): {"Enabled": False},
}
"""Other values, merged into mappings; what is not here gets the value that another resource of its template has."""

ONE_VALUE = {
    ("ApiGatewayV2::Authorizer", "AuthorizerType"),
    ("ApiGatewayV2::Authorizer", "JwtConfiguration"),
    ("ApiGatewayV2::Integration", "IntegrationType"),
    ("ApiGatewayV2::Integration", "PayloadFormatVersion"),
    ("Lambda::Function", "Runtime"),
}
"""What the engine plays one value of (there is one issuer here; `test_authorizer_and_cors` changes audiences)."""


@dataclass
class Rows(Nowhere):
    """What the deployer keeps of its stacks: the resources, as they were asked for at last."""

    resources: dict[tuple[str, str], StackResource] = field(default_factory=dict)

    def put(self, part: str, key: str, value: object) -> None:
        if isinstance(value, StackResource):
            self.resources[part, key] = value


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Rows]]:
    """The shared stack and those of one model of the infrastructure tests, which uses all; its issuer is there."""
    folder = tmp_path_factory.mktemp("read-back")
    with running(folder) as issuer, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(issuer.certificate))
        synthesize(Project(code=ROOT, home=FIXTURES), stage="prod", outdir=folder / "cdk.out")
        keep_one_model(folder / "cdk.out" / "manifest.json")
        here = {"https://issuer.example": issuer.address, "012345678901": ACCOUNT, "eu-west-1": REGION}
        for file in (folder / "cdk.out").glob("*.json"):
            file.write_text(reduce(lambda text, one: text.replace(*one), here.items(), file.read_text()))
        rows = Rows()
        with world(folder / "cdk.out", rows) as engine:
            engine.deployer.deploy(engine.folder, lambda *_: None)
            yield engine, rows


def keep_one_model(manifest: Path) -> None:
    content = json.loads(manifest.read_bytes())
    wanted = {name: one for name, one in content["artifacts"].items() if MODEL in name or "-shared" in name}
    for one in wanted.values():
        one["dependencies"] = [name for name in one.get("dependencies", []) if name in wanted]
    manifest.write_text(json.dumps({**content, "artifacts": wanted}))


def used() -> set[tuple[str, str]]:
    """Return type and property path of all that the templates use, as docs/engine.md lists them."""
    listed = json.loads(FILE.read_bytes())["templates"]["resources"]
    return {(kind, path) for kind, paths in listed.items() for path in paths if kind not in IGNORED}


def listed() -> dict[tuple[str, str], str]:
    """Return the table of what is not read back: type and path to reason."""
    section = DOCUMENT.read_text().partition("## What is not read back")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (AWS::\S+) \| `([^`]+)` \| (.+) \|$", section, re.MULTILINE)
    return {(kind, path): reason for kind, path, reason in rows}


def other(value: Any) -> Any:
    """Return something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, dict):
        return {**value, "Other": "x"} if not value else {**value, (key := next(iter(value))): other(value[key])}
    if isinstance(value, list):
        return [other(value[0]), *value[1:]] if value else ["other"]
    if value in ("true", "false"):
        return "false" if value == "true" else "true"
    try:
        return json.dumps(other(json.loads(value)))
    except ValueError:
        return f"{value}x"


def changed(value: Any, path: list[str]) -> Any:
    """Return `value` with what is at `path` changed (in the first member of a list that has it), else LookupError."""
    if not path:
        return other(value)
    if isinstance(value, list):
        for at, member in enumerate(value):
            try:
                return [*value[:at], changed(member, path), *value[at + 1 :]]
            except LookupError:
                continue
        raise LookupError(path[0])
    return {**value, path[0]: changed(value[path[0]], path[1:])}


def is_missed(engine: World, resource: StackResource, properties: dict[str, Any]) -> bool:
    """Whether reading back finds that the resource is not as asked for."""
    kind = KINDS[resource.type]
    subject = kind.subject(engine.clients, resource.name, properties, id=resource.id)
    try:
        read_back(kind, subject)
    except (NotAsAskedError, ClientError, BotoCoreError, LookupError):
        return True
    return False


def test_a_property_is_read_back_or_listed_with_a_reason(deployed: tuple[World, Rows]) -> None:
    engine, rows = deployed
    unread, without = set(), set()
    for kind, path in sorted(used()):
        for resource in (one for one in rows.resources.values() if one.type == kind):
            try:
                properties = changed(resource.properties, path.split("."))
            except LookupError:
                continue
            if not is_missed(engine, resource, properties):
                unread.add((kind, path))
            break
        else:
            without.add((kind, path))

    assert without == set()
    assert unread == set(listed())


def test_what_the_deployer_does_not_compare_has_the_reason_that_the_table_gives() -> None:
    named = {(kind, path): KINDS[kind].unread.get(path.partition(".")[0]) for kind, path in listed()}

    assert named == listed()
    assert {(kind, name) for kind, name, *_ in ((k, p.partition(".")[0]) for k, p in listed())} == {
        (kind.type, name) for kind in KINDS.values() for name in kind.unread
    }


def code_is_the_asset(engine: World, rows: Rows) -> bool:
    for function in (one for one in rows.resources.values() if one.type == "AWS::Lambda::Function"):
        code = function.properties["Code"]
        stored = engine.client("s3").get_object(Bucket=code["S3Bucket"], Key=code["S3Key"])["Body"].read()
        found = engine.client("lambda").get_function_configuration(FunctionName=function.id)["CodeSha256"]
        if found != base64.b64encode(hashlib.sha256(stored).digest()).decode():
            return False
    return True


def test_the_code_of_a_function_is_its_asset(deployed: tuple[World, Rows]) -> None:
    assert code_is_the_asset(*deployed)


def otherwise(kind: str, name: str, value: Any, template: dict[str, Any]) -> Any:
    """Return another value for a property of a template, which may get a copy of what the value refers to.

    Raises LookupError when there is none.
    """
    if name == "PolicyDocument":
        return {**value, "Statement": [*value["Statement"], _STATEMENT]}
    if (wanted := OTHERWISE.get((kind.removeprefix("AWS::"), name))) is not None:
        whole = isinstance(wanted, dict) and isinstance(value, dict) and "Statement" not in wanted
        return {**value, **wanted} if whole else wanted
    for one in template["Resources"].values():
        if one["Type"] == kind and one["Properties"].get(name, value) != value:
            return one["Properties"][name]
    return of_a_copy(value, template)


def of_a_copy(value: Any, template: dict[str, Any]) -> Any:
    """Return a value that refers to a copy of what it refers to."""
    target = next((str(use.target) for use in uses(value) if use.target in template["Resources"]), None)
    if target is None:
        raise LookupError(f"{value} refers to nothing of this template")
    template["Resources"][f"Other{target}"] = template["Resources"][target]
    return json.loads(json.dumps(value).replace(f'"{target}"', f'"Other{target}"'))


def _copy_of(found: re.Match[str]) -> str:
    """Copies refer to copies."""
    return found[0] if found[1] else f'"Other{found[2]}"'


def updated(template: dict[str, Any], left: set[tuple[str, str]]) -> dict[str, set[str]]:
    """Change in `template` what is left of type and property, and take it from there; return logical id to names."""
    before, changed_there = json.loads(json.dumps(template)), {}
    for logical_id, one in list(template["Resources"].items()):
        names: set[str] = set()
        if logical_id.startswith("AccessLogs"):
            continue  # moto lets others log only into a bucket that is just as it is
        for name in sorted(name for kind, name in left if kind == one["Type"] and name in one["Properties"]):
            with suppress(LookupError):
                one["Properties"][name] = otherwise(one["Type"], name, one["Properties"][name], before)
                names.add(name)
        left -= {(one["Type"], name) for name in names}
        changed_there[logical_id] = names
    copies = {name: one for name, one in before["Resources"].items() if name.startswith("Other")}
    originals = "|".join(name.removeprefix("Other") for name in copies)
    template["Resources"] |= json.loads(
        re.sub(rf'"Other({originals})": |"({originals})"', _copy_of, json.dumps(copies))
    )
    return changed_there


def test_each_property_that_is_changed_in_place_is_changed(deployed: tuple[World, Rows]) -> None:
    engine, rows = deployed
    before: dict[tuple[str, str], StackResource] = dict(rows.resources)
    left = {
        (kind.type, name) for kind in KINDS.values() for name in names_of(kind) if change_of(kind, name) == "update"
    }
    left -= {(f"AWS::{kind}", name) for kind, name in ONE_VALUE}
    changes: dict[str, set[str]] = {}
    for file in sorted(engine.folder.glob("*.template.json")):
        stack = file.name.removesuffix(".template.json")
        if MODEL in stack or stack.endswith("-shared"):
            template = json.loads(file.read_bytes())
            changes |= updated(template, left)
            file.write_text(json.dumps(template))
    assert left == set()

    engine.deployer.deploy(engine.folder, lambda *_: None)

    for key, old in before.items():
        new = rows.resources[key]
        assert new.id == old.id
        for name in changes.get(old.logical_id, set()) - set(KINDS[old.type].unread):
            assert is_missed(engine, new, {**new.properties, name: old.properties[name]}), (old.type, name)
    assert code_is_the_asset(engine, rows)


def emptied(engine: World, keep: str) -> list[str]:
    """Take everything out of the templates of the stacks whose name does not end with `keep`; return what is left."""
    for file in engine.folder.glob("*.template.json"):
        template = json.loads(file.read_bytes())
        if not file.name.removesuffix(".template.json").endswith(keep):
            template |= {"Resources": {"Left": {"Type": "AWS::SQS::Queue", "Properties": {}}}, "Outputs": {}}
            file.write_text(json.dumps(template))
    engine.deployer.deploy(engine.folder, lambda *_: None)
    stacks = engine.client("cloudformation").describe_stacks()["Stacks"]
    return [reason for stack in stacks if (reason := stack.get("StackStatusReason"))]


def test_each_resource_that_is_taken_out_goes_or_is_retained(deployed: tuple[World, Rows]) -> None:
    engine, rows = deployed
    before = dict(rows.resources)
    assert {one.type for one in before.values()} == set(KINDS)

    left = [*emptied(engine, "-shared"), *emptied(engine, "nothing")]

    assert left == []
    there = {(one.type, one.logical_id) for one in before.values() if not is_missed(engine, one, one.properties)}
    assert there - {(one.type, one.logical_id) for one in before.values() if one.retain} == set()
    assert {one.type for one in before.values() if one.retain} >= {"AWS::S3::Bucket", "AWS::DynamoDB::Table"}
    assert {(one.type, one.logical_id) for one in before.values() if one.retain} - there == set()
