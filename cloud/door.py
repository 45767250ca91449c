"""The HTTP API of a stage, called as its IAM-signed client."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lifecycle.errors import Unavailable

_TIMEOUT = urllib3.Timeout(connect=5, read=30)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status code and JSON body of an answer (a text body is kept under "message")."""

    status: int
    body: Any


class Door:
    """Signs requests with SigV4 for `execute-api` and sends them."""

    def __init__(self, url: str, region: str, keys: tuple[str, str, str | None]) -> None:
        self.url = url.rstrip("/")
        self._region = region
        self._credentials = Credentials(*keys)
        self._pool = urllib3.PoolManager(retries=False, timeout=_TIMEOUT)

    def predict(self, model: str, rows: list[Mapping[str, Any]]) -> Answer:
        """Ask for predictions of rows. Raises Unavailable when nothing answers at the address."""
        return self.call("POST", f"/models/{model}/predictions", json.dumps({"rows": rows}).encode())

    def call(self, method: str, path: str, body: bytes = b"", extra: Mapping[str, str] | None = None) -> Answer:
        """Send one signed request with `extra` headers. Raises Unavailable when nothing answers at the address."""
        headers = ({"Content-Type": "application/json"} if body else {}) | dict(extra or {})
        request = AWSRequest(method=method, url=self.url + path, data=body, headers=headers)
        SigV4Auth(self._credentials, "execute-api", self._region).add_auth(request)
        try:
            answer = self._pool.request(method, self.url + path, body=body, headers=dict(request.headers))
        except urllib3.exceptions.HTTPError as error:
            raise Unavailable(f"{self.url} does not answer: {error}") from error
        try:
            found = json.loads(answer.data)
        except ValueError:
            found = {"message": answer.data.decode(errors="replace")}
        return Answer(answer.status, found)
