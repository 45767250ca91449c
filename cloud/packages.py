"""The SageMaker model registry: packages of one group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloud.faults import translated


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One model package. `approval` is SageMaker's ModelApprovalStatus; `by` is who changed it last, if known."""

    arn: str
    number: int
    approval: str
    properties: Mapping[str, str]
    description: str = ""
    by: str | None = None


class Packages:
    """One model package group."""

    def __init__(self, sagemaker: Any, group: str) -> None:
        self._sagemaker = sagemaker
        self._group = group

    def describe(self, arn: str) -> Package:
        """Return one package."""
        with translated(f"describe {arn}"):
            answer = self._sagemaker.describe_model_package(ModelPackageName=arn)
        changed = answer.get("LastModifiedBy") or {}
        identity = changed.get("IamIdentity") or {}
        return Package(
            arn=answer["ModelPackageArn"],
            number=int(answer["ModelPackageVersion"]),
            approval=answer["ModelApprovalStatus"],
            properties=answer.get("CustomerMetadataProperties") or {},
            description=answer.get("ApprovalDescription") or "",
            by=identity.get("Arn") or changed.get("UserProfileName"),
        )

    def all(self) -> list[Package]:
        """Return all packages of the group, newest first."""
        return [self.describe(arn) for arn in self._arns()]

    def of_run(self, run_id: str, since: float) -> Package | None:
        """Return the package that a run registered at or after `since` (epoch seconds), or None."""
        for arn in self._arns(CreationTimeAfter=datetime.fromtimestamp(int(since) - 1, UTC)):
            package = self.describe(arn)
            if package.properties.get("run_id") == run_id:
                return package
        return None

    def newest_approved(self) -> Package | None:
        """Return the approved package with the highest version number, or None.

        The group is read whole when many packages wait or were rejected after it; AWS filters by status.
        """
        found = [self.describe(arn) for arn in self._arns(ModelApprovalStatus="Approved")]
        approved = [package for package in found if package.approval == "Approved"]
        return max(approved, key=lambda package: package.number, default=None)

    def create(self, request: Mapping[str, Any], token: str) -> str:
        """Register a version in the group and return its ARN; the same token twice registers once (on AWS)."""
        with translated(f"register a model in {self._group}"):
            answer = self._sagemaker.create_model_package(
                ModelPackageGroupName=self._group, ClientToken=token, **request
            )
        return str(answer["ModelPackageArn"])

    def decide(self, arn: str, status: str, reason: str) -> None:
        """Set a package's approval status with the reason."""
        with translated(f"set {arn} to {status}"):
            self._sagemaker.update_model_package(
                ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=reason[:1024]
            )

    def _arns(self, **filters: Any) -> Iterator[str]:
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self._group, SortBy="CreationTime", SortOrder="Descending", **filters
        )
        with translated(f"list the models of {self._group}"):
            for page in pages:
                summaries: Sequence[Mapping[str, Any]] = page["ModelPackageSummaryList"]
                for summary in summaries:
                    yield str(summary["ModelPackageArn"])
