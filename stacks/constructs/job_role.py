"""The role of a model's jobs, and what a state machine needs to run jobs under it."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import Aws
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from lifecycle import keys
from lifecycle.spec import ModelSpec
from stacks import grants
from stacks.constructs.role import Grant, role
from stacks.images import ACCOUNTS, REPOSITORY
from stacks.imported import Shared, regional_arn

# Rules that Step Functions makes for itself when it waits for a job (Step Functions guide, "Create and manage Amazon
# SageMaker AI jobs", IAM policies).
OWN_RULES: Final = (
    "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
)


LOGIN: Final = Grant(
    actions=("ecr:GetAuthorizationToken",), resources=("*",), why="a registry login has no resource-level permissions"
)
_METRICS: Final = Grant(
    actions=("cloudwatch:PutMetricData",),
    resources=("*",),
    condition={"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}},
    why="metrics have no resource-level permissions; the namespace is the job's own",
)
_LOGS: Final = Grant(
    actions=("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
    resources=[
        regional_arn("logs", f"log-group:/aws/sagemaker/{kind}:*") for kind in ("TrainingJobs", "ProcessingJobs")
    ],
    why="the log groups are SageMaker's own, one stream per job",
)


class JobRole(Construct):
    """What the jobs of one model may do; `arn` is the role's ARN."""

    def __init__(self, scope: Construct, spec: ModelSpec, shared: Shared, assets: Sequence[Asset], region: str) -> None:
        super().__init__(scope, "Jobs")
        data, artifacts, dataset, own = shared.data_bucket, shared.artifact_bucket, spec.dataset, keys.runs(spec.model)
        immutable, versions = keys.immutable(dataset, ""), keys.versions(dataset)
        archive, names = assets[0].s3_bucket_name, [asset.s3_object_key for asset in assets]
        made = role(
            self,
            "sagemaker.amazonaws.com",
            [
                grants.read_asset(archive, *names),
                grants.list_assets(archive, *names),
                grants.read_objects(data, immutable, versions),
                grants.list_objects(data, immutable, versions),
                grants.read_objects(artifacts, own),
                grants.list_objects(artifacts, own),
                grants.write_large_objects(artifacts, own),
                grants.use_key(shared.key_arn),
                pull_image(region),
                LOGIN,
                _LOGS,
                _METRICS,
            ],
        )
        self.arn = made.attr_arn


def pull_image(region: str) -> Grant:
    """Return what pulling the image takes."""
    repository = f"arn:{Aws.PARTITION}:ecr:{region}:{ACCOUNTS[region]}:repository/{REPOSITORY}"
    actions = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    return Grant(actions=actions, resources=(repository,))


def run_jobs(model: str, job_role_arn: str) -> list[Grant]:
    """Return what a state machine needs to run, watch and stop a model's jobs; CDK has no such task to write it."""
    kinds = {"TrainingJob": "training-job", "ProcessingJob": "processing-job"}
    return [
        *(
            Grant(
                actions=["sagemaker:AddTags", *(f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe", "Stop"))],
                resources=[regional_arn("sagemaker", f"{words}/{model}-*")],
                why="jobs get their names while the system runs; they begin with the model's",
            )
            for kind, words in kinds.items()
        ),
        Grant(
            actions=("iam:PassRole",),
            resources=(job_role_arn,),
            condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        Grant(
            actions=("events:DescribeRule", "events:PutRule", "events:PutTargets"),
            resources=[regional_arn("events", f"rule/{name}") for name in OWN_RULES],
        ),
    ]
