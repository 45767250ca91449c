"""DynamoDB: LocalStack's own needs a Java program from the internet; the moto that it brings answers instead."""

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.services.moto import MotoFallbackDispatcher
from localstack.services.plugins import Service, aws_provider


class Tables(DynamodbApi):  # type: ignore[misc]
    """Implements nothing itself, so that moto is asked for every operation."""


@aws_provider(api="dynamodb", name="moto")  # type: ignore[untyped-decorator]
def moto_tables() -> Service:
    """`PROVIDER_OVERRIDE_DYNAMODB=moto`."""
    return Service.for_provider(Tables(), dispatch_table_factory=MotoFallbackDispatcher)
