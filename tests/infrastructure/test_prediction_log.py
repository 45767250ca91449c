"""The way of the prediction log: what is sent on, who may send and deliver it, and where it ends."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lifecycle import names
from lifecycle.prediction_log import FAILURE, PATTERN, PREDICTION
from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import ROOT, Assembly, flat, listed, statements

STACK = "perennial-dev-churn-serving"
DELIVERY = "AWS::KinesisFirehose::DeliveryStream"
MACHINE = "AWS::StepFunctions::StateMachine"


def of(assembly: Assembly, kind: str, stack: str = STACK) -> list[tuple[str, dict[str, Any]]]:
    return [(name, r["Properties"]) for found, name, r in assembly.resources(kind) if found == stack]


def target(assembly: Assembly) -> dict[str, Any]:
    ((_, stream),) = of(assembly, DELIVERY)
    return dict(stream["ExtendedS3DestinationConfiguration"])


def role(assembly: Assembly, reference: Any) -> dict[str, Any]:
    return dict(assembly.template(STACK)["Resources"][reference["Fn::GetAtt"][0]])


def granted(found: dict[str, Any]) -> dict[str, list[str]]:
    """Actions of a role -> what they are allowed on."""
    return {
        action: [flat(resource) for resource in listed(statement["Resource"])]
        for statement in statements(found)
        for action in listed(statement["Action"])
    }


def test_only_lines_of_the_log_leave_the_predict_functions_log_group(assembly: Assembly) -> None:
    ((_, subscription),) = of(assembly, "AWS::Logs::SubscriptionFilter")
    predict = next(p for n, p in of(assembly, "AWS::Lambda::Function") if n.startswith("Predict"))
    assert subscription["LogGroupName"] == predict["LoggingConfig"]["LogGroup"]
    assert subscription["FilterPattern"] == PATTERN == f'{{ ($.kind = "{PREDICTION}") || ($.kind = "{FAILURE}") }}'
    ((stream, _),) = of(assembly, DELIVERY)
    assert subscription["DestinationArn"] == {"Fn::GetAtt": [stream, "Arn"]}


def test_lines_arrive_as_gzip_by_hour_within_a_minute(assembly: Assembly) -> None:
    found = target(assembly)
    assert found["Prefix"] == "predictions/churn/!{timestamp:yyyy/MM/dd/HH}/"
    assert found["ErrorOutputPrefix"].startswith("predictions-failed/churn/!{firehose:error-output-type}/")
    assert found["CompressionFormat"] == "GZIP"
    assert found["BufferingHints"]["IntervalInSeconds"] == 60
    processors = found["ProcessingConfiguration"]["Processors"]
    parameters = {p["ParameterName"]: p["ParameterValue"] for one in processors for p in one.get("Parameters", [])}
    assert [one["Type"] for one in processors] == [
        "Decompression",
        "CloudWatchLogProcessing",
        "AppendDelimiterToRecord",
    ]
    assert parameters == {"CompressionFormat": "GZIP", "DataMessageExtraction": "true"}


def test_what_waits_and_what_arrives_is_encrypted(assembly: Assembly) -> None:
    ((_, stream),) = of(assembly, DELIVERY)
    assert stream["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "AWS_OWNED_CMK"}
    key = target(assembly)["EncryptionConfiguration"]["KMSEncryptionConfig"]["AWSKMSKeyARN"]
    assert "KeyArn" in flat(key)


def test_cloudwatch_logs_may_only_put_records_into_this_stream(assembly: Assembly) -> None:
    ((_, subscription),) = of(assembly, "AWS::Logs::SubscriptionFilter")
    sender = role(assembly, subscription["RoleArn"])
    ((stream, _),) = of(assembly, DELIVERY)
    assert granted(sender) == {
        "firehose:PutRecord": [f"<{stream}.Arn>"],
        "firehose:PutRecordBatch": [f"<{stream}.Arn>"],
    }
    (trust,) = sender["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "logs.amazonaws.com"}
    source = flat(trust["Condition"]["StringLike"]["aws:SourceArn"])
    assert source.endswith(":logs:<AWS::Region>:<AWS::AccountId>:*") or ":logs:us-east-1:" in source


def test_firehose_may_write_below_the_two_prefixes_of_its_model_and_use_the_key_through_s3(assembly: Assembly) -> None:
    deliverer = role(assembly, target(assembly)["RoleARN"])
    found = granted(deliverer)
    assert set(found) == {
        "kms:Decrypt", "kms:GenerateDataKey", "logs:PutLogEvents", "s3:AbortMultipartUpload", "s3:GetBucketLocation",
        "s3:GetObject", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:PutObject",
    }  # fmt: skip
    for action in ("s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"):
        assert [resource.partition("/")[2] for resource in found[action]] == [
            "predictions/churn/*",
            "predictions-failed/churn/*",
        ]
    (keyed,) = [s for s in statements(deliverer) if "kms:Decrypt" in listed(s["Action"])]
    assert "s3." in flat(keyed["Condition"]["StringEquals"]["kms:ViaService"])
    (trust,) = deliverer["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "AWS::AccountId"}}}


def test_delivery_errors_have_a_log_stream_to_be_written_to(assembly: Assembly) -> None:
    told = target(assembly)["CloudWatchLoggingOptions"]
    assert told["Enabled"] is True
    ((stream, place),) = of(assembly, "AWS::Logs::LogStream")
    assert told["LogStreamName"] == {"Ref": stream}
    assert told["LogGroupName"] == place["LogGroupName"]


def test_the_predict_function_knows_nothing_of_its_log(assembly: Assembly) -> None:
    for name, found in of(assembly, "AWS::IAM::Role"):
        if name.startswith("Predict") and not name.startswith("PredictionLog"):
            actions = {a for s in statements({"Properties": found}) for a in listed(s["Action"])}
            assert actions == {"logs:CreateLogStream", "logs:PutLogEvents", "sagemaker:InvokeEndpoint"}


def test_the_stack_tells_where_the_log_is(assembly: Assembly) -> None:
    assert names.OUTPUT_PREDICTION_STREAM in assembly.template(STACK)["Outputs"]


def test_without_a_prediction_log_none_of_it_exists(
    home: Path, copy_model: Callable[[str], Path], tmp_path: Path
) -> None:
    file = copy_model("price") / "model.yaml"
    written = yaml.safe_load(file.read_text()) | {"monitoring": {"prediction_log": False}}
    file.write_text(json.dumps(written))
    folder = tmp_path / "out"
    synthesize(Project(code=ROOT, home=home), stage="dev", outdir=folder)
    quiet = Assembly(folder)
    for kind in (DELIVERY, "AWS::Logs::SubscriptionFilter", "AWS::Logs::LogStream"):
        assert list(quiet.resources(kind)) == []
    assert names.OUTPUT_PREDICTION_STREAM not in quiet.template("perennial-dev-price-serving")["Outputs"]


def test_a_replay_gate_gives_its_function_the_log_and_nothing_else_of_the_data(assembly: Assembly) -> None:
    ((stack, found),) = [
        (stack, resource)
        for stack, name, resource in assembly.resources("AWS::IAM::Role")
        if name.startswith("ReplayCandidate")
    ]
    data = [
        flat(resource).partition("/")[2]
        for statement in statements(found)
        for resource in listed(statement["Resource"])
        if "DataBucket" in flat(resource) and "/" in flat(resource)
    ]
    assert (stack, data) == ("perennial-dev-churn-training", ["predictions/churn/*"])
    machines = {s: flat(m["Properties"]["DefinitionString"]) for s, _, m in assembly.resources(MACHINE)}
    asking = [name for name, text in machines.items() if "ReplayCandidate" in text]
    assert asking == ["perennial-dev-churn-training"]
