"""What calls to Lambda, Step Functions, SageMaker, EventBridge, CloudWatch, API Gateway and Firehose need.

Source: Service Authorization Reference; Lambda developer guide, "Fine-tuning the Resources and Conditions sections of
policies": where a call names a version or an alias, the resource is that one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from local.api import ACCOUNT
from local.iam.decision import Need
from local.iam.storage_needs import Needs, Parameters

_SAGEMAKER = "sagemaker.amazonaws.com"


def _function(action: str) -> Needs:
    def needs(given: Parameters, region: str) -> list[Need]:
        name, qualifier = str(given["FunctionName"]).removeprefix(_function_arn(region, "")), given.get("Qualifier")
        arn = name if name.startswith("arn:") else _function_arn(region, name)
        return [Need(f"lambda:{action}", f"{arn}:{qualifier}" if qualifier else arn)]

    return needs


def _function_arn(region: str, name: str) -> str:
    return f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"


def _member(action: str, member: str) -> Needs:
    """Return the needs of an action on what a parameter names by its ARN."""
    return lambda given, _: [Need(action, given[member])]


def _everything(action: str) -> Needs:
    """Return the needs of an action without resource-level permissions."""
    return lambda _, __: [Need(action, "*")]


def _arn(region: str, kind: str, name: str) -> str:
    # the API keeps what it is given; ARNs of jobs and endpoints are in lower case
    return name if name.startswith("arn:") else f"arn:aws:sagemaker:{region}:{ACCOUNT}:{kind}/{name}"


def _named(verb: str, title: str, kind: str) -> Needs:
    """Return the needs of an action on what `<title>Name` names."""
    return lambda given, region: [Need(f"sagemaker:{verb}{title}", _arn(region, kind, given[f"{title}Name"]))]


def _created(title: str, kind: str, role: str | None = None) -> Needs:
    """Return the needs of a creation: with tags one more, and the role that it hands over to SageMaker."""

    def needs(given: Parameters, region: str) -> list[Need]:
        arn = _arn(region, kind, given[f"{title}Name"])
        tagging = [Need("sagemaker:AddTags", arn)] if given.get("Tags") else []
        passed = {"iam:passedtoservice": _SAGEMAKER}
        passing = [Need("iam:PassRole", given[role], passed)] if role else []
        return [Need(f"sagemaker:Create{title}", arn), *tagging, *passing]

    return needs


def _create_endpoint(given: Parameters, region: str) -> list[Need]:
    config = _arn(region, "endpoint-config", given["EndpointConfigName"])
    return [*_created("Endpoint", "endpoint")(given, region), Need("sagemaker:CreateEndpoint", config)]


def _package(verb: str, member: str) -> Needs:
    return lambda given, region: [Need(f"sagemaker:{verb}ModelPackage", _arn(region, "model-package", given[member]))]


def _create_package(given: Parameters, region: str) -> list[Need]:
    """A package of a group gets its number while it is made, so that both are asked for the group's packages."""
    group = given["ModelPackageGroupName"].rpartition("/")[2]
    return [
        Need("sagemaker:CreateModelPackage", _arn(region, "model-package-group", group)),
        Need("sagemaker:CreateModelPackage", _arn(region, "model-package", f"{group}/*")),
    ]


def _list_packages(given: Parameters, region: str) -> list[Need]:
    group = given["ModelPackageGroupName"].rpartition("/")[2]
    return [Need("sagemaker:ListModelPackages", _arn(region, "model-package-group", group))]


def _put_events(given: Parameters, region: str) -> list[Need]:
    bus = f"arn:aws:events:{region}:{ACCOUNT}:event-bus/default"
    return [Need("events:PutEvents", bus, {"events:source": entry.get("Source", "")}) for entry in given["Entries"]]


def _put_metrics(given: Parameters, _: str) -> list[Need]:
    return [Need("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": given["Namespace"]})]


def _routes(given: Parameters, region: str) -> list[Need]:
    return [Need("apigateway:GET", f"arn:aws:apigateway:{region}::/apis/{given['ApiId']}/routes")]


def _records(action: str) -> Needs:
    return lambda given, region: [
        Need(
            f"firehose:{action}",
            f"arn:aws:firehose:{region}:{ACCOUNT}:deliverystream/{given['DeliveryStreamName']}",
        )
    ]


def _of(service: str, needs: Mapping[str, Needs]) -> Iterator[tuple[tuple[str, str], Needs]]:
    return (((service, operation), need) for operation, need in needs.items())


_FUNCTIONS = (
    *("GetFunction", "GetFunctionConfiguration", "GetAlias", "UpdateAlias", "ListVersionsByFunction"),
    *("UpdateFunctionCode", "PublishVersion", "DeleteFunction"),
)
_JOBS: Mapping[str, Any] = {"TrainingJob": "training-job", "ProcessingJob": "processing-job"}
_SERVED: Mapping[str, Any] = {"Endpoint": "endpoint", "EndpointConfig": "endpoint-config", "Model": "model"}

SERVICES: Mapping[tuple[str, str], Needs] = dict(
    (
        *_of("lambda", {"Invoke": _function("InvokeFunction"), **{name: _function(name) for name in _FUNCTIONS}}),
        *_of(
            "states",
            {
                "StartExecution": _member("states:StartExecution", "stateMachineArn"),
                "DescribeExecution": _member("states:DescribeExecution", "executionArn"),
            },
        ),
        *_of(
            "sagemaker",
            {
                **{f"Create{title}": _created(title, kind, "RoleArn") for title, kind in _JOBS.items()},
                **{f"{v}{title}": _named(v, title, k) for v in ("Describe", "Stop") for title, k in _JOBS.items()},
                **{f"Delete{title}": _named("Delete", title, kind) for title, kind in _SERVED.items()},
                "DescribeEndpoint": _named("Describe", "Endpoint", "endpoint"),
                "CreateModel": _created("Model", "model", "ExecutionRoleArn"),
                "CreateEndpointConfig": _created("EndpointConfig", "endpoint-config"),
                "CreateEndpoint": _create_endpoint,
                "ListEndpoints": _everything("sagemaker:ListEndpoints"),
                "CreateModelPackage": _create_package,
                "DescribeModelPackage": _package("Describe", "ModelPackageName"),
                "UpdateModelPackage": _package("Update", "ModelPackageArn"),
                "ListModelPackages": _list_packages,
            },
        ),
        *_of("runtime.sagemaker", {"InvokeEndpoint": _named("Invoke", "Endpoint", "endpoint")}),
        *_of("events", {"PutEvents": _put_events}),
        *_of("monitoring", {"PutMetricData": _put_metrics, "GetMetricData": _everything("cloudwatch:GetMetricData")}),
        *_of("apigatewayv2", {"GetRoutes": _routes}),
        *_of("firehose", {name: _records(name) for name in ("PutRecord", "PutRecordBatch")}),
    )
)
