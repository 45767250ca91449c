"""Logger of the functions: an event's name, ids and counts, never rows."""

from typing import Any

from aws_lambda_powertools import Logger

from lifecycle import names

logger = Logger(service=names.PRODUCT)


def note(event: str, **ids: Any) -> None:
    """Log that something happened: its name, ids and counts."""
    logger.info(event, extra=ids)
