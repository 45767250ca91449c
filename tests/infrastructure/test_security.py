"""Nothing is open, nothing may do more than it needs, and what is acknowledged says why."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack, Validations
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks

from stacks.project import Project
from stacks.synthesis import app_of
from tests.infrastructure.world import Assembly, flat, listed, statements


def findings(project: Project, outdir: Path, *, spoil: bool) -> list[str]:
    app = app_of(project, stage="dev", outdir=str(outdir))
    if spoil:
        s3.CfnBucket(Stack(app, "spoiled"), "Open")
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with suppress(RuntimeError):  # synth fails when there are findings; the report says which
        app.synth()
    report = json.loads((outdir / "validation-report.json").read_bytes())
    return [
        f"{violation['ruleName']} {place['constructPath']}"
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for place in violation["violatingConstructs"]
    ]


OPEN_MODEL = "Annotation::perennial:open-model perennial-dev-segment-serving"


def test_cdk_nag_finds_nothing_in_any_stack_and_synth_warns_of_open_models(project: Project, tmp_path: Path) -> None:
    assert findings(project, tmp_path, spoil=False) == [OPEN_MODEL]


def test_cdk_nag_really_looks_at_the_app(project: Project, tmp_path: Path) -> None:
    found = [finding for finding in findings(project, tmp_path, spoil=True) if finding != OPEN_MODEL]
    assert any(finding.startswith("AwsSolutions-S1") for finding in found)
    assert all(finding.endswith(" spoiled/Open") for finding in found), "only what was spoiled is found"


@pytest.mark.slow
def test_cfn_lint_is_clean(assembly: Assembly, production: Assembly) -> None:
    templates = [*assembly.folder.glob("*.template.json"), *production.folder.glob("*.template.json")]
    command = [str(Path(sys.executable).parent / "cfn-lint"), *map(str, templates)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout == ""
    assert result.returncode == 0


def test_there_is_no_custom_resource(assembly: Assembly) -> None:
    kinds = {
        resource["Type"] for template in assembly.templates.values() for resource in template["Resources"].values()
    }
    assert not [kind for kind in kinds if kind.startswith("Custom::") or "CustomResource" in kind]


def all_statements(assembly: Assembly) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (stack, name, statement)
        for kind in ("AWS::IAM::Role", "AWS::IAM::Policy")
        for stack, name, resource in assembly.resources(kind)
        for statement in statements(resource)
    ]


def test_no_role_has_an_action_with_a_wildcard(assembly: Assembly) -> None:
    wild = [
        (stack, name, action)
        for stack, name, statement in all_statements(assembly)
        for action in listed(statement["Action"])
        if "*" in action
    ]
    assert wild == []


def test_only_services_without_resource_permissions_are_named_with_a_star(assembly: Assembly) -> None:
    stars = {
        action.split(":")[0]
        for _, _, statement in all_statements(assembly)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
    }
    assert stars == {"logs", "xray", "ecr", "cloudwatch", "sagemaker"}


def test_of_sagemaker_only_listing_endpoints_has_no_resource(assembly: Assembly) -> None:
    actions = {
        action
        for _, _, statement in all_statements(assembly)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
        if action.startswith("sagemaker:")
    }
    assert actions == {"sagemaker:ListEndpoints"}


def test_each_function_has_a_role_of_its_own(assembly: Assembly) -> None:
    roles = [
        (stack, flat(function["Properties"]["Role"]))
        for stack, _, function in assembly.resources("AWS::Lambda::Function")
    ]
    assert len(roles) == len(set(roles)) == 4 + 1 + 3 * (6 + 12 + 2)


def test_roles_are_passed_to_sagemaker_only(assembly: Assembly) -> None:
    passing = [
        statement for _, _, statement in all_statements(assembly) if "iam:PassRole" in listed(statement["Action"])
    ]
    assert len(passing) == 3 * 2  # of each model: its jobs' role and its endpoints'
    for statement in passing:
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
        assert "*" not in flat(statement["Resource"])


def test_only_the_ledgers_writer_writes_the_ledger(assembly: Assembly) -> None:
    table = next(name for _, name, _ in assembly.resources("AWS::DynamoDB::Table") if name.startswith("Ledger"))
    writers = {
        name
        for stack, name, statement in all_statements(assembly)
        if any(table in flat(resource) for resource in listed(statement["Resource"])) and stack.endswith("shared")
    }
    assert {name.startswith("RecordEvent") for name in writers} == {True}


def test_whoever_reads_or_writes_encrypted_data_may_use_the_key(assembly: Assembly) -> None:
    """S3 objects, table items and messages of the topic are useless without it (AWS answers AccessDenied)."""
    for kind in ("AWS::IAM::Role",):
        for stack, name, role in assembly.resources(kind):
            actions = {action for statement in statements(role) for action in listed(statement["Action"])}
            needs = {"s3:GetObject", "s3:PutObject", "dynamodb:GetItem", "dynamodb:PutItem", "sns:Publish"} & actions
            if needs:
                assert {"kms:Decrypt", "kms:GenerateDataKey"} <= actions, (stack, name)


def test_the_job_role_reads_exactly_its_two_assets(assembly: Assembly) -> None:
    stack = "perennial-dev-churn-training"
    template = assembly.template(stack)
    (role,) = (r for n, r in template["Resources"].items() if r["Type"] == "AWS::IAM::Role" and n.startswith("Jobs"))
    assets = [
        flat(resource)
        for statement in statements(role)
        for resource in listed(statement["Resource"])
        if "cdk-hnb659fds-assets" in flat(resource) and "s3:GetObject" in listed(statement["Action"])
    ]
    assert len(assets) == 2
    assert all(name.endswith(".zip") and "*" not in name for name in assets)


def test_buckets_are_versioned_private_encrypted_and_cleaned(assembly: Assembly) -> None:
    buckets = list(assembly.resources("AWS::S3::Bucket"))
    assert len(buckets) == 3
    for _, name, bucket in buckets:
        properties = bucket["Properties"]
        assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
        assert any("NoncurrentVersionExpiration" in rule for rule in properties["LifecycleConfiguration"]["Rules"])
        (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        if not name.startswith("AccessLogs"):
            assert encryption["BucketKeyEnabled"] is True
            assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"


def test_buckets_queues_and_the_topic_refuse_plain_http(assembly: Assembly) -> None:
    for kind in ("AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        policies = list(assembly.resources(kind))
        assert policies
        for stack, name, policy in policies:
            denied = [s for s in policy["Properties"]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
            assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in denied], (stack, name)


def test_data_outlives_its_stack_where_the_stage_says_so(assembly: Assembly, production: Assembly) -> None:
    for kind in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Logs::LogGroup"):
        assert {resource["DeletionPolicy"] for _, _, resource in assembly.resources(kind)} == {"Delete"}
        assert {resource["DeletionPolicy"] for _, _, resource in production.resources(kind)} == {"Retain"}


def test_all_logs_are_encrypted_and_end_some_day(assembly: Assembly) -> None:
    for stack, name, group in assembly.resources("AWS::Logs::LogGroup"):
        assert group["Properties"]["RetentionInDays"] <= 365, (stack, name)
        assert "Key" in flat(group["Properties"]["KmsKeyId"])


def test_model_routes_ask_for_what_model_yaml_says(assembly: Assembly) -> None:
    kinds = {
        route["Properties"]["RouteKey"]: route["Properties"]["AuthorizationType"]
        for _, _, route in assembly.resources("AWS::ApiGatewayV2::Route")
    }
    assert kinds == {
        "$default": "NONE",
        "GET /openapi.json": "AWS_IAM",
        "POST /models/churn/predictions": "AWS_IAM",
        "POST /models/churn/feedback": "AWS_IAM",
        "GET /models/churn": "AWS_IAM",
        "GET /models/churn/openapi.json": "AWS_IAM",
        "POST /models/price/predictions": "JWT",
        "POST /models/price/feedback": "JWT",
        "GET /models/price": "JWT",
        "GET /models/price/openapi.json": "JWT",
        "POST /models/segment/predictions": "NONE",
        "POST /models/segment/feedback": "NONE",
        "GET /models/segment": "NONE",
        "GET /models/segment/openapi.json": "NONE",
    }
    ((_, _, authorizer),) = assembly.resources("AWS::ApiGatewayV2::Authorizer")
    assert authorizer["Properties"]["JwtConfiguration"] == {"Issuer": "https://issuer.example", "Audience": ["prices"]}


def test_a_tokens_scopes_are_asked_for_on_every_route_of_its_model(assembly: Assembly) -> None:
    for _, _, route in assembly.resources("AWS::ApiGatewayV2::Route"):
        asked = route["Properties"].get("AuthorizationScopes")
        assert asked == (["score"] if route["Properties"]["AuthorizationType"] == "JWT" else None)


def test_browsers_are_let_in_only_where_a_stage_says_so(assembly: Assembly, production: Assembly) -> None:
    ((_, _, closed),) = assembly.resources("AWS::ApiGatewayV2::Api")
    ((_, _, opened),) = production.resources("AWS::ApiGatewayV2::Api")
    assert "CorsConfiguration" not in closed["Properties"]
    assert opened["Properties"]["CorsConfiguration"]["AllowOrigins"] == ["https://app.example.com"]
    assert opened["Properties"]["CorsConfiguration"]["AllowCredentials"] is True


def test_a_stage_says_how_much_a_route_lets_through(production: Assembly) -> None:
    ((_, _, stage),) = production.resources("AWS::ApiGatewayV2::Stage")
    limits = {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 10}
    assert stage["Properties"]["DefaultRouteSettings"] == limits


def test_the_front_door_is_throttled_and_logged(assembly: Assembly) -> None:
    ((_, _, stage),) = assembly.resources("AWS::ApiGatewayV2::Stage")
    assert stage["Properties"]["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert stage["Properties"]["AccessLogSettings"]["DestinationArn"]
