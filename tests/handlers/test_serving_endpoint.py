"""Endpoints come with the deployment that needs them, and go when no version that could answer names them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cloud.endpoints import Endpoints, Wanted
from cloud.removal import Removal
from lambdas import roll_back, wiring
from lifecycle import names
from lifecycle.errors import NotReady, PromotionRejected

from .conftest import SPEC, STAGE, World
from .deployments_world import Deployment, Predict, make_predict, package

Start = Callable[[str], str]
PREFIX = names.endpoints(STAGE, SPEC.model)


@pytest.fixture
def predict(world: World) -> Iterator[Predict]:
    boto3.client("iam").create_role(RoleName="endpoint", AssumeRolePolicyDocument="{}")
    yield from make_predict(world)


def served(world: World, run_id: str, **more: str) -> str:
    """A package that an endpoint serves."""
    archive = f"runs/flights/{run_id}/evaluation/endpoint.tar.gz"
    return package(world, run_id, endpoint=archive, endpoint_sha256=run_id.encode().hex().ljust(64, "0"), **more)


def made() -> list[str]:
    return sorted(e["EndpointName"] for e in boto3.client("sagemaker").list_endpoints()["Endpoints"])


def deployed(world: World, execution: Start, run_id: str) -> Deployment:
    served(world, run_id)
    return Deployment(execution(run_id), world).run()


def test_a_deployment_makes_the_endpoint_before_the_version_that_names_it(
    world: World, predict: Predict, execution: Start
) -> None:
    deployed(world, execution, "run-1")
    [name] = made()
    assert name.startswith(f"{PREFIX}1-")
    release = predict.release(predict.live()[0])
    assert release is not None
    assert release["endpoint"] == name
    variant = boto3.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"][0]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def test_the_way_back_keeps_its_endpoint_and_older_ones_go(world: World, predict: Predict, execution: Start) -> None:
    assert predict
    for run_id in ("run-1", "run-2", "run-3"):
        world.pass_time(7200)
        deployed(world, execution, run_id)
    assert [name.removeprefix(PREFIX)[0] for name in made()] == ["2", "3"]


def test_a_version_that_did_not_pass_loses_its_endpoint_in_the_same_deployment(
    world: World, predict: Predict, execution: Start
) -> None:
    deployed(world, execution, "run-1")
    predict.faults["run-2"] = "wrong"
    assert deployed(world, execution, "run-2").visited[-1] == "RollBack"
    assert [name.removeprefix(PREFIX)[0] for name in made()] == ["1"]


def test_a_model_that_is_compiled_again_leaves_no_endpoint_once_the_way_back_needs_none(
    world: World, predict: Predict, execution: Start
) -> None:
    assert predict
    deployed(world, execution, "run-1")
    for run_id in ("run-2", "run-3"):
        package(world, run_id)
        Deployment(execution(run_id), world).run()
    assert made() == []


def test_nobody_goes_back_to_a_version_whose_endpoint_is_gone(world: World, predict: Predict, execution: Start) -> None:
    for run_id in ("run-1", "run-2"):
        deployed(world, execution, run_id)
    before = predict.live()
    back = before[1].back if before[1] else None
    wiring.endpoints().delete(made()[0])
    with pytest.raises(PromotionRejected, match=r"which is deleted.*perennial deploy flights --package 1"):
        roll_back.handler({"id": "1", "by": "me", "reason": "a test", "to": back}, None)
    assert predict.live() == before


def test_a_probe_waits_for_an_endpoints_first_container(world: World, predict: Predict, execution: Start) -> None:
    predict.faults["run-1"] = "cold 5"
    assert deployed(world, execution, "run-1").visited[-1] == "Promote"


def test_a_probe_does_not_wait_for_ever(world: World, predict: Predict, execution: Start) -> None:
    predict.faults["run-1"] = "cold 99"
    assert deployed(world, execution, "run-1").visited[-1] == "RollBack"
    assert made() == []


def test_destroying_a_stage_deletes_the_endpoints_of_its_models(
    world: World, predict: Predict, execution: Start
) -> None:
    assert predict
    deployed(world, execution, "run-1")
    assert Removal(boto3).delete_endpoints(names.package_group(STAGE, SPEC.model)) == 1
    assert made() == []
    assert boto3.client("sagemaker").list_models()["Models"] == []


class SageMaker:
    """One endpoint whose status is told; everything asked is kept."""

    def __init__(self, status: str | None, refuses: tuple[str, ...] = ()) -> None:
        self.status = status
        self.refuses = refuses
        self.asked: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., dict[str, Any]]:
        def call(**given: Any) -> dict[str, Any]:
            self.asked.append(operation)
            if operation == "describe_endpoint":
                if self.status is None:
                    raise absent(operation)
                return {"EndpointStatus": self.status, "FailureReason": "the image did not start"}
            if operation in self.refuses:
                raise absent(operation)
            return {}

        return call


def absent(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationException", "Message": "any text"}}, operation)


WANTED = Wanted(name="one", image="image", archive="s3://a/b", role_arn="arn", size={"MemorySizeInMB": 1}, tags=[])


@pytest.mark.parametrize("status", ["Creating", "Updating", "Deleting"])
def test_an_endpoint_that_is_on_its_way_is_waited_for(status: str) -> None:
    with pytest.raises(NotReady, match=status):
        Endpoints(SageMaker(status)).need(WANTED)


def test_an_endpoint_in_service_is_used_as_it_is() -> None:
    there = SageMaker("InService")
    Endpoints(there).need(WANTED)
    assert there.asked == ["describe_endpoint"]


@pytest.mark.parametrize("taken", [(), ("create_model",), ("create_model", "create_endpoint_config")])
def test_a_try_that_was_interrupted_is_carried_on(taken: tuple[str, ...]) -> None:
    there = SageMaker(None, refuses=taken)
    with pytest.raises(NotReady, match="Creating"):
        Endpoints(there).need(WANTED)
    assert there.asked == ["describe_endpoint", "create_model", "create_endpoint_config", "create_endpoint"]


def test_an_endpoint_that_is_not_taken_yet_is_asked_for_again_and_all_reasons_are_told() -> None:
    there = SageMaker(None, refuses=("create_model", "create_endpoint"))
    with pytest.raises(NotReady, match=r"create_model.*create_endpoint"):
        Endpoints(there).need(WANTED)


def test_an_endpoint_that_failed_is_deleted_and_the_reason_told() -> None:
    there = SageMaker("Failed")
    with pytest.raises(PromotionRejected, match="the image did not start"):
        Endpoints(there).need(WANTED)
    assert "delete_endpoint" in there.asked


def test_an_endpoint_that_is_being_created_is_not_torn_apart() -> None:
    there = SageMaker("Creating")
    with pytest.raises(NotReady):
        Endpoints(there).delete("one")
    assert there.asked == ["describe_endpoint"]


def test_deleting_what_is_gone_is_no_error_and_a_refusal_is_one() -> None:
    Endpoints(SageMaker(None, refuses=("delete_endpoint_config", "delete_model"))).delete("one")

    class Forbidding(SageMaker):
        def delete_model(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DeleteModel")

    with pytest.raises(ClientError, match="AccessDenied"):
        Endpoints(Forbidding("InService")).delete("one")


def test_only_the_models_own_endpoints_are_its_own(world: World) -> None:
    listed = ["perennial-dev-a--1-0a1b2c3d", "perennial-dev-a-b--2-0a1b2c3d", "perennial-dev-a--by-hand"]

    class Listing:
        def get_paginator(self, _: str) -> "Listing":
            return self

        def paginate(self, **_: str) -> list[dict[str, Any]]:
            return [{"Endpoints": [{"EndpointName": name} for name in listed]}]

    assert world
    found = Endpoints(Listing())
    assert found.names(names.endpoints("dev", "a")) == listed[:1]
    assert found.names(names.endpoints("dev", "a-b")) == listed[1:2]
    assert json.dumps(listed).count(names.endpoints("dev", "a")) == 2
