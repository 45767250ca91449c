"""What the CDK's command line asks beside the stacks: refused in words for whoever reads them in a terminal."""

from typing import Any, Final, NoReturn

from local.api import ACCOUNT, ApiError, Caller, Operations

DEPLOY: Final = (
    "The laptop engine does not deploy by CloudFormation. End it (Ctrl-C where it runs) and run `perennial local up`: "
    "it synthesizes and deploys every stack of the checkout. To deploy on AWS: unset AWS_ENDPOINT_URL first."
)
_CHANGING: Final = ("CreateChangeSet", "CreateStack", "UpdateStack")


def operations() -> Operations:
    """Return the answers by (service, operation)."""
    return {
        ("sts", "AssumeRole"): _no_role,
        ("cloudformation", "DescribeChangeSet"): _unknown,
        ("cloudformation", "DeleteChangeSet"): _nothing_to_delete,
        **{("cloudformation", name): _no_deployment for name in _CHANGING},
    }


def _no_role(parameters: dict[str, Any], _: Caller) -> NoReturn:
    # nobody bootstraps the laptop, so there are none of bootstrapping's roles; the CDK goes on with the operator's keys
    raise ApiError(
        "AccessDenied",
        f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: sts:AssumeRole on resource: "
        f"{parameters['RoleArn']}",
        403,
    )


def _unknown(parameters: dict[str, Any], _: Caller) -> NoReturn:
    raise ApiError("ChangeSetNotFound", f"ChangeSet [{parameters['ChangeSetName']}] does not exist", 404)


def _nothing_to_delete(_: dict[str, Any], __: Caller) -> dict[str, Any]:
    # the CDK deletes the change set of a deployment before, made or not; AWS answers with success
    return {}


def _no_deployment(_: dict[str, Any], __: Caller) -> NoReturn:
    raise ApiError("ValidationError", DEPLOY)
