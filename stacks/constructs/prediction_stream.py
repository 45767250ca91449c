"""The way of the prediction log: log group -> subscription filter -> Firehose -> gzip NDJSON in the data bucket.

Nothing of it is on the request path, and the predict function knows nothing of it. CDK's own constructs lack the
processors that unpack CloudWatch's batches, so the stream is written as CloudFormation has it.
"""

from typing import Final

from aws_cdk import Aws, CfnOutput
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from constructs import Construct

from lifecycle import keys, names
from lifecycle.prediction_log import PATTERN
from stacks import grants
from stacks.constructs.function import Package
from stacks.constructs.role import Grant, role
from stacks.imported import Shared, bucket_arn, regional_arn

SECONDS: Final = 60  # how long lines are gathered; the shortest time that costs no small objects by the second
MEGABYTES: Final = 16
HOURLY: Final = "!{timestamp:yyyy/MM/dd/HH}/"
_Destination = firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty
_Processor = firehose.CfnDeliveryStream.ProcessorProperty
_Parameter = firehose.CfnDeliveryStream.ProcessorParameterProperty


class PredictionStream(Construct):
    """The prediction log of one model, from `log_group` into the data bucket."""

    def __init__(
        self, scope: Construct, model: str, log_group: logs.CfnLogGroup, shared: Shared, package: Package
    ) -> None:
        super().__init__(scope, "PredictionLog")
        self._model = model
        self._shared = shared
        self._errors = logs.CfnLogGroup(
            self, "Errors", retention_in_days=package.log_days, kms_key_id=package.log_key_arn
        )
        self._errors.apply_removal_policy(package.removal)
        self._error_stream = logs.CfnLogStream(self, "ErrorStream", log_group_name=self._errors.ref)
        stream = self._stream()
        CfnOutput(scope, names.OUTPUT_PREDICTION_STREAM, value=stream.ref)
        send = role(
            Construct(self, "Send"),
            "logs.amazonaws.com",
            [Grant(actions=("firehose:PutRecord", "firehose:PutRecordBatch"), resources=(stream.attr_arn,))],
            condition={"StringLike": {"aws:SourceArn": regional_arn("logs", "*")}},
        )
        logs.CfnSubscriptionFilter(
            self,
            "Filter",
            log_group_name=log_group.ref,
            filter_pattern=PATTERN,
            destination_arn=stream.attr_arn,
            role_arn=send.attr_arn,
        )

    def _stream(self) -> firehose.CfnDeliveryStream:
        deliver = role(
            Construct(self, "Deliver"),
            "firehose.amazonaws.com",
            self._grants(),
            condition={"StringEquals": {"sts:ExternalId": Aws.ACCOUNT_ID}},
        )
        return firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_type="DirectPut",
            # what waits in the stream is encrypted by Firehose's own key; the stage's key is for what is kept
            delivery_stream_encryption_configuration_input=(
                firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty(key_type="AWS_OWNED_CMK")
            ),
            extended_s3_destination_configuration=self._destination(deliver.attr_arn),
        )

    def _destination(self, role_arn: str) -> _Destination:
        stream = firehose.CfnDeliveryStream
        failed = keys.predictions_failed(self._model) + "!{firehose:error-output-type}/" + HOURLY
        return _Destination(
            bucket_arn=bucket_arn(self._shared.data_bucket),
            role_arn=role_arn,
            prefix=keys.predictions(self._model) + HOURLY,
            error_output_prefix=failed,
            buffering_hints=stream.BufferingHintsProperty(interval_in_seconds=SECONDS, size_in_m_bs=MEGABYTES),
            compression_format="GZIP",
            encryption_configuration=stream.EncryptionConfigurationProperty(
                kms_encryption_config=stream.KMSEncryptionConfigProperty(awskms_key_arn=self._shared.key_arn)
            ),
            cloud_watch_logging_options=stream.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=self._errors.ref, log_stream_name=self._error_stream.ref
            ),
            processing_configuration=stream.ProcessingConfigurationProperty(enabled=True, processors=_processors()),
        )

    def _grants(self) -> list[Grant]:
        """What Firehose asks for to write into a bucket under a customer's key, on this model's prefixes only."""
        data = self._shared.data_bucket
        listing = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")
        prefixes = (keys.predictions(self._model), keys.predictions_failed(self._model))
        through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{Aws.REGION}.amazonaws.com"}}
        return [
            grants.read_objects(data, *prefixes),
            grants.write_large_objects(data, *prefixes),
            Grant(actions=listing, resources=(bucket_arn(data),)),
            Grant(
                actions=("kms:Decrypt", "kms:GenerateDataKey"),
                resources=(self._shared.key_arn,),
                condition=through_s3,
            ),
            # an attribute of a log group ends in `:*`, which stands for its streams
            Grant(actions=("logs:PutLogEvents",), resources=(self._errors.attr_arn,)),
        ]


def _processors() -> list[_Processor]:
    """Unpack CloudWatch's batches, keep the messages, and end every record with a line feed."""
    return [
        _Processor(
            type="Decompression",
            parameters=[_Parameter(parameter_name="CompressionFormat", parameter_value="GZIP")],
        ),
        _Processor(
            type="CloudWatchLogProcessing",
            parameters=[_Parameter(parameter_name="DataMessageExtraction", parameter_value="true")],
        ),
        _Processor(type="AppendDelimiterToRecord"),
    ]
