"""A gate's verdict and the stage's approval policy -> how the winner enters the registry."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lifecycle import keys
from lifecycle.spec import ModelSpec

AUTO: Final = "auto"
DESCRIPTION_LENGTH: Final = 1024
TOKEN_LENGTH: Final = 36
PROPERTY_LENGTH: Final = 256  # SageMaker: CustomerMetadataValue


class Approval(StrEnum):
    """SageMaker's ModelApprovalStatus."""

    APPROVED = "Approved"
    PENDING = "PendingManualApproval"
    REJECTED = "Rejected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """The status to create a package with, and the one to give it next (the same when nothing follows).

    A package is never created as approved: the approval is an update of its own, with its reason, like a person's.
    """

    first: Approval
    then: Approval
    reason: str


def decide(passed: bool, reasons: tuple[str, ...], policy: str) -> Registration:
    """Return how to register: refused by the gates, approved by the stage's policy, or left to a person."""
    text = one_line("; ".join(reasons))
    if not passed:
        return Registration(first=Approval.REJECTED, then=Approval.REJECTED, reason=text)
    if policy == AUTO:
        reason = one_line(f"approved by the stage's policy: {text}")
        return Registration(first=Approval.PENDING, then=Approval.APPROVED, reason=reason)
    return Registration(first=Approval.PENDING, then=Approval.PENDING, reason=text)


def one_line(text: str) -> str:
    """Return a text as SageMaker takes it for a description: one line, at most 1,024 characters."""
    line = " ".join(text.split())
    return line if len(line) <= DESCRIPTION_LENGTH else line[: DESCRIPTION_LENGTH - 3] + "..."


def property_of(text: str) -> str:
    """Return a sentence as SageMaker takes it for a property: letters, numbers, spaces and `_.:/=+-@`, 256 of them.

    >>> property_of("near: cannot be compiled; trees, forests can")
    'near: cannot be compiled - trees - forests can'
    """
    return one_line(re.sub(r"\s*[^\w\s.:/=+@-]+\s*", " - ", text)).strip()[:PROPERTY_LENGTH]


def client_token(run_id: str) -> str:
    """Return the token that makes registering a run twice register it once."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:TOKEN_LENGTH]


def properties(spec: ModelSpec, run_id: str, version: str, scorecard: Mapping[str, Any]) -> dict[str, str]:
    """Return what a deployment and a reader of the registry must know about a package."""
    found = {
        "run_id": run_id,
        "data_version": version,
        "contract_id": spec.contract.contract_id,
        "spec_id": spec.spec_id,
        "family": str(scorecard["winner"]["family"]),
        "compiled": keys.run(spec.model, run_id, "evaluation", "compiled.json"),
        "compiled_sha256": str(scorecard["compiled"]["sha256"]),
    }
    if scorecard.get("serving", {}).get("endpoint"):
        served = scorecard["serving"]
        found["endpoint"] = keys.run(spec.model, run_id, "evaluation", "endpoint.tar.gz")
        found["endpoint_sha256"] = str(served["endpoint"]["sha256"])
        found["serverless_because"] = property_of(served["reason"])
    return found | ({"features_sha256": spec.features_sha256} if spec.features_sha256 else {})


def request(spec: ModelSpec, run_id: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the CreateModelPackage request, group and token aside.

    `parts`: `image`, `artifacts` (s3:// address of the bucket, with a slash), `version`, `scorecard`, `registration`.
    """
    scorecard, registration = parts["scorecard"], parts["registration"]
    artifact = keys.run(spec.model, run_id, "train", scorecard["winner"]["job"], "output", "model.tar.gz")
    card = keys.run(spec.model, run_id, "evaluation", "scorecard.json")
    statistics = {"ContentType": "application/json", "S3Uri": parts["artifacts"] + card}
    return {
        "ModelPackageDescription": registration.reason,
        "ModelApprovalStatus": str(registration.first),
        "InferenceSpecification": {
            "Containers": [{"Image": parts["image"], "ModelDataUrl": parts["artifacts"] + artifact}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        "ModelMetrics": {"ModelQuality": {"Statistics": statistics}},
        "CustomerMetadataProperties": properties(spec, run_id, parts["version"], scorecard),
    }
