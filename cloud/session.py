"""The one place where boto3 clients are made.

Endpoint, region and credentials come from the environment, as any AWS tool reads them, so the same code speaks to AWS
and to the laptop engine.
"""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from lifecycle.names import PRODUCT

CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60, user_agent_appid=PRODUCT
)


@cache
def client(service: str) -> Any:
    """Return the process's client of an AWS service (boto3's name), made on first use."""
    return boto3.client(service, config=CONFIG)
