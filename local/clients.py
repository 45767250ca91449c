"""boto3 clients whose requests are answered inside this process, by the same dispatch as the HTTP gateway's."""

import io
import threading
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.config import Config

from local.identity import OPERATOR, Credentials, Identity
from local.wire import HttpAnswer, HttpCall

Dispatch = Callable[[HttpCall], HttpAnswer]
_MAKING = threading.Lock()  # boto3's sessions are not for several threads


class Answering(Protocol):
    """Answers requests, and knows whose keys they are signed with."""

    identity: Identity

    def __call__(self, call: HttpCall) -> HttpAnswer:
        """Answer one request."""


class Clients:
    """A lazily filled set of clients, one per service, safe to use from every thread.

    `app` is what their user agent says of them (`local.api.Asked`).
    """

    def __init__(self, dispatch: Answering, region: str, credentials: Credentials = OPERATOR, app: str = "") -> None:
        self.region = region
        self._app = app
        self._dispatch = dispatch
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._session = boto3.Session(region_name=region)
        self._keys = {
            "aws_access_key_id": credentials.access_key,
            "aws_secret_access_key": credentials.secret_key,
            "aws_session_token": credentials.session_token,
        }
        self._roles: dict[str, Clients] = {}

    @property
    def identity(self) -> Identity:
        """Whose keys the answering side knows."""
        return self._dispatch.identity

    def client(self, service: str) -> Any:
        """Return the client of `service` (boto3's name for it, as "stepfunctions")."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._create(service)
            return self._clients[service]

    def acting_as(self, role_arn: str) -> "Clients":
        """Return the clients that call with a role's keys."""
        with self._lock:
            if role_arn not in self._roles:
                made = Clients(self._dispatch, self.region, self._dispatch.identity.issue(role_arn), self._app)
                made._session = self._session  # the services' models are read once
                self._roles[role_arn] = made
            return self._roles[role_arn]

    def __call__(self, service: str, role_arn: str | None = None) -> Any:
        """Return the client of `service` that calls as `role_arn` (None: as these clients do): `local.api.Clients`."""
        return (self if role_arn is None else self.acting_as(role_arn)).client(service)

    def _create(self, service: str) -> Any:
        config = Config(
            s3={"addressing_style": "path"},
            inject_host_prefix=False,
            user_agent_appid=self._app or None,
            # an answer from this process is final: a second attempt would only hide a fault of the engine
            retries={"total_max_attempts": 1, "mode": "standard"},
        )
        with _MAKING:
            client = self._session.client(service, endpoint_url="http://127.0.0.1", config=config, **self._keys)
        client.meta.events.register("before-send", self._answer)
        return client

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        url = urlsplit(request.url)
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        answer = self._dispatch(HttpCall(request.method, url.path or "/", url.query, headers, _content(request.body)))
        return AWSResponse(request.url, answer.status, HeadersDict(answer.headers), _Raw(answer.body))


class _Raw(io.BytesIO):
    """The body as urllib3 would stream it."""

    def stream(self, amount: int = 65536, **_: Any) -> Any:
        while chunk := self.read(amount):
            yield chunk


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _content(body: Any) -> bytes:
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)
