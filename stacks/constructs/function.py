"""One Lambda function with its role and its log group; nothing is implied, nothing is shared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from lifecycle import names
from stacks.constructs import nag
from stacks.constructs.role import Grant, role
from stacks.functions import Entry

POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME": names.PRODUCT,
    "POWERTOOLS_METRICS_NAMESPACE": names.METRIC_NAMESPACE,
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@dataclass(frozen=True, kw_only=True)
class Package:
    """What functions of a stack have in common: code, layers, and where their logs go."""

    code: Asset
    layers: Sequence[str]
    log_key_arn: str
    log_days: int
    removal: RemovalPolicy


class Function(Construct):
    """A function: `resource` is the function itself, `arn` its ARN, `log_group` where its lines go."""

    def __init__(
        self,
        scope: Construct,
        entry: Entry,
        package: Package,
        *,
        environment: Mapping[str, str],
        grants: Sequence[Grant],
        name: str | None = None,
    ) -> None:
        super().__init__(scope, entry.title)
        log_group = logs.CfnLogGroup(self, "Logs", retention_in_days=package.log_days, kms_key_id=package.log_key_arn)
        log_group.apply_removal_policy(package.removal)
        self.log_group = log_group
        # an attribute of a log group ends in `:*`, which stands for its streams
        write = Grant(actions=("logs:CreateLogStream", "logs:PutLogEvents"), resources=(log_group.attr_arn,))
        self.role = role(self, "lambda.amazonaws.com", [write, *grants], name=name)
        self.resource = lambda_.CfnFunction(
            self,
            "Function",
            function_name=name,
            runtime="python3.12",
            architectures=["x86_64"],
            handler=entry.handler,
            code=lambda_.CfnFunction.CodeProperty(
                s3_bucket=package.code.s3_bucket_name, s3_key=package.code.s3_object_key
            ),
            layers=list(package.layers),
            memory_size=entry.memory_mb,
            ephemeral_storage=lambda_.CfnFunction.EphemeralStorageProperty(size=entry.tmp_mb),
            timeout=entry.seconds,
            role=self.role.attr_arn,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables={**POWERTOOLS, **environment}),
            # Text: our lines are JSON already, and metrics must stay lines of their own
            logging_config=lambda_.CfnFunction.LoggingConfigProperty(log_format="Text", log_group=log_group.ref),
        )
        nag.acknowledge(
            self.resource, nag.LATEST_RUNTIME, "Python 3.12 is the training image's: what is tested is what ships"
        )

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.resource.attr_arn


def layer(scope: Construct, title: str, content: Asset, description: str) -> str:
    """Create a layer version and return its ARN."""
    made = lambda_.CfnLayerVersion(
        scope,
        title,
        content=lambda_.CfnLayerVersion.ContentProperty(s3_bucket=content.s3_bucket_name, s3_key=content.s3_object_key),
        compatible_runtimes=["python3.12"],
        compatible_architectures=["x86_64"],
        description=description,
    )
    return made.ref
