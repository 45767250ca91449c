"""How a new version gets into the predict function, and back out: machine, functions, rules and alarms of a model."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.aws_s3_assets import Asset
from aws_cdk.aws_sqs import Queue

from lifecycle import keys, names
from lifecycle import settings as environment
from lifecycle.spec import ModelSpec
from stacks import functions, grants
from stacks.closers import close_executions
from stacks.constructs import endpoint_role
from stacks.constructs.function import Function, Package
from stacks.constructs.machine import Machine
from stacks.constructs.role import Grant, attach
from stacks.constructs.rules import rule_to_machine, rule_to_own_function
from stacks.deployment_machine import DeploymentFunctions, deployment_machine
from stacks.functions import Entry
from stacks.imported import Shared, regional_arn
from stacks.patterns import alarms_named, approvals_in, updates_of

MACHINE: Final = "Deployment"
READ: Final = ("GetAlias",)
LOOK: Final = ("GetFunctionConfiguration",)
LIST: Final = ("ListVersionsByFunction",)
PUBLISH: Final = ("PublishVersion", "UpdateFunctionCode")
ASK: Final = ("InvokeFunction",)
MOVE: Final = ("UpdateAlias",)
PRUNE: Final = ("DeleteFunction",)
# Two of three minutes with three failures: enough to be no accident, soon enough to be worth going back.
ALARM_FAILURES: Final = 3
ALARM_MINUTES: Final = 3
ALARM_BAD_MINUTES: Final = 2


@dataclass(frozen=True, kw_only=True)
class Releases:
    """One model's releases. `made` creates everything in the stack and returns the machine and the rollback."""

    stack: Stack
    spec: ModelSpec
    shared: Shared
    package: Package
    predict_code: Asset
    lost: Queue
    removal: RemovalPolicy
    image: str
    region: str

    def made(self) -> tuple[Machine, Function]:
        """Create the machine with its functions and rules, the alarms, and what an alarm or a person calls."""
        plan = self._function(
            functions.PLAN_DEPLOYMENT,
            [*self._own, self._key, self._claims, *self._packages, *self._versions(READ + LOOK + MOVE)],
        )
        machine = self._machine(plan)
        # the machine needs the function first, so the function's role learns of the machine afterwards
        attach(plan, "Executions", plan.role, grants.executions(machine.arn, machine.name))
        rule_to_machine(self.stack, "Approved", approvals_in(self._group), machine.arn, self.lost)
        rule_to_machine(self.stack, "Updated", updates_of(self.stack.stack_name), machine.arn, self.lost)
        close = self._function(
            functions.CLOSE_DEPLOYMENT,
            [
                *self._own,
                self._key,
                self._claims,
                *self._packages,
                *self._versions(READ + LOOK + MOVE),
                *grants.executions(machine.arn, machine.name, start=True),
                grants.tell(self.shared.topic),
                grants.hand_over(self.lost.queue_arn),
            ],
        )
        close_executions(self.stack, "Deployment", machine.arn, close, self.lost)
        return machine, self._rollback()

    def _machine(self, plan: Function) -> Machine:
        asset = grants.read_asset(self.predict_code.s3_bucket_name, self.predict_code.s3_object_key)
        tell, ask, move = grants.tell(self.shared.topic), self._versions(READ + LOOK + ASK), self._versions(READ + MOVE)
        describe = self._packages[1]
        unused = [endpoint_role.look(), *endpoint_role.delete(self._stage, self.spec.model)]
        made = {
            "plan_deployment": plan,
            "publish_model": self._publish(
                [self._key, *self._runs, asset, *self._versions(READ + LOOK + LIST + PUBLISH)]
            ),
            "probe_version": self._function(functions.PROBE_VERSION, [*self._own, self._key, *self._runs, *ask]),
            "shift_traffic": self._function(functions.SHIFT_TRAFFIC, [*self._own, *move]),
            "judge_rollout": self._judge([*self._own, self._key, *self._versions(READ), *self._log()]),
            "promote_model": self._function(
                functions.PROMOTE_MODEL,
                [
                    *(*self._own, describe, grants.announce(), *self._versions(READ + LIST + MOVE + PRUNE + ASK)),
                    *unused,
                ],
            ),
            "withdraw_version": self._function(
                functions.WITHDRAW_VERSION, [*self._own, self._key, *self._versions(READ + MOVE + ASK), tell, *unused]
            ),
        }
        return Machine(
            self.stack,
            MACHINE,
            deployment_machine(
                DeploymentFunctions(**{name: function.arn for name, function in made.items()}),
                self.spec.serving.rollout,
            ),
            grants=[Grant(actions=("lambda:InvokeFunction",), resources=[function.arn for function in made.values()])],
            log_key_arn=self.shared.key_arn,
            removal=self.removal,
        )

    def _rollback(self) -> Function:
        back = self._function(
            functions.ROLL_BACK,
            [
                *self._own,
                self._key,
                grants.see_claims(self.shared.claims_table),
                *self._versions(READ + LOOK + ASK + MOVE),
                endpoint_role.describe(self._stage, self.spec.model),
                grants.announce(),
                grants.tell(self.shared.topic),
                grants.hand_over(self.lost.queue_arn),
            ],
        )
        live = f"{self._name}:{names.LIVE}"
        lambdas_own = {"FunctionName": self._name, "Resource": live}
        ours = {"Stage": self._stage, "Model": self.spec.model}
        alarms = [
            self._alarm("errors", "AWS/Lambda", "Errors", lambdas_own),
            self._alarm("failures", names.METRIC_NAMESPACE, names.METRIC_REQUESTS_FAILED, ours),
        ]
        rule_to_own_function(self.stack, "Alarmed", alarms_named(alarms), back, self.lost)
        return back

    def _alarm(self, what: str, namespace: str, metric: str, dimensions: dict[str, str]) -> str:
        name = names.alarm(self._stage, self.spec.model, what)
        kind = cloudwatch.CfnAlarm.DimensionProperty
        cloudwatch.CfnAlarm(
            self.stack,
            f"{what.capitalize()}Alarm",
            alarm_name=name,
            alarm_description=f"{self.spec.model}: requests fail ({metric}); a version that went live just before is "
            "rolled back. See: perennial logs predict",
            namespace=namespace,
            metric_name=metric,
            dimensions=[kind(name=key, value=value) for key, value in dimensions.items()],
            statistic="Sum",
            period=60,
            evaluation_periods=ALARM_MINUTES,
            datapoints_to_alarm=ALARM_BAD_MINUTES,
            threshold=ALARM_FAILURES,
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[self.shared.topic],
            ok_actions=[self.shared.topic],
        )
        return name

    @cached_property
    def _own(self) -> list[Grant]:
        """What every step may do but publishing: have the ledger written."""
        return [grants.record(self.shared.ledger_writer)]

    @cached_property
    def _key(self) -> Grant:
        """Use the key, by all that read objects, hold claims or tell people."""
        return grants.use_key(self.shared.key_arn)

    @cached_property
    def _runs(self) -> list[Grant]:
        artifacts, own = self.shared.artifact_bucket, keys.runs(self.spec.model)
        return [grants.read_objects(artifacts, own), grants.list_objects(artifacts, own)]

    @cached_property
    def _claims(self) -> Grant:
        return grants.claim(self.shared.claims_table)

    def _log(self) -> list[Grant]:
        data, own = self.shared.data_bucket, keys.predictions(self.spec.model)
        figures = Grant(
            actions=("cloudwatch:GetMetricData",),
            resources=("*",),
            why="reading metrics has no resource-level permissions",
        )
        return [grants.read_objects(data, own), grants.list_objects(data, own), figures]

    @cached_property
    def _packages(self) -> list[Grant]:
        """List the model's packages, and describe them."""
        return [
            Grant(
                actions=("sagemaker:ListModelPackages",),
                resources=(regional_arn("sagemaker", f"model-package-group/{self._group}"),),
            ),
            Grant(
                actions=("sagemaker:DescribeModelPackage",),
                resources=(regional_arn("sagemaker", f"model-package/{self._group}/*"),),
                why="model packages get their numbers while the system runs",
            ),
        ]

    def _versions(self, actions: tuple[str, ...]) -> list[Grant]:
        return grants.use_versions(self._name, actions)

    @property
    def _stage(self) -> str:
        return self.shared.stage

    @property
    def _name(self) -> str:
        return names.predict_function(self._stage, self.spec.model)

    @property
    def _group(self) -> str:
        return names.package_group(self._stage, self.spec.model)

    def _function(self, entry: Entry, granted: list[Grant]) -> Function:
        variables = environment.Deploy(**self._variables()).to_env()
        return Function(self.stack, entry, self.package, environment=variables, grants=granted)

    def _publish(self, granted: list[Grant]) -> Function:
        serving = endpoint_role.EndpointRole(self.stack, self.spec.model, self.shared, self.region)
        variables = environment.PublishModel(**self._variables(), image=self.image, endpoint_role=serving.arn).to_env()
        granted = [*granted, *endpoint_role.make(self._stage, self.spec.model, serving.arn)]
        return Function(self.stack, functions.PUBLISH_MODEL, self.package, environment=variables, grants=granted)

    def _judge(self, granted: list[Grant]) -> Function:
        variables = environment.JudgeRollout(**self._variables(), data_bucket=self.shared.data_bucket).to_env()
        return Function(self.stack, functions.JUDGE_ROLLOUT, self.package, environment=variables, grants=granted)

    def _variables(self) -> dict[str, Any]:
        return {
            "stage": self._stage,
            "model": self.spec.model,
            "artifact_bucket": self.shared.artifact_bucket,
            "claims_table": self.shared.claims_table,
            "ledger_writer": self.shared.ledger_writer,
            "package_group": self._group,
            "predict_function": self._name,
            "asset_bucket": self.predict_code.s3_bucket_name,
            "asset_key": self.predict_code.s3_object_key,
            "topic": self.shared.topic,
        }
