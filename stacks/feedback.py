"""Labels of a model's predictions: the function behind the feedback route, and the one that reads uploaded files."""

from dataclasses import dataclass
from typing import Final

from aws_cdk import Stack
from aws_cdk.aws_sqs import Queue

from lifecycle import keys, names
from lifecycle import settings as environment
from stacks import functions, grants
from stacks.constructs.function import Function, Package
from stacks.constructs.role import Grant
from stacks.constructs.rules import rule_to_own_function
from stacks.imported import Shared, regional_arn
from stacks.patterns import created_below

RULE: Final = "LabelsUploaded"


@dataclass(frozen=True, kw_only=True)
class Feedback:
    """One model's feedback. `package` is that of small functions, `reading` the one with the data-frame layer."""

    stack: Stack
    model: str
    shared: Shared
    package: Package
    reading: Package
    lost: Queue

    def made(self) -> Function:
        """Create both functions and the rule on uploads; return the function for the route."""
        record = Function(
            self.stack,
            functions.RECORD_FEEDBACK,
            self.package,
            environment=environment.RecordFeedback(**self._settings()).to_env(),
            grants=self._grants(),
        )
        data, prefix = self.shared.data_bucket, keys.feedback(self.model)
        reports = keys.feedback_reports(self.model)
        own = environment.ReadFeedback(
            **self._settings(), ledger_writer=self.shared.ledger_writer, topic=self.shared.topic
        )
        read = Function(
            self.stack,
            functions.READ_FEEDBACK,
            self.reading,
            environment=own.to_env(),
            grants=[
                *self._grants(),
                grants.read_versions(data, prefix),
                grants.list_objects(data, prefix, reports),
                grants.read_objects(data, reports),
                grants.write_objects(data, reports),
                grants.record(self.shared.ledger_writer),
                grants.tell(self.shared.topic),
                grants.hand_over(self.lost.queue_arn),
            ],
        )
        rule_to_own_function(self.stack, RULE, created_below(data, prefix), read, self.lost)
        return record

    def _settings(self) -> dict[str, str]:
        return {
            "stage": self.shared.stage,
            "model": self.model,
            "data_bucket": self.shared.data_bucket,
            "artifact_bucket": self.shared.artifact_bucket,
            "labels_table": self.shared.labels_table,
            "predict_function": names.predict_function(self.shared.stage, self.model),
        }

    def _grants(self) -> list[Grant]:
        """Read the log, the classes of the live model, and the labels; write labels."""
        log, runs = keys.predictions(self.model), keys.runs(self.model)
        predict = regional_arn("lambda", f"function:{names.predict_function(self.shared.stage, self.model)}")
        return [
            grants.read_objects(self.shared.data_bucket, log),
            grants.list_objects(self.shared.data_bucket, log),
            grants.read_objects(self.shared.artifact_bucket, runs),
            grants.list_objects(self.shared.artifact_bucket, runs),
            grants.use_key(self.shared.key_arn),
            grants.keep_labels(self.shared.labels_table, self.model),
            Grant(actions=("lambda:GetAlias",), resources=(predict,)),
        ]
