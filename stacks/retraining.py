"""Who decides that a model is trained anew, what asks it, and what it may do about it."""

from dataclasses import dataclass

from aws_cdk import CfnOutput, Stack
from aws_cdk.aws_sqs import Queue

from lifecycle import keys, names
from lifecycle import settings as environment
from lifecycle.harvest import folder_of
from lifecycle.retrain_decision import CALLS_FOR_A_RUN
from lifecycle.spec import ModelSpec
from stacks import functions, grants
from stacks.constructs.function import Function, Package
from stacks.constructs.role import Grant
from stacks.constructs.rules import Trigger, retries, rule_to_function
from stacks.imported import Shared
from stacks.patterns import alarms_named, looks_at, versions_of


@dataclass(frozen=True)
class Decider:
    """One model's retraining; `machine` is the ARN of its training machine."""

    stack: Stack
    spec: ModelSpec
    shared: Shared
    package: Package
    lost: Queue
    machine: str

    def made(self) -> None:
        """Create the function and everything that asks it."""
        made = environment.Retrain(
            stage=self.shared.stage,
            model=self.spec.model,
            spec_id=self.spec.spec_id,
            data_bucket=self.shared.data_bucket,
            artifact_bucket=self.shared.artifact_bucket,
            labels_table=self.shared.labels_table,
            claims_table=self.shared.claims_table,
            ledger_writer=self.shared.ledger_writer,
            training_machine=self.machine,
        )
        decide = Function(
            self.stack,
            functions.DECIDE_RETRAINING,
            self.package,
            environment=made.to_env(),
            grants=[*self._deciding(), *(self._learning() if self.spec.retraining.learn_from_feedback else [])],
        )
        for title, trigger in self._triggers().items():
            rule_to_function(self.stack, title, trigger, decide, self.lost)
        retries(decide, decide, self.lost)
        CfnOutput(self.stack, names.OUTPUT_RETRAIN, value=decide.resource.ref)

    def _triggers(self) -> dict[str, Trigger]:
        rules, stage, model = self.spec.retraining, self.shared.stage, self.spec.model
        found: dict[str, Trigger] = {}
        if self.spec.monitoring.prediction_log:
            found["Looked"] = Trigger(pattern=looks_at(stage, model))
            if rules.on_alarm:
                alarms = [names.alarm(stage, model, what) for what in sorted(CALLS_FOR_A_RUN)]
                found["Raised"] = Trigger(pattern=alarms_named(alarms))
        if rules.every_days is not None:
            days = f"{rules.every_days} day{'s' if rules.every_days > 1 else ''}"
            found["Regular"] = Trigger(schedule=f"rate({days})", told={"trigger": "schedule"})
        if rules.learn_from_feedback and not rules.on_upload:
            found["Learned"] = Trigger(pattern=versions_of(stage, self.spec.dataset))
        return found

    def _deciding(self) -> list[Grant]:
        """Read what is known of runs and looks, remember, start a run, write the ledger."""
        artifacts, data, model = self.shared.artifact_bucket, self.shared.data_bucket, self.spec.model
        runs, looks = keys.runs(model), keys.monitoring(model)
        versions = keys.versions(self.spec.dataset)
        return [
            grants.use_key(self.shared.key_arn),
            grants.list_objects(artifacts, runs, looks),
            grants.read_objects(artifacts, runs, looks),
            grants.write_objects(artifacts, keys.monitoring(model, "retraining.json")),
            grants.list_objects(data, versions, keys.predictions(model)),
            grants.read_objects(data, versions),
            grants.claim(self.shared.claims_table),
            grants.record(self.shared.ledger_writer),
            grants.hand_over(self.lost.queue_arn),
            Grant(actions=("states:StartExecution",), resources=(self.machine,)),
        ]

    def _learning(self) -> list[Grant]:
        """Join labels with their logged rows, and upload them as files of the dataset."""
        artifacts, data, model = self.shared.artifact_bucket, self.shared.data_bucket, self.spec.model
        own = keys.incoming(self.spec.dataset, folder_of(model))
        deleted = Grant(
            actions=("s3:DeleteObject",),
            resources=grants.write_objects(data, own).resources,
            why="files of feedback are named by their day; the prefix is the narrowest name there is",
        )
        return [
            grants.read_objects(data, keys.predictions(model)),
            grants.list_objects(data, own),
            grants.write_objects(data, own),
            deleted,
            grants.list_objects(artifacts, keys.harvests(model)),
            grants.read_objects(artifacts, keys.harvests(model)),
            grants.write_objects(artifacts, keys.harvests(model)),
            grants.read_labels(self.shared.labels_table, model),
        ]
