"""Logger and metrics of the functions: an event's name, ids and counts, never rows."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from lifecycle import names

logger = Logger(service=names.PRODUCT)


def count(name: str, number: int = 1, *, stage: str, model: str) -> None:
    """Print one metric in CloudWatch's embedded format, with the dimensions Stage and Model."""
    provider = AmazonCloudWatchEMFProvider(namespace=names.METRIC_NAMESPACE, metric_set={}, dimension_set={})
    provider.add_dimension("Stage", stage)
    provider.add_dimension("Model", model)
    provider.add_metric(name, MetricUnit.Count, number)
    provider.flush_metrics()


def note(event: str, **ids: Any) -> None:
    """Log that something happened: its name, ids and counts."""
    logger.info(event, extra=ids)
