"""Lambda's control plane, through a client: what versions, aliases, revisions and limits promise."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.api import ApiError
from local.iam.authority import Acting
from tests.local.functions_world import ECHO, Lambda, package, refused, running
from tests.local.iam_world import guarded

ONE = "def handler(e, c):\n    return 'one'\n"
TWO = "def handler(e, c):\n    return 'two'\n"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Lambda]:
    yield from running(tmp_path)


def test_code_comes_from_s3_as_the_deployer_names_it(engine: Lambda) -> None:
    s3 = engine.clients.client("s3")
    s3.create_bucket(Bucket="assets")
    content = package(code=ECHO)
    s3.put_object(Bucket="assets", Key="a.zip", Body=content)
    made = engine.create(Code={"S3Bucket": "assets", "S3Key": "a.zip"}, Tags={"stage": "dev"})
    assert made["CodeSize"] == len(content)
    assert made["State"] == "Active"
    assert made["LastUpdateStatus"] == "Successful"
    assert engine.invoke(7)[0] == 7
    found = engine.client.get_function(FunctionName=made["FunctionArn"])
    assert found["Configuration"]["CodeSha256"] == made["CodeSha256"]
    assert found["Tags"] == {"stage": "dev"}
    missing = {"Code": {"S3Bucket": "assets", "S3Key": "no.zip"}, "FunctionName": "g"}
    assert refused(engine.create, **missing) == "InvalidParameterValueException"


def test_a_published_version_freezes_code_environment_memory_and_layers(engine: Lambda) -> None:
    code = "import os, six\ndef handler(e, c):\n    return [os.environ['AA'], c.memory_limit_in_mb, six.NAME]\n"
    layer = engine.client.publish_layer_version(LayerName="l", Content={"ZipFile": package(python__six="NAME = 'l'")})
    other = engine.client.publish_layer_version(LayerName="l", Content={"ZipFile": package(python__six="NAME = 'm'")})
    engine.create(code, Environment={"Variables": {"AA": "1"}}, Layers=[layer["LayerVersionArn"]])
    engine.client.publish_version(FunctionName="f")
    engine.settle()
    engine.client.update_function_configuration(
        FunctionName="f", Environment={"Variables": {"AA": "2"}}, MemorySize=256, Layers=[other["LayerVersionArn"]]
    )
    assert engine.invoke(Qualifier="1")[0] == ["1", "128", "l"]
    assert engine.invoke()[0] == ["2", "256", "m"]
    frozen = engine.client.get_function_configuration(FunctionName="f", Qualifier="1")
    assert (frozen["Version"], frozen["MemorySize"]) == ("1", 128)
    assert frozen["FunctionArn"].endswith(":f:1")


def test_publishing_what_has_not_changed_publishes_nothing(engine: Lambda) -> None:
    engine.create()
    first = engine.client.publish_version(FunctionName="f")
    assert engine.client.publish_version(FunctionName="f")["Version"] == "1"
    again = engine.publish(ECHO)
    assert (again["Version"], again["RevisionId"]) == ("1", first["RevisionId"])
    engine.client.update_function_configuration(FunctionName="f", MemorySize=256)
    assert engine.client.publish_version(FunctionName="f")["Version"] == "2"
    listed = engine.client.list_versions_by_function(FunctionName="f")["Versions"]
    assert [version["Version"] for version in listed] == ["$LATEST", "1", "2"]


def test_a_version_number_is_never_used_twice(engine: Lambda) -> None:
    engine.create(ONE)
    engine.client.publish_version(FunctionName="f")
    engine.client.delete_function(FunctionName="f", Qualifier="1")
    assert engine.publish(TWO)["Version"] == "2"
    assert refused(engine.client.get_function_configuration, FunctionName="f", Qualifier="1") == (
        "ResourceNotFoundException"
    )


def test_a_new_version_is_pending_before_it_is_active(engine: Lambda) -> None:
    engine.create()
    assert engine.client.publish_version(FunctionName="f")["State"] == "Pending"
    assert refused(engine.invoke, Qualifier="1") == "ResourceConflictException"
    engine.settle()
    assert engine.client.get_function_configuration(FunctionName="f", Qualifier="1")["State"] == "Active"
    assert engine.invoke(1, Qualifier="1")[0] == 1


def test_updating_code_checks_the_revision_and_answers_the_hash_of_what_was_sent(engine: Lambda) -> None:
    revision = engine.create(ONE)["RevisionId"]
    content = package(code=TWO)
    arguments: dict[str, Any] = {"FunctionName": "f", "ZipFile": content, "Publish": True, "RevisionId": revision}
    published = engine.client.update_function_code(**arguments)
    assert published["Version"] == "1"
    assert published["CodeSha256"] == engine.client.get_function_configuration(FunctionName="f")["CodeSha256"]
    assert refused(engine.client.update_function_code, **arguments) == "PreconditionFailedException"
    assert engine.invoke()[0] == "two"


def test_a_changed_function_runs_its_new_code_at_once(engine: Lambda) -> None:
    engine.create(ONE)
    assert engine.invoke()[0] == "one"
    engine.client.update_function_code(FunctionName="f", ZipFile=package(code=TWO))
    assert engine.invoke()[0] == "two"


def test_an_alias_moves_with_its_revision_and_keeps_what_is_not_given(engine: Lambda) -> None:
    engine.create(ONE)
    engine.publish(ONE)
    engine.publish(TWO)
    alias = {"FunctionName": "f", "Name": "live"}
    made = engine.client.create_alias(**alias, FunctionVersion="1")
    assert made["AliasArn"].endswith(":f:live")
    assert refused(engine.client.create_alias, **alias, FunctionVersion="1") == "ResourceConflictException"
    described = engine.client.update_alias(**alias, Description="kept", RevisionId=made["RevisionId"])
    stale = {"FunctionVersion": "2", "RevisionId": made["RevisionId"]}
    assert refused(engine.client.update_alias, **alias, **stale) == "PreconditionFailedException"
    engine.client.update_alias(
        **alias, FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}}, RevisionId=described["RevisionId"]
    )
    payload, answer = engine.invoke(Qualifier="live")
    assert (payload, answer["ExecutedVersion"]) == ("two", "2")
    assert engine.client.get_alias(**alias)["Description"] == "kept"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"FunctionVersion": "9"}, "ResourceNotFoundException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1, "3": 0.1}}}, "InvalidParameterValueException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"1": 0.1}}}, "InvalidParameterValueException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"9": 0.1}}}, "ResourceNotFoundException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"2": 1.1}}}, "ValidationException"),
        ({"RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.1}}}, "ValidationException"),
        (
            {"FunctionVersion": "$LATEST", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}},
            "InvalidParameterValueException",
        ),
        ({"Description": "x" * 257}, "ValidationException"),
    ],
)
def test_an_alias_that_lambda_would_refuse_is_refused(engine: Lambda, change: dict[str, Any], error: str) -> None:
    engine.create(ONE)
    for code in (ONE, TWO, ONE):
        engine.publish(code)
    engine.client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    assert refused(engine.client.update_alias, FunctionName="f", Name="live", **change) == error


def test_a_version_behind_an_alias_cannot_be_deleted(engine: Lambda) -> None:
    engine.create(ONE)
    engine.publish(ONE)
    engine.publish(TWO)
    engine.client.create_alias(
        FunctionName="f",
        Name="live",
        FunctionVersion="1",
    )
    for version, error in (
        ("1", "ResourceConflictException"),
        ("3", "ResourceNotFoundException"),
        ("$LATEST", "InvalidParameterValueException"),
    ):
        assert refused(engine.client.delete_function, FunctionName="f", Qualifier=version) == error
    engine.client.delete_alias(FunctionName="f", Name="live")
    engine.client.delete_function(FunctionName="f", Qualifier="2")
    engine.client.delete_function(FunctionName="f")
    assert refused(engine.client.get_function, FunctionName="f") == "ResourceNotFoundException"


def test_the_resource_policy_of_an_alias_says_who_may_invoke_it(engine: Lambda) -> None:
    engine.create()
    engine.publish(ECHO)
    alias = engine.client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")["AliasArn"]
    permission = {
        "FunctionName": "f",
        "Qualifier": "live",
        "StatementId": "api",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:abc/*/POST/models/{name}/predictions",
    }
    engine.client.add_permission(**permission)
    assert refused(engine.client.add_permission, **permission) == "ResourceConflictException"
    policy = json.loads(engine.client.get_policy(FunctionName="f", Qualifier="live")["Policy"])
    assert policy["Statement"][0]["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert policy["Statement"][0]["Resource"] == alias
    source = "arn:aws:execute-api:us-east-1:123456789012:{}/$default/POST/models/{{name}}/predictions"
    authority = guarded(engine.dispatcher, engine.functions.policy)

    def refuses(service: str, arn: str, api: str) -> None:
        acting = Acting(f"{service}.amazonaws.com", source.format(api))
        with pytest.raises(ApiError, match="no resource-based policy allows the lambda:InvokeFunction action"):
            authority.service(acting, "lambda", "Invoke", {"FunctionName": arn})

    authority.service(
        Acting("apigateway.amazonaws.com", source.format("abc")), "lambda", "Invoke", {"FunctionName": alias}
    )
    refuses("apigateway", alias, "other")
    refuses("events", alias, "abc")
    refuses("apigateway", alias.removesuffix(":live"), "abc")
    engine.client.remove_permission(FunctionName="f", Qualifier="live", StatementId="api")
    assert refused(engine.client.get_policy, FunctionName="f", Qualifier="live") == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "settings",
    [
        {"Environment": {"Variables": {"AA": "x" * 4095}}},
        {"Environment": {"Variables": {"AWS_REGION": "eu-west-1"}}},
        {"Runtime": "nodejs22.x"},
        {"MemorySize": 10_241},
        {"Timeout": 901},
        {"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:none:1"]},
        {"Code": {"ZipFile": b"no zip"}},
        {"Code": {"ZipFile": package(0o600, code=ECHO)}},
        {"VpcConfig": {"SubnetIds": []}},
    ],
    ids=["environment", "reserved", "runtime", "memory", "timeout", "layer", "zip", "mode", "unknown"],
)
def test_what_lambda_or_the_engine_cannot_run_is_refused(engine: Lambda, settings: dict[str, Any]) -> None:
    assert refused(engine.create, **settings) == "InvalidParameterValueException"
    engine.create()
    settings = {"Code": {"ZipFile": package(code=ECHO)}, **settings}
    code = settings.pop("Code")
    if settings:
        assert refused(engine.client.update_function_configuration, FunctionName="f", **settings) == (
            "InvalidParameterValueException"
        )
    else:
        assert refused(engine.client.update_function_code, FunctionName="f", **code) == (
            "InvalidParameterValueException"
        )


def test_the_environment_may_have_exactly_four_kilobytes(engine: Lambda) -> None:
    engine.create(Environment={"Variables": {"AA": "x" * 4094}})
    assert engine.invoke(1)[0] == 1


def test_what_does_not_exist_is_not_found(engine: Lambda) -> None:
    client = engine.client
    assert refused(client.invoke, FunctionName="none") == "ResourceNotFoundException"
    assert refused(client.get_alias, FunctionName="none", Name="live") == "ResourceNotFoundException"
    engine.create()
    assert refused(client.get_alias, FunctionName="f", Name="live") == "ResourceNotFoundException"
    assert refused(client.invoke, FunctionName="f", Qualifier="live") == "ResourceNotFoundException"
    assert refused(client.get_function_event_invoke_config, FunctionName="f") == "ResourceNotFoundException"
    assert refused(client.get_layer_version, LayerName="l", VersionNumber=1) == "ResourceNotFoundException"
    assert refused(engine.create) == "ResourceConflictException"
