"""Each role of the stacks is refused what is not its own, and each grant that is taken away is missed.

The edges are those of docs/permissions.md; what services do by themselves is refused where their own tests are, too.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local.iam import granted
from local.iam.authority import Acting
from local.iam.decision import Need
from tests.local.permissions_world import MODEL, REGION, Account, account_in

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"
Ask = tuple[str, str, dict[str, Any]]


def get(bucket: str, key: str) -> Ask:
    return "s3", "get_object", {"Bucket": f"{{{bucket}}}", "Key": key}


def put(bucket: str, key: str) -> Ask:
    return "s3", "put_object", {"Bucket": f"{{{bucket}}}", "Key": key, "Body": b"x"}


def listing(bucket: str, prefix: str) -> Ask:
    return "s3", "list_objects_v2", {"Bucket": f"{{{bucket}}}", "Prefix": prefix}


def aliased(operation: str, **more: Any) -> Ask:
    return "lambda", operation, {"FunctionName": "{predict}", **more}


def invoke(function: str, **more: Any) -> Ask:
    # a dry run is asked for permission, and then not understood: nothing runs
    return "lambda", "invoke", {"FunctionName": f"{{{function}}}", "InvocationType": "DryRun", **more}


def item(operation: str, table: str, **key: str) -> Ask:
    keys = {name: {"S": value} for name, value in key.items()}
    return "dynamodb", operation, {"TableName": f"{{{table}}}", "Item" if operation == "put_item" else "Key": keys}


def execution(operation: str, machine: str) -> Ask:
    if operation == "start_execution":
        return "stepfunctions", operation, {"stateMachineArn": f"{{{machine}}}", "input": "no JSON"}
    return "stepfunctions", operation, {"executionArn": f"{{{machine}}}:one"}


def message(operation: str, queue: str, **more: Any) -> Ask:
    return "sqs", operation, {"QueueUrl": f"{{{queue}}}", **more}


def job(name: str, tags: bool = True) -> Ask:
    """A job without an entry point, which the engine does not take: asked for permission first."""
    return "sagemaker", "create_training_job", {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
        "RoleArn": "{jobs}",
        "OutputDataConfig": {"S3OutputPath": "s3://{artifacts}/runs/"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        **({"Tags": [{"Key": "a", "Value": "b"}]} if tags else {}),
    }  # fmt: skip


TELL: Ask = ("sns", "publish", {"TopicArn": "{topic}", "Message": "x"})
LABELS = {"hour": {"S": f"{MODEL}#1"}, "prediction_id": {"S": "p"}}
LABEL: Ask = (
    "dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": "{labels}", "Item": LABELS}}]}
)  # fmt: skip
OTHERS: Ask = ("dynamodb", "put_item", {"TableName": "{labels}", "Item": {**LABELS, "hour": {"S": "other#1"}}})
HOUR: Ask = (
    "dynamodb",
    "query",
    {
        "TableName": "{labels}",
        "KeyConditionExpression": "#h = :h",
        "ExpressionAttributeNames": {"#h": "hour"},
        "ExpressionAttributeValues": {":h": {"S": f"{MODEL}#1"}},
    },
)
METRICS = {"MetricData": [{"MetricName": "a", "Value": 1}]}
PACKAGE = {"ModelPackageName": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{{group}}/1"}
MODEL_MADE: Ask = (
    "sagemaker",
    "create_model",
    {
        "ModelName": "{endpoint}",
        "PrimaryContainer": {"Image": "image", "ModelDataUrl": "s3://{artifacts}/runs/x"},
        "ExecutionRoleArn": "{served}",
        "Tags": [{"Key": "a", "Value": "b"}],
    },
)
EVENT: Ask = ("events", "put_events", {"Entries": [{"Source": "perennial", "DetailType": "x", "Detail": "none"}]})
FOREIGN: Ask = ("events", "put_events", {"Entries": [{"Source": "other", "DetailType": "x", "Detail": "none"}]})
LINES = {"logEvents": [{"timestamp": 1, "message": "x"}]}

DENIED: dict[str, tuple[str, Ask]] = {
    "Approved": ("states:StartExecution", execution("start_execution", "training")),
    "CloseDeployment": ("lambda:InvokeFunction", invoke("predict", Qualifier="live")),
    "CloseRun": ("s3:PutObject", put("artifacts", "profiles/x")),
    "CutVersion": ("s3:GetObject", get("data", f"predictions/{MODEL}/x")),
    "DecideRetraining": ("s3:PutObject", put("artifacts", f"runs/{MODEL}/x")),
    "Deployment": ("lambda:InvokeFunction", invoke("starter")),
    "Endpoint": ("s3:PutObject", put("artifacts", f"runs/{MODEL}/x")),
    "FrontDoorDescribeApi": ("lambda:InvokeFunction", invoke("recorder")),
    "FrontDoorRefuseRoute": ("SNS:Publish", TELL),
    "Jobs": ("s3:PutObject", put("data", f"objects/{MODEL}/x")),
    "JudgeLive": ("lambda:UpdateFunctionCode", aliased("update_function_code", ZipFile=b"x")),
    "JudgeRollout": ("lambda:UpdateAlias", aliased("update_alias", Name="live")),
    "MonitorModel": ("cloudwatch:PutMetricData", ("cloudwatch", "put_metric_data", {"Namespace": "Other", **METRICS})),
    "PlanDeployment": ("lambda:UpdateFunctionCode", aliased("update_function_code", ZipFile=b"x")),
    "Predict": ("s3:GetObject", get("artifacts", f"runs/{MODEL}/x")),
    "PredictionLogDeliver": ("s3:PutObject", put("data", f"objects/{MODEL}/x")),
    "PredictionLogSend": ("s3:PutObject", put("data", f"predictions/{MODEL}/x")),
    "ProbeVersion": ("lambda:UpdateAlias", aliased("update_alias", Name="live")),
    "ProfileObjects": ("dynamodb:PutItem", item("put_item", "ledger", subject="a", entry="b")),
    "PromoteModel": ("lambda:UpdateFunctionCode", aliased("update_function_code", ZipFile=b"x")),
    "PublishModel": ("lambda:UpdateAlias", aliased("update_alias", Name="live")),
    "ReadFeedback": ("s3:PutObject", put("data", f"feedback/{MODEL}/x")),
    "RecordEvent": ("s3:PutObject", put("artifacts", f"runs/{MODEL}/x")),
    "RecordFeedback": ("dynamodb:PutItem", OTHERS),
    "RegisterModel": ("lambda:UpdateAlias", aliased("update_alias", Name="live")),
    "ReplayCandidate": ("dynamodb:GetItem", item("get_item", "claims", claim="a")),
    "RollBack": ("events:PutEvents", FOREIGN),
    "ShiftTraffic": ("lambda:InvokeFunction", invoke("predict", Qualifier="live")),
    "StartRun": ("s3:PutObject", put("data", f"versions/{MODEL}/x")),
    "Training": ("sagemaker:CreateTrainingJob", job("other-one")),
    "Updated": ("states:StartExecution", execution("start_execution", "training")),
    "ValidateVersion": ("s3:PutObject", put("artifacts", "profiles/x")),
    "VersionCut": ("states:StartExecution", execution("start_execution", "deployment")),
    "WithdrawVersion": ("events:PutEvents", EVENT),
}
"""What each role is refused: a call that is near to what it does."""

COPY = {
    "Bucket": "{data}",
    "Key": f"objects/{MODEL}/b",
    "CopySource": f"{{data}}/incoming/{MODEL}/a?versionId={{version}}",
}
EDGES: list[tuple[str, str, Ask]] = [
    (
        "CutVersion",
        "s3:ListBucketVersions",
        ("s3", "list_object_versions", {"Bucket": "{data}", "Prefix": "incoming/"}),
    ),
    ("CutVersion", "s3:GetObjectVersion", ("s3", "copy_object", COPY)),
    ("CutVersion", "s3:GetObjectVersionTagging", ("s3", "copy_object", COPY)),
    ("CutVersion", "s3:PutObjectTagging", ("s3", "copy_object", COPY)),
    ("CutVersion", "s3:PutObject", ("s3", "copy_object", COPY)),
    ("CutVersion", "kms:Decrypt", ("s3", "copy_object", COPY)),
    ("CutVersion", "kms:GenerateDataKey", ("s3", "copy_object", COPY)),
    ("CutVersion", "dynamodb:GetItem", item("get_item", "claims", claim="a")),
    ("CutVersion", "dynamodb:PutItem", item("put_item", "claims", claim="a")),
    ("CutVersion", "kms:Decrypt", item("get_item", "claims", claim="a")),
    ("CutVersion", "lambda:InvokeFunction", invoke("recorder")),
    ("CutVersion", "events:PutEvents", EVENT),
    ("CutVersion", "sqs:ReceiveMessage", message("receive_message", "looks")),
    ("CutVersion", "sqs:DeleteMessage", message("delete_message", "looks", ReceiptHandle="x")),
    ("CutVersion", "sqs:GetQueueAttributes", message("get_queue_attributes", "looks")),
    (
        "CutVersion",
        "sqs:ChangeMessageVisibility",
        message("change_message_visibility", "looks", ReceiptHandle="x", VisibilityTimeout=1),
    ),
    ("RecordEvent", "dynamodb:PutItem", item("put_item", "ledger", subject="a", entry="b")),
    ("RecordEvent", "kms:Decrypt", item("get_item", "ledger", subject="a", entry="b")),
    ("FrontDoorDescribeApi", "apigateway:GET", ("apigatewayv2", "get_routes", {"ApiId": "{api}"})),
    ("FrontDoorDescribeApi", "lambda:InvokeFunction", invoke("predict", Qualifier="live")),
    ("StartRun", "s3:GetObject", get("data", f"versions/{MODEL}/x")),
    ("StartRun", "s3:ListBucket", get("data", f"versions/{MODEL}/missing")),
    ("StartRun", "s3:PutObject", put("artifacts", f"runs/{MODEL}/x")),
    ("StartRun", "lambda:GetAlias", aliased("get_alias", Name="live")),
    ("StartRun", "states:DescribeExecution", execution("describe_execution", "training_executions")),
    (
        "StartRun",
        "logs:CreateLogStream",
        ("logs", "create_log_stream", {"logGroupName": "{printed}", "logStreamName": "a"}),
    ),
    (
        "StartRun",
        "logs:PutLogEvents",
        ("logs", "put_log_events", {"logGroupName": "{printed}", "logStreamName": "a", **LINES}),
    ),
    ("ProfileObjects", "s3:PutObject", put("artifacts", "profiles/x")),
    ("ValidateVersion", "s3:GetObject", get("artifacts", "profiles/x")),
    ("ReplayCandidate", "s3:GetObject", get("data", f"predictions/{MODEL}/x")),
    (
        "RegisterModel",
        "sagemaker:ListModelPackages",
        ("sagemaker", "list_model_packages", {"ModelPackageGroupName": "{group}"}),
    ),
    (
        "RegisterModel",
        "sagemaker:CreateModelPackage",
        ("sagemaker", "create_model_package", {"ModelPackageGroupName": "{group}"}),
    ),
    (
        "RegisterModel",
        "sagemaker:UpdateModelPackage",
        ("sagemaker", "update_model_package", {"ModelPackageArn": PACKAGE["ModelPackageName"]}),
    ),
    ("CloseRun", "sns:Publish", TELL),
    ("CloseRun", "kms:GenerateDataKey", TELL),
    ("CloseRun", "states:StartExecution", execution("start_execution", "training")),
    ("CloseRun", "sqs:SendMessage", message("send_message", "lost", MessageBody="x")),
    (
        "DecideRetraining",
        "s3:DeleteObject",
        ("s3", "delete_object", {"Bucket": "{data}", "Key": f"incoming/{MODEL}/feedback-{MODEL}/x"}),
    ),
    ("DecideRetraining", "dynamodb:Query", HOUR),
    (
        "MonitorModel",
        "cloudwatch:PutMetricData",
        ("cloudwatch", "put_metric_data", {"Namespace": "Perennial", **METRICS}),
    ),
    ("MonitorModel", "s3:ListBucket", listing("data", f"predictions/{MODEL}/2026")),
    ("MonitorModel", "dynamodb:Query", HOUR),
    (
        "JudgeRollout",
        "cloudwatch:GetMetricData",
        ("cloudwatch", "get_metric_data", {"MetricDataQueries": [], "StartTime": 1, "EndTime": 2}),
    ),
    ("PlanDeployment", "sagemaker:DescribeModelPackage", ("sagemaker", "describe_model_package", PACKAGE)),
    ("PublishModel", "lambda:UpdateFunctionCode", aliased("update_function_code", ZipFile=b"x")),
    ("PublishModel", "sagemaker:CreateModel", MODEL_MADE),
    ("PublishModel", "sagemaker:AddTags", MODEL_MADE),
    ("PublishModel", "iam:PassRole", MODEL_MADE),
    ("ProbeVersion", "lambda:InvokeFunction", invoke("predict", Qualifier="7")),
    ("ShiftTraffic", "lambda:UpdateAlias", aliased("update_alias", Name="live")),
    ("PromoteModel", "lambda:DeleteFunction", aliased("delete_function", Qualifier="7")),
    ("PromoteModel", "sagemaker:ListEndpoints", ("sagemaker", "list_endpoints", {})),
    ("PromoteModel", "sagemaker:DeleteEndpoint", ("sagemaker", "delete_endpoint", {"EndpointName": "{endpoint}"})),
    ("RollBack", "sagemaker:DescribeEndpoint", ("sagemaker", "describe_endpoint", {"EndpointName": "{endpoint}"})),
    (
        "Predict",
        "sagemaker:InvokeEndpoint",
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "{endpoint}", "Body": b"x"}),
    ),
    ("RecordFeedback", "dynamodb:PutItem", LABEL),
    (
        "RecordFeedback",
        "dynamodb:BatchGetItem",
        ("dynamodb", "batch_get_item", {"RequestItems": {"{labels}": {"Keys": [LABELS]}}}),
    ),
    ("ReadFeedback", "s3:PutObject", put("data", f"feedback-reports/{MODEL}/x")),
    (
        "Deployment",
        "lambda:InvokeFunction",
        ("lambda", "invoke", {"FunctionName": "{publisher}", "InvocationType": "DryRun"}),
    ),
    ("Training", "sagemaker:CreateTrainingJob", job(f"{MODEL}-one")),
    ("Training", "sagemaker:AddTags", job(f"{MODEL}-one")),
    ("Training", "iam:PassRole", job(f"{MODEL}-one")),
    ("Training", "sagemaker:StopTrainingJob", ("sagemaker", "stop_training_job", {"TrainingJobName": f"{MODEL}-one"})),
    ("Jobs", "s3:GetObject", get("data", f"objects/{MODEL}/b")),
    ("Jobs", "kms:Decrypt", get("data", f"objects/{MODEL}/b")),
    ("Jobs", "kms:GenerateDataKey", put("artifacts", f"runs/{MODEL}/x")),
    (
        "Jobs",
        "logs:PutLogEvents",
        ("logs", "put_log_events", {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamName": "a", **LINES}),
    ),
    ("Endpoint", "s3:GetObject", get("artifacts", f"runs/{MODEL}/x")),
    ("PredictionLogDeliver", "s3:PutObject", put("data", f"predictions/{MODEL}/x")),
    ("PredictionLogDeliver", "kms:GenerateDataKey", put("data", f"predictions/{MODEL}/x")),
    (
        "PredictionLogSend",
        "firehose:PutRecord",
        ("firehose", "put_record", {"DeliveryStreamName": "{stream}", "Record": {"Data": b"x"}}),
    ),
    ("VersionCut", "states:StartExecution", execution("start_execution", "training")),
    ("Approved", "states:StartExecution", execution("start_execution", "deployment")),
    ("Updated", "states:StartExecution", execution("start_execution", "deployment")),
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account_in(tmp_path_factory.mktemp("permissions")) as found:
        tagged = {"Bucket": found.words["data"], "Key": f"incoming/{MODEL}/a", "Body": b"x", "Tagging": "a=b"}
        version = found.client("s3").put_object(**tagged)["VersionId"]
        found.client("s3").put_object(Bucket=found.words["data"], Key=f"objects/{MODEL}/b", Body=b"x")
        yield found.with_words(version=version)


def test_every_role_of_the_stacks_has_a_denied_action_here(account: Account) -> None:
    assert set(DENIED) == set(account.roles)


@pytest.mark.parametrize("role", sorted(DENIED))
def test_a_role_is_refused_what_is_not_its_own(account: Account, role: str) -> None:
    action, call = DENIED[role]
    assert account.refusal(role, call) == action
    assert account.refusal(None, call) is None, "the operator may"


@pytest.mark.parametrize(
    ("role", "action", "call"), EDGES, ids=[f"{role}-{action}-{i}" for i, (role, action, _) in enumerate(EDGES)]
)
def test_a_grant_that_is_taken_away_is_missed(account: Account, role: str, action: str, call: Ask) -> None:
    assert account.refusal(role, call) is None
    with account.without(role, action):
        assert str(account.refusal(role, call)).lower() == action.lower()
    assert account.refusal(role, call) is None


def test_a_grant_counts_as_used_once_it_allowed_a_call(account: Account) -> None:
    def told(state: str) -> list[str]:
        found = granted(account.authority)["roles"][account.roles["ReplayCandidate"].rpartition("/")[2]]
        return [action for _, action, _ in found[state]]

    assert "s3:PutObject" in told("unused")
    assert account.refusal("ReplayCandidate", put("artifacts", f"runs/{MODEL}/replayed")) is None
    assert "s3:PutObject" in told("used")
    assert "s3:PutObject" not in told("unused")


def test_a_call_that_no_role_makes_is_refused_by_name(account: Account) -> None:
    with pytest.raises(Exception, match="does not know what s3:GetBucketAcl needs"):
        account.client("s3", "CutVersion").get_bucket_acl(Bucket=account.words["data"])


SERVICES: list[tuple[str, str, Ask]] = [
    ("events.amazonaws.com", "rule", ("sqs", "SendMessage", {"QueueUrl": "{looks}"})),
    ("events.amazonaws.com", "rule", ("sqs", "SendMessage", {"QueueUrl": "{lost}"})),
    ("cloudwatch.amazonaws.com", "alarm", ("sns", "Publish", {"TopicArn": "{topic}"})),
]
"""What services do by themselves, by the policies of queues and of the topic."""


@pytest.mark.parametrize(("service", "source", "call"), SERVICES)
def test_a_service_reaches_what_the_resources_policy_opens_to_it(
    account: Account, service: str, source: str, call: Ask
) -> None:
    def refused() -> bool:
        acting = Acting(service, f"arn:aws:{service.partition('.')[0]}:{REGION}:{ACCOUNT}:{source}/one")
        return account.refused_to(account.authority.service, acting, *account.filled(list(call)))

    assert not refused()
    assert account.refused_to(
        account.authority.service, Acting("s3.amazonaws.com", "arn:aws:s3:::x"), *account.filled(list(call))
    )
    with closed(account, call[2]):
        assert refused()
    assert not refused()


@contextmanager
def closed(account: Account, resource: dict[str, str]) -> Iterator[None]:
    """Take its policy from a queue or a topic, for a while."""
    named = account.filled(resource)
    if "QueueUrl" in named:
        sqs = account.client("sqs")
        policy = sqs.get_queue_attributes(**named, AttributeNames=["Policy"])["Attributes"]["Policy"]
        sqs.set_queue_attributes(**named, Attributes={"Policy": ""})
        yield
        sqs.set_queue_attributes(**named, Attributes={"Policy": policy})
    else:
        sns = account.client("sns")
        policy = sns.get_topic_attributes(**named)["Attributes"]["Policy"]
        nobody = [one for one in json.loads(policy)["Statement"] if one["Effect"] == "Deny"]
        denied = json.dumps({"Version": "2012-10-17", "Statement": nobody})
        sns.set_topic_attributes(**named, AttributeName="Policy", AttributeValue=denied)
        yield
        sns.set_topic_attributes(**named, AttributeName="Policy", AttributeValue=policy)


def test_rules_and_the_api_reach_functions_by_a_permission_of_their_own_each(account: Account) -> None:
    client, reached = account.client("lambda"), []
    for function in [one["FunctionName"] for one in client.list_functions()["Functions"]]:
        for arn in (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function}{end}" for end in ("", ":live")):
            for statement in account.engine_policy(arn):
                service, source = statement["Principal"]["Service"], statement["Condition"]["ArnLike"]["AWS:SourceArn"]
                acting, asked = Acting(service, source.replace("/*/", "/$default/")), {"FunctionName": arn}
                assert not account.refused_to(account.authority.service, acting, "lambda", "Invoke", asked)
                named = {"FunctionName": function, "StatementId": statement["Sid"]}
                named |= {"Qualifier": "live"} if arn.endswith(":live") else {}
                client.remove_permission(**named)
                others = {one["Sid"] for one in account.engine_policy(arn)}
                assert account.refused_to(account.authority.service, acting, "lambda", "Invoke", asked), others
                add = {"Principal": service, "SourceArn": source, "Action": statement["Action"]}
                client.add_permission(**named, **add)
                reached.append((function, service))
    assert len([one for one in reached if one[1] == "events.amazonaws.com"]) >= 7
    assert len([one for one in reached if one[1] == "apigateway.amazonaws.com"]) == 6


@pytest.mark.parametrize(
    ("sid", "acting", "action", "context"),
    [
        ("Alarms", Acting("cloudwatch.amazonaws.com", "arn:aws:cloudwatch:us-east-1:1:alarm:a"), "kms:Decrypt", {}),
        (
            "Logs",
            Acting(f"logs.{REGION}.amazonaws.com", ""),
            "kms:GenerateDataKey",
            {"kms:encryptioncontext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:a"},
        ),
    ],
)  # fmt: skip
def test_a_service_uses_the_key_by_its_own_statement_of_the_keys_policy(
    account: Account, sid: str, acting: Acting, action: str, context: dict[str, str]
) -> None:
    kms, key, need = account.client("kms"), {"KeyId": account.words["key"]}, Need(action, account.words["key"], context)
    policy = kms.get_key_policy(**key, PolicyName="default")["Policy"]
    left = [one for one in json.loads(policy)["Statement"] if one.get("Sid") != sid]
    assert not account.refused_to(account.authority.require, acting, "", need)
    kms.put_key_policy(**key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": left}))
    assert account.refused_to(account.authority.require, acting, "", need)
    kms.put_key_policy(**key, PolicyName="default", Policy=policy)


def test_without_its_statement_of_the_keys_policy_no_log_group_takes_the_key(account: Account) -> None:
    kms, key = account.client("kms"), {"KeyId": account.words["key"]}
    policy = kms.get_key_policy(**key, PolicyName="default")["Policy"]
    left = [one for one in json.loads(policy)["Statement"] if one.get("Sid") != "Logs"]
    kms.put_key_policy(**key, PolicyName="default", Policy=json.dumps({"Version": "2012-10-17", "Statement": left}))
    asked: Ask = ("logs", "create_log_group", {"logGroupName": "one", "kmsKeyId": "{key}"})
    assert account.refusal(None, asked) == ""
    kms.put_key_policy(**key, PolicyName="default", Policy=policy)
    assert account.refusal(None, asked) is None


@pytest.mark.parametrize(
    ("role", "error", "call"),
    [
        ("Jobs", "Could not assume role", job(f"{MODEL}-two")),
        ("Endpoint", "Could not assume role", MODEL_MADE),
        (
            "StartRun",
            "cannot be assumed by Lambda",
            ("lambda", "update_function_configuration", {"FunctionName": "{starter}", "Role": "{started}"}),
        ),
    ],
)
def test_a_role_that_does_not_trust_its_service_is_not_taken(
    account: Account, role: str, error: str, call: Ask
) -> None:
    iam, arn = account.client("iam"), account.roles[role]
    name = arn.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    other = json.dumps(trust).replace("sagemaker", "ec2").replace("lambda", "ec2")
    service, operation, parameters = call
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=other)
    with pytest.raises(Exception, match=error):
        getattr(account.client(service), operation)(**account.with_words(started=arn).filled(parameters))
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))


@pytest.mark.parametrize(
    ("action", "error"),
    [("events:PutRule", "managed-rule"), ("logs:CreateLogDelivery", "Log Destination")],
)
def test_step_functions_tries_out_what_it_does_by_itself_when_a_machine_is_changed(
    account: Account, action: str, error: str
) -> None:
    client, arn = account.client("stepfunctions"), account.words["training"]
    found = client.describe_state_machine(stateMachineArn=arn)
    given = {name: found[name] for name in ("definition", "roleArn", "loggingConfiguration")}
    client.update_state_machine(stateMachineArn=arn, **given)
    with account.without("Training", action), pytest.raises(Exception, match=error):
        client.update_state_machine(stateMachineArn=arn, **given)


def test_without_leave_to_pull_the_image_sagemaker_takes_no_job(account: Account) -> None:
    _, operation, parameters = job(f"{MODEL}-three")
    image = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    asked = account.filled(parameters) | {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"}
    }
    with pytest.raises(Exception, match="must give its ContainerEntrypoint"):
        getattr(account.client("sagemaker"), operation)(**asked)
    with account.without("Jobs", "ecr:BatchGetImage"), pytest.raises(Exception, match="Using ECR image"):
        getattr(account.client("sagemaker"), operation)(**asked)
