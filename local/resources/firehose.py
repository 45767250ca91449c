"""AWS::KinesisFirehose: delivery streams into S3."""

from typing import Any

from local.logs_delivery.batches import prefix_at
from local.resources.kind import Kind, Subject

_TARGET = "ExtendedS3DestinationConfiguration"
_INPUT = "DeliveryStreamEncryptionConfigurationInput"
_OF_TARGET = (
    "BucketARN RoleARN Prefix ErrorOutputPrefix CompressionFormat BufferingHints.IntervalInSeconds "
    "BufferingHints.SizeInMBs EncryptionConfiguration.KMSEncryptionConfig.AWSKMSKeyARN "
    "CloudWatchLoggingOptions.Enabled CloudWatchLoggingOptions.LogGroupName CloudWatchLoggingOptions.LogStreamName "
    "ProcessingConfiguration.Enabled ProcessingConfiguration.Processors.Type "
    "ProcessingConfiguration.Processors.Parameters.ParameterName "
    "ProcessingConfiguration.Processors.Parameters.ParameterValue"
)
_PROCESSORS = ["Decompression", "CloudWatchLogProcessing", "AppendDelimiterToRecord"]


def _create(subject: Subject) -> str:
    target = subject.api[_TARGET]
    processors = [one["Type"] for one in target["ProcessingConfiguration"]["Processors"]]
    if processors != _PROCESSORS or target["CompressionFormat"] != "GZIP":
        raise ValueError(f"the laptop engine delivers GZIP after {', '.join(_PROCESSORS)}; found {processors}")
    for prefix in ("Prefix", "ErrorOutputPrefix"):
        prefix_at(target[prefix], 0)
    asked = subject.pick(f"DeliveryStreamType {_INPUT} {_TARGET} Tags")
    subject.aws.create_delivery_stream(DeliveryStreamName=subject.name, **asked)
    return subject.name


def _described(subject: Subject) -> dict[str, Any]:
    named = {"DeliveryStreamName": subject.id}
    found: dict[str, Any] = subject.aws.describe_delivery_stream(**named)["DeliveryStreamDescription"]
    return found


def _read(subject: Subject) -> dict[str, Any]:
    found = _described(subject)
    return {
        "DeliveryStreamType": found["DeliveryStreamType"],
        _INPUT: found["DeliveryStreamEncryptionConfiguration"],
        _TARGET: found["Destinations"][0]["ExtendedS3DestinationDescription"],
        "Tags": subject.aws.list_tags_for_delivery_stream(DeliveryStreamName=subject.id)["Tags"],
    }


KINDS = (
    Kind(
        type="AWS::KinesisFirehose::DeliveryStream",
        service="firehose",
        properties=f"DeliveryStreamType {_INPUT}.KeyType "
        + " ".join(f"{_TARGET}.{name}" for name in _OF_TARGET.split()),
        tags=("Tags", "Key", "Value"),
        create=_create,
        read=_read,
        delete=lambda s: s.aws.delete_delivery_stream(DeliveryStreamName=s.id),
        attributes=lambda s: {"Arn": _described(s)["DeliveryStreamARN"]},
        attribute_names="Arn",
        naming=("DeliveryStreamName", 64),
    ),
)
