"""The stage-wide stack: what is kept, where data arrives, the ledger's writer and the front door."""

from typing import Any, Final

from aws_cdk import Aws, CfnOutput, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lifecycle import keys, names
from lifecycle.settings import CutVersion, RecordEvent
from stacks import functions, grants
from stacks.assets import packages, stage
from stacks.constructs.front_door import FrontDoor
from stacks.constructs.function import Function, Package, layer
from stacks.constructs.notices import notices
from stacks.constructs.role import Grant
from stacks.constructs.rules import Target, allow_rules, dead_letter_queue, dead_letters, rule_to_queue
from stacks.constructs.storage import announce, bucket, log_bucket, stage_key, table
from stacks.deployment import Deployment

SETTLE_SECONDS: Final = 60
LOOKS: Final = (
    500  # a look every ten seconds or more: at least an hour and a half of waiting before a message is given up
)
VISIBILITY: Final = 6 * functions.CUT_VERSION.seconds  # AWS: at least six times the function's time-out


class SharedStack(Stack):
    """One per stage; holds the same resources whatever models there are."""

    def __init__(self, scope: Construct, deployment: Deployment) -> None:
        stage_name = deployment.stage.name
        super().__init__(
            scope, names.shared_stack(stage_name), env=deployment.environment, description="Perennial: shared"
        )
        deployment.tag(self)
        self._deployment = deployment
        self._keep(deployment)
        self._package = self._code(deployment)
        self._ledger()
        self._look()
        self._door = FrontDoor(
            self,
            self._package,
            stage=stage_name,
            throttle=deployment.stage.throttle,
            cors=deployment.stage.cors,
        )
        self._export()

    def _keep(self, deployment: Deployment) -> None:
        removal = deployment.removal
        self._key = stage_key(self, removal)
        self._logs = log_bucket(self, removal)
        self._data = bucket(self, "Data", self._key, self._logs, removal)
        announce(self._data)
        self._artifacts = bucket(self, "Artifacts", self._key, self._logs, removal)
        self._ledger_table = table(self, "Ledger", self._key, removal, partition="subject", sort="entry")
        self._claims = table(self, "Claims", self._key, removal, partition="claim")
        self._labels = table(self, "Labels", self._key, removal, partition="hour", sort="prediction_id")
        self._topic = notices(self, self._key)

    def _code(self, deployment: Deployment) -> Package:
        code = deployment.asset(self, "Code", stage(deployment.project, packages(deployment.project, *PACKAGES)))
        base = layer(self, "LayerBase", deployment.asset(self, "LayerBaseAsset", deployment.layer_base), "powertools")
        return deployment.package(code, [base], self._key.key_arn)

    def _ledger(self) -> None:
        write = Grant(
            actions=("dynamodb:GetItem", "dynamodb:PutItem"),
            resources=(self._ledger_table.table_arn,),
        )
        self._writer = Function(
            self,
            functions.RECORD_EVENT,
            self._package,
            environment=RecordEvent(
                stage=self._deployment.stage.name, ledger_table=self._ledger_table.table_name
            ).to_env(),
            grants=[write, grants.use_key(self._key.key_arn)],
        )

    def _look(self) -> None:
        queue = self._look_queue()
        data, key = self._data.bucket_name, self._key.key_arn
        cutter = Function(
            self,
            functions.CUT_VERSION,
            self._package,
            environment=CutVersion(
                stage=self._deployment.stage.name,
                data_bucket=data,
                claims_table=self._claims.table_name,
                ledger_writer=self._writer.arn,
                settle_seconds=SETTLE_SECONDS,
            ).to_env(),
            grants=[
                grants.list_objects(data, keys.INCOMING, keys.OBJECTS, keys.VERSIONS, versions=True),
                grants.read_objects(data, keys.OBJECTS, keys.VERSIONS),
                grants.copy_versions(data, keys.INCOMING),
                grants.write_objects(data, keys.OBJECTS, keys.VERSIONS),
                grants.write_tags(data, keys.OBJECTS),
                grants.use_key(key),
                grants.claim(self._claims.table_name),
                grants.record(self._writer.arn),
                grants.announce(),
                grants.receive(queue.queue_arn),
            ],
        )
        lambda_.CfnEventSourceMapping(
            self,
            "Looks",
            event_source_arn=queue.queue_arn,
            function_name=cutter.resource.ref,
            batch_size=10,
            function_response_types=["ReportBatchItemFailures"],
        )

    def _look_queue(self) -> sqs.Queue:
        lost = dead_letter_queue(self, "LooksLost")
        allow_rules(lost)
        queue = sqs.Queue(
            self,
            "LookWaiting",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(VISIBILITY),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=lost, max_receive_count=LOOKS),
        )
        allow_rules(queue)
        target = Target(
            id="LookQueue",
            arn=queue.queue_arn,
            dead_letter_config=dead_letters(lost),
            input_transformer=events.CfnRule.InputTransformerProperty(
                input_paths_map={"key": "$.detail.object.key"}, input_template='{"key": <key>}'
            ),
        )
        rule_to_queue(self, "Uploads", uploads(self._data.bucket_name), target)
        self._looks = queue
        return queue

    def _export(self) -> None:
        api = self._door.api_id
        values = {
            names.OUTPUT_DATA_BUCKET: self._data.bucket_name,
            names.OUTPUT_ARTIFACT_BUCKET: self._artifacts.bucket_name,
            names.OUTPUT_LOG_BUCKET: self._logs.bucket_name,
            names.OUTPUT_KEY: self._key.key_arn,
            names.OUTPUT_LEDGER_TABLE: self._ledger_table.table_name,
            names.OUTPUT_LEDGER_WRITER: self._writer.arn,
            names.OUTPUT_CLAIMS_TABLE: self._claims.table_name,
            names.OUTPUT_LABELS_TABLE: self._labels.table_name,
            names.OUTPUT_TOPIC: self._topic.topic_arn,
            names.OUTPUT_API_ID: api,
            names.OUTPUT_API_URL: f"https://{api}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}",
            names.OUTPUT_LOOK_QUEUE: self._looks.queue_url,
        }
        for output, value in values.items():
            CfnOutput(self, output, value=value, export_name=names.export(self._deployment.stage.name, output))


PACKAGES: Final = ("lifecycle", "cloud", "lambdas")


def uploads(data_bucket: str) -> dict[str, Any]:
    """Return the event pattern of everything that changes a dataset."""
    return {
        "source": ["aws.s3"],
        "detail-type": [names.OBJECT_CREATED, names.OBJECT_DELETED],
        "detail": {"bucket": {"name": [data_bucket]}, "object": {"key": [{"prefix": keys.INCOMING}]}},
    }
