"""Log events on their way out of CloudWatch Logs: subscription filters, and Firehose from there into S3."""

from local.logs_delivery.delivery import LogsDelivery

__all__ = ["LogsDelivery"]
