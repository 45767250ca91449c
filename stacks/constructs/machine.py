"""A state machine that logs everything but data, is traced, and never waits for ever."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Fn, RemovalPolicy, Stack
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.constructs.role import Grant, role

# Step Functions hands its logs to the delivery service of CloudWatch, which knows no resources (Step Functions guide,
# "Using CloudWatch Logs"); the same holds for X-Ray.
DELIVERY = Grant(
    actions=(
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ),
    resources=("*",),
    why="log delivery has no resource-level permissions",
)
TRACING = Grant(
    actions=(
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    ),
    resources=("*",),
    why="X-Ray has no resource-level permissions",
)


class Machine(Construct):
    """A state machine from its definition as data; `arn` is its ARN."""

    def __init__(
        self,
        scope: Construct,
        title: str,
        definition: Mapping[str, Any],
        *,
        grants: Sequence[Grant],
        log_key_arn: str,
        removal: RemovalPolicy,
    ) -> None:
        super().__init__(scope, title)
        self.role = role(self, "states.amazonaws.com", [*grants, DELIVERY, TRACING])
        # The prefix keeps the account's one log delivery policy from growing with every log group; the stack's own id
        # keeps a log group that outlived its stack from standing in the way of the next one.
        unique = Fn.select(2, Fn.split("/", Aws.STACK_ID))
        log_group = logs.CfnLogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/vendedlogs/states/{Stack.of(self).stack_name}-{title}-{unique}",
            retention_in_days=90,
            kms_key_id=log_key_arn,
        )
        log_group.apply_removal_policy(removal)
        self.resource = stepfunctions.CfnStateMachine(
            self,
            "Machine",
            role_arn=self.role.attr_arn,
            definition_string=Stack.of(self).to_json_string(definition),
            state_machine_type="STANDARD",
            logging_configuration=_logging(log_group),
            tracing_configuration=stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True),
        )

    @property
    def arn(self) -> str:
        """The state machine's ARN."""
        return self.resource.attr_arn

    @property
    def name(self) -> str:
        """The name that CloudFormation gives it."""
        return self.resource.attr_name


def _logging(log_group: logs.CfnLogGroup) -> stepfunctions.CfnStateMachine.LoggingConfigurationProperty:
    kinds = stepfunctions.CfnStateMachine
    destination = kinds.LogDestinationProperty(
        cloud_watch_logs_log_group=kinds.CloudWatchLogsLogGroupProperty(log_group_arn=log_group.attr_arn)
    )
    return kinds.LoggingConfigurationProperty(level="ALL", include_execution_data=False, destinations=[destination])
