"""Whether SageMaker may assume a role."""

import json

from botocore.exceptions import ClientError

from local.api import ApiError, Clients
from local.jobs.requests import invalid


def check_role(clients: Clients, role_arn: str) -> None:
    """Raise ApiError (ValidationException) unless the role exists and trusts SageMaker: it is assumed on creation."""
    try:
        role = clients("iam").get_role(RoleName=role_arn.rsplit("/", 1)[-1])["Role"]
    except ClientError as error:
        raise _not_assumable(role_arn) from error
    if "sagemaker.amazonaws.com" not in json.dumps(role["AssumeRolePolicyDocument"]) or role["Arn"] != role_arn:
        raise _not_assumable(role_arn)


def _not_assumable(role_arn: str) -> ApiError:
    return invalid(
        f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )
