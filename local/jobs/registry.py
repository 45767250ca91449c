"""Model packages: moto keeps them; what it lacks is here - events, removal, tokens, numbers that are never used twice.

Facts about moto are of 5.2.5: UpdateModelPackage forgets the properties that are not given, ClientToken is ignored,
DeleteModelPackage and DeleteModelPackageGroup do not exist, the next version is the number of packages plus one.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from moto.sagemaker.models import SageMakerModelBackend, sagemaker_backends

from lifecycle import names
from local import moto_changes
from local.api import ACCOUNT, ApiError, Caller, Emit, Operation
from local.jobs.requests import invalid
from local.keeping import NOWHERE, Keep, kept
from local.moto_state import lock_of

_OPERATOR = f"arn:aws:iam::{ACCOUNT}:root"
# Source: SageMaker developer guide, "Automating Amazon SageMaker AI with Amazon EventBridge".
_TOLD = (
    *("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageDescription"),
    *("InferenceSpecification", "ModelPackageStatus", "ModelApprovalStatus"),
    *("ApprovalDescription", "CustomerMetadataProperties", "CertifyForMarketplace"),
)


class Registry:
    """The five operations on model packages that change something."""

    def __init__(self, emit: Emit, region: str, keep: Keep = NOWHERE) -> None:
        self._emit = emit
        self._region = region
        self._tokens: MutableMapping[tuple[str, str], str] = kept(keep, "registration tokens")
        self._deleted: MutableMapping[str, int] = kept(keep, "deleted packages")

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return what the gateway routes here."""
        return {
            ("sagemaker", "CreateModelPackage"): self.create,
            ("sagemaker", "UpdateModelPackage"): self.update,
            ("sagemaker", "DeleteModelPackage"): self.delete,
            ("sagemaker", "DeleteModelPackageGroup"): self.delete_group,
        }

    def create(self, given: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """CreateModelPackage: the same token twice registers once."""
        group = given.get("ModelPackageGroupName", "")
        token = (group, given.get("ClientToken", ""))
        with self._backend() as backend:
            if token[1] and token in self._tokens:
                return {"ModelPackageArn": self._tokens[token]}
            if group not in backend.model_package_groups:
                raise invalid(f"Model Package Group {group!r} does not exist; versions belong to a group")
            members = {_snake(key): value for key, value in given.items()}
            parameters = dict.fromkeys(list(inspect.signature(backend.create_model_package).parameters))
            if unknown := sorted(set(members) - set(parameters)):
                raise invalid(f"CreateModelPackage: the laptop engine does not know {', '.join(unknown)}")
            with self._places_of_deleted(backend, group):
                arn = backend.create_model_package(**{**parameters, "certify_for_marketplace": False, **members})
            if backend.model_packages[arn].model_approval_status is None:
                backend.model_packages[arn].set_model_approval_status("PendingManualApproval")
            backend.model_packages[arn].created_by = _identity(caller)
            self._tokens[token] = arn
            detail = _detail(backend.model_packages[arn])
        self._announce(detail)
        return {"ModelPackageArn": arn}

    def update(self, given: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """UpdateModelPackage: what is not given stays."""
        with self._backend() as backend:
            package = _known(backend, given["ModelPackageArn"])
            if "ModelApprovalStatus" in given:
                package.set_model_approval_status(given["ModelApprovalStatus"])
            if "ApprovalDescription" in given:
                package.approval_description = given["ApprovalDescription"]
            properties = {**(package.customer_metadata_properties or {}), **given.get("CustomerMetadataProperties", {})}
            for key in given.get("CustomerMetadataPropertiesToRemove", []):
                properties.pop(key, None)
            package.customer_metadata_properties = properties
            package.modifications_done()
            package.last_modified_by = _identity(caller)
            detail = _detail(package)
        self._announce(detail)
        return {"ModelPackageArn": package.arn}

    def delete(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """DeleteModelPackage: its version number is not used again."""
        with self._backend() as backend:
            package = _known(backend, given["ModelPackageName"])
            del backend.model_packages[package.arn]
            backend.model_package_name_mapping.pop(package.arn, None)
            group = package.model_package_group_name
            self._deleted[group] = self._deleted.get(group, 0) + 1
        return {}

    def delete_group(self, given: dict[str, Any], _: Caller) -> dict[str, Any]:
        """DeleteModelPackageGroup: only an empty one can go."""
        name = given["ModelPackageGroupName"].rsplit("/", 1)[-1]
        with self._backend() as backend:
            group = backend.describe_model_package_group(name)
            if any(package.model_package_group_name == name for package in backend.model_packages.values()):
                message = f"Model Package Group {group.arn} cannot be deleted since it contains Model Packages"
                raise ApiError("ConflictException", message)
            del backend.model_package_groups[name]
            self._deleted.pop(name, None)
        return {}

    @contextmanager
    def _backend(self) -> Iterator[SageMakerModelBackend]:
        with lock_of("sagemaker"):
            yield sagemaker_backends[ACCOUNT][self._region]
            moto_changes.keep_whole("sagemaker")

    @contextmanager
    def _places_of_deleted(self, backend: SageMakerModelBackend, group: str) -> Iterator[None]:
        """Let moto count deleted packages, so that the next version gets a number of its own."""
        places: dict[str, Any] = {
            f"deleted {number}": SimpleNamespace(model_package_group_name=group)
            for number in range(self._deleted.get(group, 0))
        }
        backend.model_packages.update(places)
        try:
            yield
        finally:
            for place in places:
                del backend.model_packages[place]

    def _announce(self, detail: Mapping[str, Any]) -> None:
        self._emit("aws.sagemaker", names.MODEL_PACKAGE_CHANGED, detail, [detail["ModelPackageArn"]])


def _snake(member: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", member).lower()


def _known(backend: SageMakerModelBackend, name: str) -> Any:
    package = backend.model_packages.get(name)
    if package is None:
        raise invalid(f"ModelPackage {name} does not exist.")
    return package


def _identity(caller: Caller) -> dict[str, Any]:
    return {"IamIdentity": {"Arn": caller.role_arn or _OPERATOR}}


def _detail(package: Any) -> dict[str, Any]:
    described = package.gen_response_object()
    detail = {key: described[key] for key in _TOLD if key in described}
    changed = package.last_modified_time or package.creation_time
    return {
        **detail,
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreationTime": package.creation_time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "LastModifiedTime": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
