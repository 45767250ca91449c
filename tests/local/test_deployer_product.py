"""The product's own stacks on the engine's deployer: all of them, and nothing in the deployer beyond them."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from lifecycle import names
from local.assembly import Assembly, read_assembly
from local.deployer import DeploymentError
from local.preflight import property_paths
from local.resources.catalogue import KINDS
from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import FIXTURES, ROOT
from tests.local.deployer_world import world
from tests.local.functions_world import eventually

pytestmark = pytest.mark.slow

PSEUDO = {"AWS::AccountId": "123456789012", "AWS::Region": "us-east-1", "AWS::Partition": "aws"}


@pytest.fixture(scope="module")
def cdk_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cdk.out")
    synthesize(Project.at(ROOT), stage="dev", outdir=folder)
    return folder


@pytest.fixture(scope="module")
def fixtures_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models of the infrastructure tests in the stage that lets browsers in; one of them is behind tokens."""
    folder = tmp_path_factory.mktemp("fixtures")
    synthesize(Project(code=ROOT, home=FIXTURES), stage="prod", outdir=folder)
    return folder


def heard(sqs: Any, url: str) -> list[dict[str, Any]]:
    """What people were told, once the drift alarm is among it."""
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    told = [json.loads(json.loads(message["Body"])["Message"]) for message in found]
    return told if any(one["AlarmName"].endswith("-drift") for one in told) else []


def stacks_of(folder: Path) -> Assembly:
    return read_assembly(folder, PSEUDO)


def test_every_stack_of_the_example_deploys_and_is_then_left_alone(cdk_out: Path) -> None:
    with world(cdk_out) as engine:
        engine.deployer.deploy(cdk_out, lambda *_: None)

        stacks = [stack.name for stack in stacks_of(cdk_out).stacks]
        assert {engine.stack(name)["StackStatus"] for name in stacks} == {"CREATE_COMPLETE"}
        again: list[tuple[str, str, str]] = []
        engine.deployer.deploy(cdk_out, lambda *line: again.append(line))
        assert again == [(name, name, "UNCHANGED") for name in stacks]


def test_the_examples_alarms_reach_those_who_subscribed(cdk_out: Path) -> None:
    """Through the policies of the topic and of the key that encrypts it, as the stacks write them."""
    with world(cdk_out) as engine:
        engine.deployer.deploy(cdk_out, lambda *_: None)
        outputs = {o["OutputKey"]: o["OutputValue"] for o in engine.stack(names.shared_stack("dev"))["Outputs"]}
        topic = outputs[names.OUTPUT_TOPIC]
        alarms = engine.client("cloudwatch").describe_alarms()["MetricAlarms"]
        assert [(one["AlarmActions"], one["OKActions"]) for one in alarms] == [([topic], [topic])] * 7
        policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}
        sqs = engine.client("sqs")
        url = sqs.create_queue(QueueName="people", Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
        queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        engine.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

        statistics = {"SampleCount": 9, "Sum": 2, "Minimum": 0.0, "Maximum": 7.5}
        mine = [{"Name": "Stage", "Value": "dev"}, {"Name": "Model", "Value": "flights"}]
        datum = {"MetricName": names.METRIC_FEATURES_DRIFTED, "Dimensions": mine, "StatisticValues": statistics}
        engine.client("cloudwatch").put_metric_data(Namespace=names.METRIC_NAMESPACE, MetricData=[datum])
        engine.clock.advance(61)
        told = {one["AlarmName"]: one for one in eventually(lambda: heard(sqs, url))}

    drift = told.pop(names.alarm("dev", "flights", names.ALERT_DRIFT))
    assert drift["NewStateValue"] == "ALARM"
    assert "perennial monitor flights" in drift["AlarmDescription"]
    assert {one["NewStateValue"] for one in told.values()} <= {"OK"}, "those for which no data are good data"


def test_the_deployer_knows_no_type_and_no_property_that_the_stacks_do_not_use(
    cdk_out: Path, fixtures_out: Path
) -> None:
    used: dict[str, set[str]] = defaultdict(set)
    for stack in (*stacks_of(cdk_out).stacks, *stacks_of(fixtures_out).stacks):
        for resource in stack.template["Resources"].values():
            used[resource["Type"]] |= set(property_paths(resource.get("Properties", {})))

    unused = [
        f"{kind.type}: {path}"
        for kind in KINDS.values()
        for path in kind.properties.split()
        if not any(f"{found}.".startswith(f"{path.removesuffix('.*')}.") for found in used[kind.type])
    ]
    assert unused == []


def test_an_issuer_that_cannot_be_reached_stops_the_deployment_by_name(tmp_path: Path) -> None:
    """The models of the infrastructure tests have one behind tokens of https://issuer.example."""
    synthesize(Project(code=ROOT, home=FIXTURES), stage="dev", outdir=tmp_path)

    with world(tmp_path) as engine, pytest.raises(DeploymentError, match=r"Authorizer.*Invalid issuer"):
        engine.deployer.deploy(tmp_path, lambda *_: None)
