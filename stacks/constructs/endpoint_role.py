"""The role of a model's serverless endpoints, and what makes, asks and deletes them."""

from typing import Final

from constructs import Construct

from lifecycle import keys, names
from stacks import grants
from stacks.constructs.job_role import LOGIN, pull_image
from stacks.constructs.role import Grant, role
from stacks.imported import Shared, regional_arn

_WHY: Final = "endpoints get their names while the system runs; they begin with the stage's and the model's"


class EndpointRole(Construct):
    """What an endpoint's container host may do: fetch archives of the model's runs, and the image; `arn` names it."""

    def __init__(self, scope: Construct, model: str, shared: Shared, region: str) -> None:
        super().__init__(scope, "Endpoint")
        logs = Grant(
            actions=("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
            resources=(
                regional_arn("logs", f"log-group:/aws/sagemaker/Endpoints/{names.endpoints(shared.stage, model)}*"),
            ),
            why=_WHY,
        )
        own = keys.runs(model)
        fetch = [grants.read_objects(shared.artifact_bucket, own), grants.list_objects(shared.artifact_bucket, own)]
        made = role(
            self,
            "sagemaker.amazonaws.com",
            [*fetch, grants.use_key(shared.key_arn), pull_image(region), LOGIN, logs],
        )
        self.arn = made.attr_arn


def make(stage: str, model: str, role_arn: str) -> list[Grant]:
    """Return what a function needs to create a model's endpoints and to look at them."""
    passing = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    config = _arns(stage, model)[1]
    return [
        *_each(stage, model, "AddTags", "Create", "Delete"),
        Grant(actions=("sagemaker:CreateEndpoint",), resources=(config,), why=_WHY),  # it is asked for both
        describe(stage, model),
        Grant(actions=("iam:PassRole",), resources=(role_arn,), condition=passing),
    ]


def delete(stage: str, model: str) -> list[Grant]:
    """Return what a function needs to delete a model's endpoints."""
    return [*_each(stage, model, "Delete"), describe(stage, model)]


def _each(stage: str, model: str, *verbs: str) -> list[Grant]:
    """Return a grant for endpoints, one for their configurations and one for models, each of its own verbs."""
    titles = ("Endpoint", "EndpointConfig", "Model")
    return [
        Grant(
            actions=[f"sagemaker:{verb}{'' if verb == 'AddTags' else title}" for verb in verbs],
            resources=(arn,),
            why=_WHY,
        )
        for title, arn in zip(titles, _arns(stage, model), strict=True)
    ]


def describe(stage: str, model: str) -> Grant:
    """Return what a function needs to see whether an endpoint is in service."""
    return Grant(actions=("sagemaker:DescribeEndpoint",), resources=_arns(stage, model)[:1], why=_WHY)


def look() -> Grant:
    """Return what a function needs to list endpoints."""
    return Grant(
        actions=("sagemaker:ListEndpoints",), resources=("*",), why="listing has no resource-level permissions"
    )


def invoke(stage: str, model: str) -> Grant:
    """Return what the predict function needs to ask the model's endpoints, and no others."""
    return Grant(actions=("sagemaker:InvokeEndpoint",), resources=_arns(stage, model)[:1], why=_WHY)


def _arns(stage: str, model: str) -> list[str]:
    kinds = ("endpoint", "endpoint-config", "model")
    return [regional_arn("sagemaker", f"{kind}/{names.endpoints(stage, model)}*") for kind in kinds]
