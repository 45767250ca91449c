"""The model registry keeps AWS's rules where moto alone does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.iam_world import allow, make_role
from tests.local.jobs_world import Account, account_in

SPECIFICATION = {
    "Containers": [{"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/i:1", "ModelDataUrl": "s3://b/m.tar.gz"}],
    "SupportedContentTypes": ["application/json"],
    "SupportedResponseMIMETypes": ["application/json"],
}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with account_in(tmp_path) as made:
        made.sagemaker.create_model_package_group(ModelPackageGroupName="group")
        yield made


def register(account: Account, **more: Any) -> str:
    given = {"ModelPackageGroupName": "group", "InferenceSpecification": SPECIFICATION, **more}
    return str(account.sagemaker.create_model_package(**given)["ModelPackageArn"])


def test_registering_and_approving_each_send_an_event(account: Account) -> None:
    arn = register(account, ModelApprovalStatus="PendingManualApproval", CustomerMetadataProperties={"run_id": "r"})
    account.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    first, second = (event["detail"] for event in account.events)
    assert (first["ModelApprovalStatus"], second["ModelApprovalStatus"]) == ("PendingManualApproval", "Approved")
    assert (second["ModelPackageGroupName"], second["ModelPackageVersion"]) == ("group", 1)
    assert second["ModelPackageArn"] == arn


def test_an_approval_keeps_the_properties_and_says_who_gave_it(account: Account) -> None:
    arn = register(account, CustomerMetadataProperties={"run_id": "r"})
    arn_of_role = make_role(account.clients("iam"), "approver", "lambda.amazonaws.com", allow("sagemaker:Update*"))
    role = account.clients("sagemaker", arn_of_role)
    role.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    described = account.sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["CustomerMetadataProperties"] == {"run_id": "r"}
    assert described["ApprovalDescription"] == "good"
    assert described["LastModifiedBy"]["IamIdentity"]["Arn"].endswith("role/approver")


def test_the_same_token_registers_once(account: Account) -> None:
    assert register(account, ClientToken="t") == register(account, ClientToken="t")
    assert len(account.events) == 1


def test_a_version_number_is_never_used_twice(account: Account) -> None:
    first, second = register(account), register(account)
    account.sagemaker.delete_model_package(ModelPackageName=first)
    third = register(account)
    assert third not in (first, second)
    left = account.sagemaker.list_model_packages(ModelPackageGroupName="group")["ModelPackageSummaryList"]
    assert {package["ModelPackageArn"] for package in left} == {second, third}


def test_only_an_empty_group_can_be_deleted(account: Account) -> None:
    arn = register(account)
    with pytest.raises(ClientError, match="ConflictException"):
        account.sagemaker.delete_model_package_group(ModelPackageGroupName="group")
    account.sagemaker.delete_model_package(ModelPackageName=arn)
    account.sagemaker.delete_model_package_group(ModelPackageGroupName="group")
    assert account.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []


GROUP_ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/group"


def test_an_unknown_package_cannot_be_approved(account: Account) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        account.sagemaker.update_model_package(ModelPackageArn=f"{GROUP_ARN}/9", ModelApprovalStatus="Approved")
