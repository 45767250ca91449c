"""A model's monitoring stack: looks by schedule, what they announce, and who acts on it."""

from dataclasses import replace
from typing import Any, Final

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from lifecycle import keys, names
from lifecycle import settings as environment
from stacks import functions, grants
from stacks.constructs import endpoint_role
from stacks.constructs.function import Function, layer
from stacks.constructs.role import Grant
from stacks.constructs.rules import Trigger, retries, rule_to_function, rule_to_own_function, undelivered
from stacks.deployment import Deployment
from stacks.imported import Shared, regional_arn
from stacks.model_assets import ModelAssets
from stacks.monitoring_alarms import MonitoringAlarms
from stacks.monitoring_dashboard import dashboard
from stacks.patterns import looks_at

GO_BACK: Final = ("GetAlias", "GetFunctionConfiguration", "InvokeFunction", "UpdateAlias")


class MonitoringStack(Stack):
    """One per model and stage whose predictions are logged."""

    def __init__(self, scope: Construct, deployment: Deployment, assets: ModelAssets) -> None:
        self._spec = spec = assets.spec
        self._stage = deployment.stage.name
        title = names.monitoring_stack(self._stage, spec.model)
        super().__init__(scope, title, env=deployment.environment, description=f"Perennial: monitoring of {spec.model}")
        deployment.tag(self, spec.model)
        self._shared = Shared(self._stage)
        self._predict = names.predict_function(self._stage, spec.model)
        self._lost = undelivered(self)
        base = layer(self, "LayerBase", deployment.asset(self, "LayerBaseAsset", deployment.layer_base), "powertools")
        tabular_asset = deployment.asset(self, "LayerTabularAsset", deployment.layer_tabular)
        tabular = layer(self, "LayerTabular", tabular_asset, "polars, numpy")
        own = deployment.asset(self, "Code", assets.functions)
        self._package = deployment.package(own, [base], self._shared.key_arn)
        self._reading = replace(self._package, layers=[base, tabular])
        monitor = self._monitor()
        if spec.retraining.go_back:
            self._judge(deployment.asset(self, "PredictCode", assets.predict))
        MonitoringAlarms(self, spec, self._shared, monitor).made()
        dashboard(self, spec, self._stage)
        CfnOutput(self, names.OUTPUT_MONITOR, value=monitor.resource.ref)

    def _monitor(self) -> Function:
        data, artifacts, model = self._shared.data_bucket, self._shared.artifact_bucket, self._spec.model
        log, own, runs = keys.predictions(model), keys.monitoring(model), keys.runs(model)
        monitor = Function(
            self,
            functions.MONITOR_MODEL,
            self._reading,
            environment=environment.Monitor(
                **self._names(), spec_id=self._spec.spec_id, claims_table=self._shared.claims_table
            ).to_env(),
            grants=[
                grants.list_objects(data, log),
                grants.read_objects(data, log),
                grants.list_objects(artifacts, own, runs),
                grants.read_objects(artifacts, own, runs),
                grants.write_objects(artifacts, own),
                grants.read_labels(self._shared.labels_table, model),
                grants.claim(self._shared.claims_table),
                Grant(actions=("lambda:GetAlias",), resources=(regional_arn("lambda", f"function:{self._predict}"),)),
                grants.put_metrics(),
                grants.announce(),
                *self._telling(),
            ],
        )
        trigger = Trigger(schedule=schedule(self._spec.monitoring.every_minutes), told={})
        retries(rule_to_function(self, "Schedule", trigger, monitor, self._lost), monitor, self._lost)
        return monitor

    def _judge(self, predict_code: Asset) -> None:
        data, artifacts, model = self._shared.data_bucket, self._shared.artifact_bucket, self._spec.model
        log, runs = keys.predictions(model), keys.runs(model)
        judge = Function(
            self,
            functions.JUDGE_LIVE,
            self._package,
            environment=environment.JudgeLive(
                **self._names(),
                claims_table=self._shared.claims_table,
                package_group=names.package_group(self._stage, model),
                asset_bucket=predict_code.s3_bucket_name,
                asset_key=predict_code.s3_object_key,
            ).to_env(),
            grants=[
                grants.list_objects(data, log),
                grants.read_objects(data, log),
                grants.list_objects(artifacts, runs),
                grants.read_objects(artifacts, runs),
                grants.read_labels(self._shared.labels_table, model),
                grants.claim(self._shared.claims_table),
                *grants.use_versions(self._predict, GO_BACK),
                endpoint_role.describe(self._stage, model),
                grants.announce(),
                *self._telling(),
            ],
        )
        rule_to_own_function(self, "Judged", looks_at(self._stage, model), judge, self._lost)

    def _telling(self) -> list[Grant]:
        """What every function here may do: use the key, have the ledger written, tell people, give up an event."""
        return [
            grants.use_key(self._shared.key_arn),
            grants.record(self._shared.ledger_writer),
            grants.tell(self._shared.topic),
            grants.hand_over(self._lost.queue_arn),
        ]

    def _names(self) -> dict[str, Any]:
        return {
            "stage": self._stage,
            "model": self._spec.model,
            "data_bucket": self._shared.data_bucket,
            "artifact_bucket": self._shared.artifact_bucket,
            "labels_table": self._shared.labels_table,
            "ledger_writer": self._shared.ledger_writer,
            "predict_function": self._predict,
            "topic": self._shared.topic,
        }


def schedule(minutes: int) -> str:
    """Return EventBridge's expression of every so many minutes, a multiple of an hour in hours.

    >>> schedule(60), schedule(1440), schedule(90)
    ('rate(1 hour)', 'rate(24 hours)', 'rate(90 minutes)')
    """
    hours, rest = divmod(minutes, 60)
    if rest:
        return f"rate({minutes} minutes)"
    return f"rate({hours} hour{'s' if hours > 1 else ''})"
