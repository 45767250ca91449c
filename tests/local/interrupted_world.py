"""Deployments that are killed at a chosen moment, with a data directory: what the next engine finds and makes of it.

A kill is played in the process: from one moment on nothing is written any more, and everything ends there. A moment is
just before a call that changes something, or just after its answer.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from local import moto_changes
from local.api import Asked
from local.data_directory import DataDirectory
from local.deployer import DeploymentError
from local.moto_journal import Journal
from local.stack_state import CLEANING
from tests.local.deployer_world import World, resource, template, world

Templates = Mapping[str, Any]
_LOOKS = ("Get", "List", "Describe", "Head")


class Seen(Protocol):
    """An engine, from inside or outside."""

    def client(self, service: str) -> Any:
        """Return a client of it."""

    def ids(self, name: str) -> dict[str, str]:
        """Return logical to physical ids of a stack."""


class Killed(BaseException):
    """Nobody may catch it: after a kill nothing runs."""


@contextmanager
def engine_on(data: Path, cdk_out: Path, moment: int | str = "") -> Iterator[tuple[World, list[str]]]:
    """Open an engine on a data directory; it is killed at a moment, told by its name or counted from the start.

    Yields the world and the moments that there have been.
    """
    with closing(DataDirectory(data)) as directory, world(cdk_out, directory) as engine:
        journal = Journal(directory)
        moments: list[str] = []
        journal.restore()
        directory.finish_first()
        moto_changes.tell(journal)

        def pass_by(what: str) -> None:
            if moment in (what, len(moments)):
                directory.close()
                raise Killed(what)
            moments.append(what)

        changing: list[str] = []

        def before(asked: Asked) -> None:
            if asked.app and not asked.operation.startswith(_LOOKS):
                changing.append(asked.operation)
                pass_by(f"before {asked.operation}")

        def after(*_: object) -> None:
            if changing:
                pass_by(f"after {changing.pop()}")

        engine.dispatch.guard(before)
        engine.dispatch.witness = after
        try:
            yield engine, moments
        finally:
            engine.dispatch.witness = None
            moto_changes.tell(None)


def copied(data: Path, target: Path) -> Path:
    """Return a copy of a data directory that nobody uses."""
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(data, target))


def _document(action: str, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}


def _ref(logical_id: str) -> dict[str, str]:
    return {"Ref": logical_id}


def _arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def _rule(*targets: str) -> dict[str, Any]:
    aimed = [{"Id": name, "Arn": _arn(name)} for name in targets]
    return resource("Events::Rule", EventPattern={"source": ["aws.s3"]}, Targets=aimed)


def _role(*policies: str) -> dict[str, Any]:
    trust = _document("sts:AssumeRole", Principal={"Service": "lambda.amazonaws.com"})
    inline = [{"PolicyName": name, "PolicyDocument": _document(f"sqs:{name}", Resource="*")} for name in policies]
    return resource("IAM::Role", AssumeRolePolicyDocument=trust, Policies=inline)


def _table(key: str) -> dict[str, Any]:
    return resource(
        "DynamoDB::Table",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
        KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _allowed(logical_id: str, action: str) -> dict[str, Any]:
    policy = _document(action, Principal={"Service": "events.amazonaws.com"}, Resource=_arn(logical_id))
    return resource("SQS::QueuePolicy", Queues=[_ref(logical_id)], PolicyDocument=policy)


OLD: Templates = template(
    Data=resource("S3::Bucket", VersioningConfiguration={"Status": "Enabled"}),
    Table=_table("a"),
    Queue=resource("SQS::Queue", VisibilityTimeout=30),
    Other=resource("SQS::Queue"),
    Allowed=_allowed("Queue", "sqs:SendMessage"),
    Role=_role("SendMessage", "DeleteMessage"),
    Rule=_rule("Queue", "Other"),
    Api=resource("ApiGatewayV2::Api", Name="door", ProtocolType="HTTP"),
    Route=resource("ApiGatewayV2::Route", ApiId=_ref("Api"), RouteKey="GET /old", AuthorizationType="AWS_IAM"),
)
NEW: Templates = template(
    Data=resource(
        "S3::Bucket",
        VersioningConfiguration={"Status": "Enabled"},
        NotificationConfiguration={"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
    ),
    Table=_table("b"),
    Queue=resource("SQS::Queue", VisibilityTimeout=60),
    New=resource("SQS::Queue"),
    Allowed=_allowed("Queue", "sqs:*"),
    Role=_role("SendMessage", "ReceiveMessage"),
    Rule=_rule("Queue", "New"),
    Key=resource("KMS::Key", KeyPolicy=_document("kms:*", Principal="*", Resource="*"), EnableKeyRotation=True),
    Topic=resource("SNS::Topic"),
    Api=resource("ApiGatewayV2::Api", Name="door", ProtocolType="HTTP"),
    Door=resource("ApiGatewayV2::Api", Name="door", ProtocolType="HTTP"),
    Route=resource("ApiGatewayV2::Route", ApiId=_ref("Door"), RouteKey="GET /new", AuthorizationType="AWS_IAM"),
    Group=resource("Logs::LogGroup", RetentionInDays=30),
)
FAILING: Templates = template(
    **NEW["Resources"],
    Leave=resource(
        "Lambda::Permission",
        *NEW["Resources"],
        FunctionName="nobody",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
    ),
)


def _apis(engine: Seen) -> list[str]:
    return [one["ApiId"] for one in engine.client("apigatewayv2").get_apis()["Items"]]


def _routes(engine: Seen) -> list[str]:
    gateway = engine.client("apigatewayv2")
    return [one["RouteId"] for api in _apis(engine) for one in gateway.get_routes(ApiId=api)["Items"]]


def _keys(engine: Seen) -> list[str]:
    kms = engine.client("kms")
    keys = [kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"] for one in kms.list_keys()["Keys"]]
    return [one["KeyId"] for one in keys if one["KeyState"] == "Enabled" and one["KeyManager"] == "CUSTOMER"]


def _buckets(engine: Seen) -> list[str]:
    names = [one["Name"] for one in engine.client("s3").list_buckets()["Buckets"]]
    return [name for name in names if not name.startswith("cdk-")]


_LISTED: dict[str, Callable[[Seen], list[str]]] = {
    "AWS::S3::Bucket": _buckets,
    "AWS::DynamoDB::Table": lambda e: list(e.client("dynamodb").list_tables()["TableNames"]),
    "AWS::SQS::Queue": lambda e: list(e.client("sqs").list_queues().get("QueueUrls", [])),
    "AWS::SNS::Topic": lambda e: [one["TopicArn"] for one in e.client("sns").list_topics()["Topics"]],
    "AWS::IAM::Role": lambda e: [one["RoleName"] for one in e.client("iam").list_roles()["Roles"]],
    "AWS::ApiGatewayV2::Api": _apis,
    "AWS::ApiGatewayV2::Route": _routes,
    "AWS::KMS::Key": _keys,
    "AWS::Logs::LogGroup": lambda e: [
        one["logGroupName"] for one in e.client("logs").describe_log_groups()["logGroups"]
    ],
}


def there(engine: Seen) -> list[tuple[str, str]]:
    """Return type and physical id (of an URL its end) of everything that is there, whoever knows of it."""
    return sorted((kind, found.rpartition("/")[2]) for kind, listed in _LISTED.items() for found in listed(engine))


def known(engine: Seen, name: str) -> list[tuple[str, str]]:
    """Return type and physical id of what the stack says that it has."""
    found = engine.client("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
    mine = [one for one in found if one["ResourceType"] in _LISTED]
    return sorted((one["ResourceType"], one["PhysicalResourceId"].rpartition("/")[2]) for one in mine)


def settings(engine: Seen) -> dict[str, Any]:
    """Return what the services say of the stack's resources that both templates have."""
    ids = engine.ids("one")
    queue = engine.client("sqs").get_queue_attributes(QueueUrl=ids["Queue"], AttributeNames=["All"])["Attributes"]
    events, gateway = engine.client("events"), engine.client("apigatewayv2")
    return {
        "visibility": queue["VisibilityTimeout"],
        "allowed": json.loads(queue.get("Policy") or '{"Statement": [{"Action": "nobody"}]}')["Statement"][0]["Action"],
        "policies": sorted(engine.client("iam").list_role_policies(RoleName=ids["Role"])["PolicyNames"]),
        "targets": sorted(one["Id"] for one in events.list_targets_by_rule(Rule=ids["Rule"])["Targets"]),
        "key": engine.client("dynamodb").describe_table(TableName=ids["Table"])["Table"]["KeySchema"][0][
            "AttributeName"
        ],
        "routes": sorted(one["RouteKey"] for api in _apis(engine) for one in gateway.get_routes(ApiId=api)["Items"]),
    }


OLD_SETTINGS = {
    "visibility": "30",
    "allowed": "sqs:SendMessage",
    "policies": ["DeleteMessage", "SendMessage"],
    "targets": ["Other", "Queue"],
    "key": "a",
    "routes": ["GET /old"],
}
NEW_SETTINGS = {
    "visibility": "60",
    "allowed": "sqs:*",
    "policies": ["ReceiveMessage", "SendMessage"],
    "targets": ["New", "Queue"],
    "key": "b",
    "routes": ["GET /new"],
}


def fill(engine: Seen) -> None:
    """Put data into everything of the old stack that holds data."""
    ids = engine.ids("one")
    engine.client("s3").put_object(Bucket=ids["Data"], Key="k", Body=b"kept")
    engine.client("dynamodb").put_item(TableName=ids["Table"], Item={"a": {"S": "kept"}})
    engine.client("sqs").send_message(QueueUrl=ids["Queue"], MessageBody="kept")


def data_of(engine: Seen) -> list[str]:
    """Return where the data of `fill` still is."""
    ids, found = engine.ids("one"), []
    if engine.client("s3").list_objects_v2(Bucket=ids["Data"]).get("Contents"):
        found.append("bucket")
    if engine.client("dynamodb").scan(TableName=ids["Table"])["Items"]:
        found.append("table")
    messages = engine.client("sqs").receive_message(QueueUrl=ids["Queue"], VisibilityTimeout=0).get("Messages", [])
    return [*found, *(["queue"] if messages else [])]


def killed_at(moment: int | str, data: Path, cdk_out: Path, template: Templates) -> str:
    """Deploy a template and die at a moment; return its name, "" when the deployment was over before it came."""
    try:
        with engine_on(data, cdk_out, moment) as (engine, _), suppress(DeploymentError):
            engine.deploy(one=template)
    except Killed as what:
        return str(what)
    return ""


def faults_after(data: Path, cdk_out: Path, template: Templates) -> list[str]:
    """Start again, deploy a template, and return what is not as if nothing had happened before.

    The old table's data are lost once the clean-up of the new template has deleted it.
    """
    with engine_on(data, cdk_out) as (engine, _):
        cleaning = engine.stack("one")["StackStatus"] == CLEANING
        engine.deploy(one=template)
        wanted = OLD_SETTINGS if template is OLD else NEW_SETTINGS
        kept = {"bucket", "queue", *(["table"] if template is OLD and not cleaning else [])}
        found = settings(engine)
        return [
            *(f"{kind} {name}: nobody knows of it" for kind, name in set(there(engine)) - set(known(engine, "one"))),
            *(f"{kind} {name}: is not there" for kind, name in set(known(engine, "one")) - set(there(engine))),
            *(f"{name} is {found[name]}, not {value}" for name, value in wanted.items() if found[name] != value),
            *(f"the data of the {name} is gone" for name in sorted(kept - set(data_of(engine)))),
        ]
