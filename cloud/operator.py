"""The operator's connection: clients for the account at hand, or for the laptop engine, made once per service."""

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lifecycle.errors import Rejected, Unavailable

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Credentials of the person at the terminal. `endpoint` and keys are given for the laptop engine only."""

    region: str
    endpoint: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        if service not in self._clients:
            self._clients[service] = self._session().client(service, endpoint_url=self.endpoint, config=_CONFIG)
        return self._clients[service]

    def keys(self) -> tuple[str, str, str | None]:
        """Return access key, secret and session token for signing HTTP requests.

        Raises
        ------
        Rejected
            when no credentials are configured; the message says how to provide them.
        """
        found = self._session().get_credentials()
        if found is None:
            raise Rejected("no AWS credentials found. Run `aws configure` or `aws sso login`, or set AWS_PROFILE.")
        frozen = found.get_frozen_credentials()
        return str(frozen.access_key), str(frozen.secret_key), frozen.token

    def identity(self) -> tuple[str, str]:
        """Return (account id, ARN) of whoever these credentials belong to.

        Raises Rejected when there are none or they are not valid, Unavailable when AWS does not answer.
        """
        self.keys()
        try:
            answer = self.client("sts").get_caller_identity()
        except ClientError as error:
            raise Rejected(f"the AWS credentials are not accepted: {error.response['Error']['Message']}") from error
        except BotoCoreError as error:
            raise Unavailable(f"AWS does not answer: {error}") from error
        return str(answer["Account"]), str(answer["Arn"])

    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key, region_name=self.region
        )
