"""What model stacks know of the shared stack: its exports, by name, and the ARNs that follow from them."""

from dataclasses import dataclass

from aws_cdk import Aws, Fn

from lifecycle import names


@dataclass(frozen=True)
class Shared:
    """The exports of one stage's shared stack. Every value is a CDK token."""

    stage: str

    def _value(self, output: str) -> str:
        return Fn.import_value(names.export(self.stage, output))

    @property
    def data_bucket(self) -> str:
        """Name of the data bucket."""
        return self._value(names.OUTPUT_DATA_BUCKET)

    @property
    def artifact_bucket(self) -> str:
        """Name of the artifact bucket."""
        return self._value(names.OUTPUT_ARTIFACT_BUCKET)

    @property
    def key_arn(self) -> str:
        """ARN of the stage's key."""
        return self._value(names.OUTPUT_KEY)

    @property
    def claims_table(self) -> str:
        """Name of the claims table."""
        return self._value(names.OUTPUT_CLAIMS_TABLE)

    @property
    def labels_table(self) -> str:
        """Name of the labels table."""
        return self._value(names.OUTPUT_LABELS_TABLE)

    @property
    def ledger_writer(self) -> str:
        """ARN of the function that writes the ledger."""
        return self._value(names.OUTPUT_LEDGER_WRITER)

    @property
    def topic(self) -> str:
        """ARN of the topic for people."""
        return self._value(names.OUTPUT_TOPIC)

    @property
    def api_id(self) -> str:
        """Id of the HTTP API."""
        return self._value(names.OUTPUT_API_ID)


def bucket_arn(name: str) -> str:
    """Return the ARN of a bucket."""
    return f"arn:{Aws.PARTITION}:s3:::{name}"


def regional_arn(service: str, resource: str) -> str:
    """Return the ARN of a resource in the stack's own account and region."""
    return f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"
