"""An approval goes live exactly once, whatever happens on the way; `live` never shows a version without its model."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas import close_deployment, plan_deployment, promote_model, publish_model, wiring
from lifecycle import claims, live, names
from lifecycle.claims import State
from lifecycle.deployment import fingerprint
from lifecycle.errors import NotReady, PromotionRejected

from .conftest import SPEC, STAGE, World
from .test_runs import finish, machine, running, stop

FUNCTION = names.predict_function(STAGE, SPEC.model)
GROUP = names.package_group(STAGE, SPEC.model)


def asset(content: str = "handler = 1\n") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        target.writestr("lambdas/predict.py", content)
        target.writestr(SPEC.file_name, SPEC.to_bytes())
    return made.getvalue()


@pytest.fixture
def function(world: World) -> Any:
    """The predict function as the serving stack made it: version 1 without a model, and the alias."""
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
    return functions


def package(world: World, run_id: str, status: str = "Approved", **changed: str) -> str:
    compiled = json.dumps({"run": run_id}).encode()
    key = f"runs/flights/{run_id}/evaluation/compiled.json"
    world.s3.put_object(Bucket="artifact-bucket", Key=key, Body=compiled)
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


def plan(execution: str) -> dict[str, Any]:
    event = {"execution": execution, "started_at": "2026-11-21T12:00:00Z", "detail": {}}
    return plan_deployment.handler(event, None)


def deploy(execution: str) -> dict[str, Any]:
    planned = plan(execution)
    if not planned["go"]:
        return planned
    event: dict[str, Any] = {"execution": execution, "plan": planned}
    event["published"] = publish_model.handler(event, None)
    return promote_model.handler(event, None)


def close(execution: str) -> None:
    close_deployment.handler({"detail": {"executionArn": execution, "stateMachineArn": machine(execution)}}, None)


def succeeded(execution: str) -> dict[str, Any]:
    answer = deploy(execution)
    finish(execution)
    close(execution)
    return answer


def alias(function: Any) -> tuple[str, live.Live | None]:
    found = function.get_alias(FunctionName=FUNCTION, Name=names.LIVE)
    return found["FunctionVersion"], live.parse(found["Description"])


def versions(function: Any) -> list[str]:
    found = function.list_versions_by_function(FunctionName=FUNCTION)["Versions"]
    return [entry["Version"] for entry in found if entry["Version"] != "$LATEST"]


def kinds(world: World) -> list[str]:
    return [entry["kind"] for entry in world.ledger("model#flights")]


def test_an_approved_model_becomes_the_live_version(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    arn = package(world, "run-1")
    one = execution("one")
    assert succeeded(one) == {"previous": "1", "live": "2"}
    assert alias(function) == ("2", live.Live(package_arn=arn, run_id="run-1"))
    [entry] = world.ledger("model#flights")
    assert (entry["kind"], entry["detail"]["package_arn"], entry["detail"]["version"]) == ("live", arn, "2")
    [announced] = [json.loads(e["Detail"]) for e in world.sent if e["DetailType"] == "Model Live"]
    assert announced["run_id"] == "run-1"
    done = world.claims().read(claims.package(arn, "predict.zip"))
    assert done is not None
    assert done.state is State.DONE


def test_the_package_holds_handler_model_and_release_readable_by_anyone(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    arn = package(world, "run-1")
    planned = plan(execution("one"))
    built = publish_model._package(wiring.settings(publish_model.Deploy), planned)
    assert built == publish_model._package(wiring.settings(publish_model.Deploy), planned)
    with zipfile.ZipFile(io.BytesIO(built)) as found:
        assert {entry.external_attr >> 16 & 0o777 for entry in found.infolist()} == {0o644}
        assert json.loads(found.read("model/compiled.json")) == {"run": "run-1"}
        release = json.loads(found.read("model/release.json"))
    assert release == {
        "model": "flights",
        "model_version": "1",
        "package_arn": arn,
        "run_id": "run-1",
        "data_version": "d" * 64,
        "contract_id": SPEC.contract.contract_id,
        "compiled_sha256": planned["compiled_sha256"],
        "asset_key": "predict.zip",
    }


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_only_approved_models_are_deployed(
    world: World, function: Any, execution: Callable[[str], str], status: str
) -> None:
    package(world, "run-1", status)
    assert plan(execution("one")) == {"go": False, "reason": "no model is approved"}
    assert alias(function) == ("1", None)


def test_a_duplicate_event_during_and_after_the_deployment_ends_quietly(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1")
    one = execution("one")
    planned = plan(one)
    assert planned == plan(one), "the same execution asks twice"
    assert not plan(execution("two"))["go"]
    succeeded(one)
    assert not plan(execution("three"))["go"]
    assert versions(function) == ["1", "2"]


def test_steps_repeated_after_a_death_change_nothing_more(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1")
    one = execution("one")
    event: dict[str, Any] = {"execution": one, "plan": plan(one)}
    event["published"] = publish_model.handler(event, None)
    assert publish_model.handler(event, None) == event["published"]
    first = promote_model.handler(event, None)
    assert promote_model.handler(event, None) == first
    assert versions(function) == ["1", "2"]
    assert kinds(world) == ["live"]


def test_the_newest_approved_model_wins_whatever_event_came(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1")
    newest = package(world, "run-2")
    package(world, "run-3", "Rejected")
    succeeded(execution("one"))
    assert alias(function)[1] == live.Live(package_arn=newest, run_id="run-2")
    assert not plan(execution("two"))["go"], "the event of the older approval"


def test_what_was_approved_during_a_deployment_is_started_after_it(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1")
    one = execution("one")
    deploy(one)
    newer = package(world, "run-2")
    assert not plan(execution("two"))["go"]
    finish(one)
    close(one)
    close(one)
    [following] = [arn for arn in running(one) if ":next-" in arn]
    succeeded(following)
    assert alias(function)[1] == live.Live(package_arn=newer, run_id="run-2")


def test_a_failed_deployment_leaves_the_alias_tells_and_is_not_repeated_by_itself(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1", compiled_sha256="0" * 64)
    one = execution("one")
    planned = plan(one)
    with pytest.raises(PromotionRejected, match="changed after its evaluation"):
        publish_model.handler({"execution": one, "plan": planned}, None)
    stop(one)
    close(one)
    assert alias(function) == ("1", None)
    assert kinds(world) == ["deployment failed"]
    assert [arn for arn in running(one) if ":next-" in arn] == []
    assert plan(execution("two"))["go"], "a new approval tries again"


def test_an_aborted_deployment_whose_end_nobody_told_does_not_block_the_next(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1")
    one = execution("one")
    plan(one)
    stop(one)
    assert succeeded(execution("two"))["live"] == "2"
    assert kinds(world) == ["deployment failed", "live"]


def test_a_model_trained_with_other_features_is_not_deployed(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1", features_sha256="f" * 64)
    one = execution("one")
    with pytest.raises(PromotionRejected, match="was trained with"):
        publish_model.handler({"execution": one, "plan": plan(one)}, None)


def test_an_update_of_the_stack_publishes_the_live_model_again(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    arn = package(world, "run-1")
    succeeded(execution("one"))
    world.s3.put_object(Bucket="asset-bucket", Key="predict.zip", Body=asset("handler = 2\n"))
    function.update_function_code(FunctionName=FUNCTION, ZipFile=asset("handler = 2\n"))
    answer = succeeded(execution("two"))
    assert answer == {"previous": "2", "live": "3"}
    assert alias(function) == ("3", live.Live(package_arn=arn, run_id="run-1"))
    assert not plan(execution("three"))["go"]


def test_a_change_of_configuration_publishes_the_live_model_again(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1")
    succeeded(execution("one"))
    function.update_function_configuration(FunctionName=FUNCTION, MemorySize=1024)
    planned = plan(execution("two"))
    assert planned["reason"] == "the function's code or configuration changed"


def test_an_alias_moved_by_somebody_else_is_left_alone(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    package(world, "run-1")
    succeeded(execution("one"))
    package(world, "run-2")
    two = execution("two")
    event: dict[str, Any] = {"execution": two, "plan": plan(two)}
    event["published"] = publish_model.handler(event, None)
    function.update_alias(FunctionName=FUNCTION, Name=names.LIVE, FunctionVersion="1", Description="by hand")
    with pytest.raises(PromotionRejected, match="went from version 2 to 1"):
        promote_model.handler(event, None)
    assert alias(function)[0] == "1"


def test_old_versions_are_deleted_but_never_the_live_or_the_one_before(
    world: World, function: Any, execution: Callable[[str], str]
) -> None:
    root = Path(os.environ["LAMBDA_TASK_ROOT"])
    (root / SPEC.file_name).unlink()
    few = replace(SPEC, serving=replace(SPEC.serving, keep_versions=2))
    (root / few.file_name).write_bytes(few.to_bytes())
    for number in range(2, 6):
        function.update_function_code(FunctionName=FUNCTION, ZipFile=asset(f"handler = {number}\n"), Publish=True)
    package(world, "run-1")
    succeeded(execution("one"))
    assert versions(function) == ["1", "5", "6"], "1 was live before"


def test_a_version_that_is_not_active_yet_is_waited_for(world: World, function: Any) -> None:
    settings = wiring.settings(promote_model.Deploy)
    wiring.client("lambda").meta.events.register(
        "after-call.lambda.GetFunctionConfiguration", lambda parsed, **_: parsed.update(State="Pending")
    )
    with pytest.raises(NotReady, match="is Pending"):
        promote_model._require_active(settings, "1")


@pytest.mark.parametrize("call", ["UpdateFunctionCode", "UpdateAlias"])
def test_a_change_by_somebody_else_in_between_is_not_overwritten(
    world: World, function: Any, execution: Callable[[str], str], call: str
) -> None:
    package(world, "run-1")
    one = execution("one")
    event: dict[str, Any] = {"execution": one, "plan": plan(one)}
    client = wiring.client("lambda").meta.events

    def refuse(http_response: Any, parsed: dict[str, Any], **_kwargs: Any) -> None:
        parsed["Error"] = {"Code": "PreconditionFailedException", "Message": "The RevisionId provided does not match"}
        http_response.status_code = 412

    client.register(f"after-call.lambda.{call}", refuse)

    def publish_and_promote() -> None:
        event["published"] = publish_model.handler(event, None)
        promote_model.handler(event, None)

    with pytest.raises(NotReady, match="changed by somebody else"):
        publish_and_promote()


def test_the_fingerprint_sees_layers_and_environment_but_not_the_code() -> None:
    before = {"MemorySize": 512, "CodeSha256": "a", "Layers": [{"Arn": "l:1", "CodeSize": 1}]}
    assert fingerprint({**before, "CodeSha256": "b", "RevisionId": "x"}) == fingerprint(before)
    assert fingerprint({**before, "Layers": [{"Arn": "l:2"}]}) != fingerprint(before)
    assert fingerprint({**before, "Environment": {"Variables": {"A": "1"}}}) != fingerprint(before)
