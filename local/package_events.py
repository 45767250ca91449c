"""SageMaker requests that changed a model package -> "SageMaker Model Package State Change" events.

Source of the detail: SageMaker developer guide, "Automating Amazon SageMaker AI with Amazon EventBridge".
"""

import json

from lifecycle.names import MODEL_PACKAGE_CHANGED
from local.api import Emit
from local.clients import Clients
from local.wire import HttpAnswer, HttpCall

_CHANGES = frozenset({"SageMaker.CreateModelPackage", "SageMaker.UpdateModelPackage"})
_TOLD = (
    *("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription"),
    *("InferenceSpecification", "ModelPackageStatus", "ModelPackageStatusDetails", "ModelApprovalStatus"),
    *("ApprovalDescription", "CustomerMetadataProperties"),
)


class PackageEvents:
    """An observer of answered SageMaker calls that emits one event per model package changed."""

    def __init__(self, clients: Clients, emit: Emit) -> None:
        self._clients = clients
        self._emit = emit

    def __call__(self, call: HttpCall, answer: HttpAnswer) -> None:
        """Look at one call that SageMaker answered with success."""
        if call.headers.get("x-amz-target") not in _CHANGES:
            return
        arn = json.loads(answer.body)["ModelPackageArn"]
        package = self._clients.client("sagemaker").describe_model_package(ModelPackageName=arn)
        detail = {name: package[name] for name in _TOLD if name in package}
        detail["CreationTime"] = package["CreationTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z")
        self._emit("aws.sagemaker", MODEL_PACKAGE_CHANGED, detail, [arn])
