"""CloudFormation resource types that LocalStack's services can do and its CloudFormation does not know, or not well."""

import json
from typing import Any, ClassVar

from localstack.services.cloudformation.provider_utils import generate_default_name
from localstack.services.cloudformation.resource_provider import (
    CloudFormationResourceProviderPlugin,
    OperationStatus,
    ProgressEvent,
    ResourceProvider,
    ResourceRequest,
)
from localstack.services.kinesisfirehose.resource_providers.aws_kinesisfirehose_deliverystream import (
    KinesisFirehoseDeliveryStreamProvider,
)


def _done(model: dict[str, Any]) -> ProgressEvent:
    return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model)


class MetricFilter(ResourceProvider):  # type: ignore[misc]
    """AWS::Logs::MetricFilter."""

    SCHEMA: ClassVar[dict[str, list[str]]] = {
        "primaryIdentifier": ["/properties/LogGroupName", "/properties/FilterName"]
    }

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Put the filter."""
        model = request.desired_state
        model.setdefault("FilterName", generate_default_name(request.stack_name, request.logical_resource_id))
        request.aws_client_factory.logs.put_metric_filter(
            logGroupName=model["LogGroupName"],
            filterName=model["FilterName"],
            filterPattern=model["FilterPattern"],
            metricTransformations=[
                {f"{name[0].lower()}{name[1:]}": value for name, value in made.items()}
                for made in model["MetricTransformations"]
            ],
        )
        return _done(model)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Delete the filter."""
        model = request.desired_state
        request.aws_client_factory.logs.delete_metric_filter(
            logGroupName=model["LogGroupName"], filterName=model["FilterName"]
        )
        return _done({})


class Dashboard(ResourceProvider):  # type: ignore[misc]
    """AWS::CloudWatch::Dashboard."""

    SCHEMA: ClassVar[dict[str, list[str]]] = {"primaryIdentifier": ["/properties/DashboardName"]}

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Put the dashboard."""
        model = request.desired_state
        model.setdefault("DashboardName", generate_default_name(request.stack_name, request.logical_resource_id))
        body = model["DashboardBody"]
        request.aws_client_factory.cloudwatch.put_dashboard(
            DashboardName=model["DashboardName"], DashboardBody=body if isinstance(body, str) else json.dumps(body)
        )
        return _done(model)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Delete the dashboard."""
        request.aws_client_factory.cloudwatch.delete_dashboards(DashboardNames=[request.desired_state["DashboardName"]])
        return _done({})


class DeliveryStream(KinesisFirehoseDeliveryStreamProvider):  # type: ignore[misc]
    """AWS::KinesisFirehose::DeliveryStream without a name in the template, which LocalStack's own forgets half way."""

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Name the stream, then let LocalStack make it."""
        name = generate_default_name(request.stack_name, request.logical_resource_id)
        request.desired_state.setdefault("DeliveryStreamName", name)
        return super().create(request)


class ModelPackageGroup(ResourceProvider):  # type: ignore[misc]
    """AWS::SageMaker::ModelPackageGroup: nothing but its ARN, which policies name; there is no SageMaker here.

    LocalStack would give it the ARN "unknown", and then refuse the policies. It is reported as LocalStack reports what
    it did not make, so that nobody takes it for a group.
    """

    SCHEMA: ClassVar[dict[str, list[str]]] = {"primaryIdentifier": ["/properties/ModelPackageGroupArn"]}

    def create(self, request: ResourceRequest) -> ProgressEvent:
        """Make the ARN."""
        model = request.desired_state
        place = f"{request.region_name}:{request.account_id}"
        model["ModelPackageGroupArn"] = (
            f"arn:aws:sagemaker:{place}:model-package-group/{model['ModelPackageGroupName']}"
        )
        said = "Resource type AWS::SageMaker::ModelPackageGroup is not supported but was deployed as a fallback"
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=model, message=said)

    def delete(self, request: ResourceRequest) -> ProgressEvent:
        """Nothing was made."""
        return _done({})


class MetricFilters(CloudFormationResourceProviderPlugin):  # type: ignore[misc]
    """Plugs in `MetricFilter`."""

    name = "AWS::Logs::MetricFilter"
    factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        """Set `factory`, which LocalStack calls."""
        self.factory = MetricFilter


class Dashboards(CloudFormationResourceProviderPlugin):  # type: ignore[misc]
    """Plugs in `Dashboard`."""

    name = "AWS::CloudWatch::Dashboard"
    factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        """Set `factory`, which LocalStack calls."""
        self.factory = Dashboard


class DeliveryStreams(CloudFormationResourceProviderPlugin):  # type: ignore[misc]
    """Plugs in `DeliveryStream`."""

    name = "AWS::KinesisFirehose::DeliveryStream"
    factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        """Set `factory`, which LocalStack calls."""
        self.factory = DeliveryStream


class ModelPackageGroups(CloudFormationResourceProviderPlugin):  # type: ignore[misc]
    """Plugs in `ModelPackageGroup`."""

    name = "AWS::SageMaker::ModelPackageGroup"
    factory: type[ResourceProvider] | None = None

    def load(self) -> None:
        """Set `factory`, which LocalStack calls."""
        self.factory = ModelPackageGroup
