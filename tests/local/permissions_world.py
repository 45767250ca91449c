"""The product's stacks on an engine, all of whose roles can be asked with: nothing is uploaded, nothing trained."""

import csv
import json
import random
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cli.new import new_model
from lifecycle import names
from local.api import ApiError
from local.engine import Engine, Options
from local.iam import Authority
from stacks.project import Project
from stacks.synthesis import synthesize

ROOT = Path(__file__).resolve().parents[2]
MODEL, STAGE, REGION = "churn", "dev", "us-east-1"
EVERYTHING = """gates:
  replay: {min_rows: 20, max_changed_decisions: 1, max_refused: 1}
retraining: {learn_from_feedback: true, on_upload: true, go_back: true}
"""
_DENIALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "KMSAccessDenied", "403")
_KIND = re.compile(r"-(\w+?)Role[0-9A-F]*-[0-9a-f]{12}$")
_ACTION = re.compile(r"not authorized to perform: (\S+) on")


def kind_of(role: str) -> str:
    """Return what a role is for: the name that the stacks give it."""
    found = _KIND.search(role)
    return found[1] if found else "Predict"


@dataclass(frozen=True)
class Account:
    """The engine's account with everything of the stacks in it."""

    engine: Engine
    roles: Mapping[str, str]
    words: Mapping[str, str]

    def client(self, service: str, role: str | None = None) -> Any:
        """The client of a service as a kind of role (None: as the operator)."""
        return self.engine.clients(service, None if role is None else self.roles[role])

    def with_words(self, **more: str) -> "Account":
        """The same account, where `filled` knows more names."""
        return replace(self, words={**self.words, **more})

    def filled(self, value: Any) -> Any:
        """`value` with `{data}` and the like replaced by the names of what was deployed."""
        if isinstance(value, str):
            return value.format(**self.words) if re.search(r"\{\w+\}", value) else value
        if isinstance(value, dict):
            return {self.filled(key): self.filled(child) for key, child in value.items()}
        return [self.filled(child) for child in value] if isinstance(value, list) else value

    def refusal(self, role: str | None, call: tuple[str, str, dict[str, Any]]) -> str | None:
        """The action that a call is refused for, "" for a refusal that names none; None when it is not refused."""
        service, operation, parameters = call
        try:
            getattr(self.client(service, role), operation)(**self.filled(parameters))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _DENIALS:
                return None  # what is asked for may not be there
            found = _ACTION.search(error.response["Error"]["Message"])
            return found[1] if found else ""
        return None

    @property
    def authority(self) -> Authority:
        """Who decides in the engine."""
        return self.engine.authority

    def engine_policy(self, function_arn: str) -> list[dict[str, Any]]:
        """The statements of the policy of a function or alias; none when there is no policy."""
        try:
            policy = self.client("lambda").get_policy(FunctionName=function_arn)["Policy"]
        except ClientError:
            return []
        return list(json.loads(policy)["Statement"])

    def refused_to(self, what: Any, *given: Any) -> bool:
        """Whether an AWS service is refused what it is about to do."""
        try:
            what(*given)
        except ApiError:
            return True
        return False

    @contextmanager
    def without(self, role: str, *actions: str) -> Iterator[None]:
        """Take from a role what it is granted of these actions, for a while."""
        iam, name = self.client("iam"), self.roles[role].rpartition("/")[2]
        held = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        assert any(action in _actions(policy) for policy in held for action in actions), f"{role} has no {actions}"
        try:
            for policy in held:
                left = [_less(one, actions) for one in policy["PolicyDocument"]["Statement"]]
                self._put(name, policy["PolicyName"], [one for one in left if one["Action"]])
            yield
        finally:
            for policy in held:
                self._put(name, policy["PolicyName"], policy["PolicyDocument"]["Statement"])

    def _put(self, role: str, policy: str, statements: list[Any]) -> None:
        if not statements:
            self.client("iam").delete_role_policy(RoleName=role, PolicyName=policy)
            return
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.client("iam").put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def _actions(policy: Mapping[str, Any]) -> list[str]:
    return [action for statement in policy["PolicyDocument"]["Statement"] for action in statement["Action"]]


def _less(statement: dict[str, Any], actions: tuple[str, ...]) -> dict[str, Any]:
    return statement | {"Action": [one for one in statement["Action"] if one not in actions]}


def _outputs(engine: Engine, stack: str) -> dict[str, str]:
    found = engine.clients("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def _words(engine: Engine, roles: Mapping[str, str]) -> dict[str, str]:
    shared = _outputs(engine, names.shared_stack(STAGE))
    listed = engine.clients("cloudformation").list_stack_resources
    queues = {
        f"{stack}:{one['LogicalResourceId']}": one["PhysicalResourceId"]
        for stack in (names.shared_stack(STAGE), names.training_stack(STAGE, MODEL))
        for one in listed(StackName=stack)["StackResourceSummaries"]
        if one["ResourceType"] == "AWS::SQS::Queue"
    }
    functions = [one["FunctionName"] for one in engine.clients("lambda").list_functions()["Functions"]]
    machines = engine.clients("stepfunctions").list_state_machines()["stateMachines"]
    pages = engine.clients("logs").get_paginator("describe_log_groups").paginate()
    groups = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    streams = engine.clients("firehose").list_delivery_streams()["DeliveryStreamNames"]
    buckets = [one["Name"] for one in engine.clients("s3").list_buckets()["Buckets"]]
    tables = engine.clients("dynamodb").list_tables()["TableNames"]
    return {
        "data": shared[names.OUTPUT_DATA_BUCKET],
        "artifacts": shared[names.OUTPUT_ARTIFACT_BUCKET],
        "assets": next(one for one in buckets if one.startswith("cdk-")),
        "ledger": shared[names.OUTPUT_LEDGER_TABLE],
        "labels": next(one for one in tables if "Labels" in one),
        "claims": next(one for one in tables if "Claims" in one),
        "topic": shared[names.OUTPUT_TOPIC],
        "key": engine.clients("kms").list_keys()["Keys"][0]["KeyArn"],
        "api": engine.clients("apigatewayv2").get_apis()["Items"][0]["ApiId"],
        "looks": next(url for name, url in queues.items() if "LookWaiting" in name),
        "lost": next(url for name, url in queues.items() if "-training:" in name),
        "predict": names.predict_function(STAGE, MODEL),
        "recorder": next(one for one in functions if "RecordEvent" in one),
        "starter": next(one for one in functions if "StartRun" in one),
        "training": next(one["stateMachineArn"] for one in machines if "Training" in one["name"]),
        "training_executions": next(
            one["stateMachineArn"].replace(":stateMachine:", ":execution:")
            for one in machines
            if "Training" in one["name"]
        ),
        "publisher": next(one for one in functions if "PublishModel" in one),
        "deployment": next(one["stateMachineArn"] for one in machines if "Deployment" in one["name"]),
        "stream": next(iter(streams)),
        "group": names.package_group(STAGE, MODEL),
        "endpoint": f"{names.endpoints(STAGE, MODEL)}one",
        "printed": next(one for one in groups if "StartRun" in one),
        "jobs": roles["Jobs"],
        "served": roles["Endpoint"],
    }


@contextmanager
def account_in(folder: Path) -> Iterator[Account]:
    """Deploy one model with everything on that has a role or a grant of its own."""
    chance = random.Random(1)
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "x", "z", "y"])
        writer.writerows(
            [n, round(chance.random(), 4), chance.choice("abc"), int(chance.random() > 0.5)] for n in range(300)
        )
    new_model(MODEL, folder / "table.csv", "y", folder)
    described = folder / "models" / MODEL / "model.yaml"
    described.write_text(re.sub(r"(?m)^(gates|retraining): .*\n?", "", described.read_text()) + EVERYTHING)
    for name in ("app.py", "stages.yaml"):
        shutil.copy(ROOT / name, folder)
    synthesize(Project(code=ROOT, home=folder), stage=STAGE, outdir=folder / "cdk.out")
    with Engine(folder / "cdk.out", Options(python=ROOT / ".venv-jobs" / "bin" / "python", any_call=True)) as engine:
        pages = engine.clients("iam").get_paginator("list_roles").paginate()
        roles = {kind_of(role["RoleName"]): role["Arn"] for page in pages for role in page["Roles"]}
        yield Account(engine, roles, _words(engine, roles))
