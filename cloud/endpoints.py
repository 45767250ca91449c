"""SageMaker serverless endpoints: one per model that Lambda cannot score, with its configuration and its model."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cloud.faults import code, translated
from lifecycle.errors import NotReady, PromotionRejected

VARIANT = "AllTraffic"
ENVIRONMENT = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
CHANGING = ("Creating", "Updating", "SystemUpdating", "RollingBack")
REFUSED = "ValidationException"  # of a name that is not there, or taken already: these calls have no other code


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """An endpoint to have: `archive` is the s3:// address of its model.tar.gz, `size` its ServerlessConfig."""

    name: str
    image: str
    archive: str
    role_arn: str
    size: Mapping[str, int]
    tags: Sequence[Mapping[str, str]]


class Endpoints:
    """Endpoints of the account. Model, configuration and endpoint have one name."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def need(self, wanted: Wanted) -> None:
        """Have an endpoint in service; an endpoint that an earlier try made is used.

        Raises
        ------
        NotReady
            until it is in service.
        PromotionRejected
            when it failed, with SageMaker's reason; it is deleted, so that a later deployment tries anew.
        """
        status, reason = self.status(wanted.name)
        if status is None:
            self._create(wanted)
            status = "Creating"
        if status == "Failed":
            self.delete(wanted.name)
            raise PromotionRejected(f"endpoint {wanted.name} did not come into service: {reason}")
        if status != "InService":
            raise NotReady(f"endpoint {wanted.name} is {status}; try again when it is InService")

    def names(self, prefix: str) -> list[str]:
        """Return the names `<prefix><number>-<8 hex>` of endpoints, sorted: another model's may begin alike."""
        pages = self._sagemaker.get_paginator("list_endpoints").paginate(NameContains=prefix)
        with translated(f"list endpoints {prefix}*"):
            found = [entry["EndpointName"] for page in pages for entry in page["Endpoints"]]
        own = re.compile(rf"{re.escape(prefix)}\d+-[0-9a-f]{{8}}")
        return sorted(name for name in found if own.fullmatch(name))

    def status(self, name: str) -> tuple[str | None, str]:
        """Return (EndpointStatus, SageMaker's reason of a failure); the status is None when there is no endpoint."""
        try:
            with translated(f"describe endpoint {name}"):
                found = self._sagemaker.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if code(error) == REFUSED:
                return None, ""
            raise
        return found["EndpointStatus"], found.get("FailureReason", "")

    def delete(self, name: str) -> None:
        """Delete an endpoint, its configuration and its model; what is gone already is no error.

        Raises NotReady while the endpoint is being created or changed, when SageMaker refuses to delete it.
        """
        status, _ = self.status(name)
        if status in CHANGING:
            raise NotReady(f"endpoint {name} is {status}; try again when it is InService or Failed")
        if status not in (None, "Deleting"):
            with translated(f"delete endpoint {name}"):
                self._sagemaker.delete_endpoint(EndpointName=name)
        self._delete_parts(name)

    def _delete_parts(self, name: str) -> None:
        for operation, member in (("delete_endpoint_config", "EndpointConfigName"), ("delete_model", "ModelName")):
            try:
                with translated(f"{operation} {name}"):
                    getattr(self._sagemaker, operation)(**{member: name})
            except ClientError as error:
                if code(error) != REFUSED:
                    raise

    def _create(self, wanted: Wanted) -> None:
        """Create model, configuration and endpoint; model and configuration of an earlier try have the same content.

        Raises NotReady when SageMaker does not take the endpoint yet: a configuration, as a role, is known everywhere
        only after a while (API reference, CreateEndpointConfig).
        """
        container = {"Image": wanted.image, "ModelDataUrl": wanted.archive, "Environment": ENVIRONMENT}
        variant = {"VariantName": VARIANT, "ModelName": wanted.name, "ServerlessConfig": dict(wanted.size)}
        asked: list[tuple[str, dict[str, Any]]] = [
            (
                "create_model",
                {"ModelName": wanted.name, "PrimaryContainer": container, "ExecutionRoleArn": wanted.role_arn},
            ),
            ("create_endpoint_config", {"EndpointConfigName": wanted.name, "ProductionVariants": [variant]}),
            ("create_endpoint", {"EndpointName": wanted.name, "EndpointConfigName": wanted.name}),
        ]
        refused = [self._refused(operation, request, wanted) for operation, request in asked]
        if refused[-1]:
            said = "; ".join(text for text in refused if text)
            raise NotReady(f"endpoint {wanted.name} cannot be created yet, trying again may help: {said}")

    def _refused(self, operation: str, request: Mapping[str, Any], wanted: Wanted) -> str | None:
        """Return what SageMaker says against a request that is there already, or comes too early; None when done."""
        try:
            with translated(f"{operation} {wanted.name}"):
                getattr(self._sagemaker, operation)(**request, Tags=[dict(tag) for tag in wanted.tags])
        except ClientError as error:
            if code(error) != REFUSED:
                raise
            return str(error)
        return None
