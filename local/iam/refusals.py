"""Refusals in the words of each service.

Source: IAM user guide, "Troubleshoot access denied error messages"; the codes from each service's common errors.
"""

from collections.abc import Mapping

from local.api import ACCOUNT, ApiError
from local.iam.decision import Denied, Need

_CODES: Mapping[str, tuple[str, int]] = {
    "s3": ("AccessDenied", 403),
    "sqs": ("AccessDenied", 403),
    "sns": ("AuthorizationError", 403),
    "monitoring": ("AccessDenied", 403),
    "lambda": ("AccessDeniedException", 403),
    "apigatewayv2": ("AccessDeniedException", 403),
    "runtime.sagemaker": ("AccessDeniedException", 400),
}
_SESSION = "laptop"


def user(role_arn: str) -> str:
    """Return how AWS's messages name a role that calls."""
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{role_arn.rpartition('/')[2]}/{_SESSION}"


def refused(service: str, who: str, need: Need, denied: Denied) -> ApiError:
    """Return the error that `service` answers when `who` may not do what a call needs."""
    code, status = _CODES.get(service, ("AccessDeniedException", 400))
    if service == "sns" and need.action.startswith("kms:"):
        code = "KMSAccessDenied"
    action, resource = _spelled(need.action), f'"{need.resource}"' if service == "s3" else need.resource
    why = denied.why.replace(need.action, action)
    return ApiError(code, f"User: {who} is not authorized to perform: {action} on resource: {resource} {why}", status)


def _spelled(action: str) -> str:
    """SNS writes its name in capitals, SQS its actions in small letters."""
    if action.startswith("sns:"):
        return action.replace("sns:", "SNS:")
    return action.lower() if action.startswith("sqs:") else action
