"""The operator's connection: clients for the account at hand, or for the laptop engine, made once per service."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
)

from cloud.faults import code
from cloud.session import CONFIG
from lifecycle.errors import Rejected, Unavailable

NO_CREDENTIALS: Final = "no AWS credentials found. Run `aws configure` or `aws sso login`, or set AWS_PROFILE"
_REFUSED: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "Forbidden",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
# an operator who calls a function waits as long as Lambda lets it run; a call given up would be sent again
_PATIENT: Final = {"lambda": Config(read_timeout=930, tcp_keepalive=True)}


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
            config = CONFIG.merge(_PATIENT.get(service, Config()))
            self._clients[service] = self._session().client(service, endpoint_url=self.endpoint, config=config)
        return self._clients[service]

    def keys(self) -> tuple[str, str, str | None]:
        """Return access key, secret and session token for signing HTTP requests.

        Raises
        ------
        Unavailable
            when no credentials are configured; the message says how to provide them.
        """
        with in_words():
            found = self._session().get_credentials()
            if found is None:
                raise Unavailable(NO_CREDENTIALS)
            frozen = found.get_frozen_credentials()
        return str(frozen.access_key), str(frozen.secret_key), frozen.token

    def identity(self) -> tuple[str, str]:
        """Return (account id, ARN) of whoever these credentials belong to.

        Raises Unavailable when there are none, when they are not accepted, or when AWS does not answer.
        """
        self.keys()
        with in_words():
            answer = self.client("sts").get_caller_identity()
        return str(answer["Account"]), str(answer["Arn"])

    def _session(self) -> boto3.Session:
        return boto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key, region_name=self.region
        )


@contextmanager
def in_words() -> Iterator[None]:
    """Run what an operator asked for: whatever boto3 raises in it ends as an error that a person can act on.

    Raises
    ------
    Unavailable
        when there is nobody to talk to: no credentials, refused credentials, no region, no answer.
    Rejected
        when AWS refused the call itself; the message names the operation and AWS's reason.
    """
    try:
        yield
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise Unavailable(NO_CREDENTIALS) from error
    except ProfileNotFound as error:
        raise Unavailable(f"{error}. Set AWS_PROFILE to a profile of ~/.aws/config") from error
    except NoRegionError as error:
        raise Unavailable("no AWS region. Set `region` of the stage in stages.yaml") from error
    except ClientError as error:
        said = error.response.get("Error", {}).get("Message") or "no reason given"
        where = f"{error.operation_name}: {code(error)}: {said}"
        if code(error) in _REFUSED:
            raise Unavailable(f"AWS refuses these credentials: {where}. See: perennial doctor --aws") from error
        raise Rejected(f"AWS refused {where}") from error
    except BotoCoreError as error:
        raise Unavailable(f"AWS does not answer: {error}") from error
