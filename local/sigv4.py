"""A signed HTTP request -> whose keys signed it, or why it is refused (AWS Signature Version 4, verified).

The signature is computed again with botocore's own signer over exactly the headers that the client says it signed.
"""

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders

from local.identity import Credentials

SKEW_SECONDS = 300
"""How far a signature's time may be from the engine's or the machine's: API Gateway allows five minutes."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class SignatureError(Exception):
    """The request is not signed by keys of this engine; the message says what is wrong (for the engine's log only)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request as it arrived; `path` is the raw path as sent, `headers` have lower-case names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature must be for."""

    region: str
    service: str


def verify(
    request: Signed, scope: Scope, keys: Callable[[str], Credentials | None], clocks: Iterable[float]
) -> Credentials:
    """Return the credentials that signed `request`; `keys` finds them by access key, `clocks` are the times of now.

    Raises
    ------
    SignatureError
        when there is no signature, its scope, time or key is wrong, or it does not fit the request.
    """
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", "").strip())
    if found is None:
        raise SignatureError("there is no AWS4-HMAC-SHA256 signature in the Authorization header")
    if (found["region"], found["service"]) != (scope.region, scope.service):
        raise SignatureError(f"signed for {found['region']}/{found['service']}, not {scope.region}/{scope.service}")
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp, found["date"], clocks)
    credentials = keys(found["key"])
    if credentials is None:
        raise SignatureError(f"access key {found['key']} is not one of this engine's")
    if request.headers.get("x-amz-security-token") != credentials.session_token:
        raise SignatureError("the session token is missing or not the key's")
    names = found["headers"].split(";")
    if "host" not in names or "x-amz-date" not in names:
        raise SignatureError("the headers host and x-amz-date must be signed")
    _check_payload(request)
    expected = _signature(request, names, stamp, credentials, scope)
    if not hmac.compare_digest(expected, found["signature"]):
        raise SignatureError("the signature does not match the request and the secret key")
    return credentials


def _check_time(stamp: str, date: str, clocks: Iterable[float]) -> None:
    try:
        at = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise SignatureError(f"x-amz-date must look like 20261121T100000Z, got {stamp!r}") from None
    if not stamp.startswith(date):
        raise SignatureError("the date of the credential scope is not that of x-amz-date")
    if all(abs(at - now) > SKEW_SECONDS for now in clocks):
        raise SignatureError(f"signed at {stamp}, more than {SKEW_SECONDS} seconds away from now")


def _check_payload(request: Signed) -> None:
    # only S3 takes unsigned payloads
    said = request.headers.get("x-amz-content-sha256")
    if said not in (None, hashlib.sha256(request.body).hexdigest()):
        raise SignatureError("x-amz-content-sha256 is not the body's hash")


class _Again(SigV4Auth):  # type: ignore[misc]
    """Signs exactly the headers that it is given."""

    def headers_to_sign(self, request: Any) -> Any:
        names = HTTPHeaders()
        for name, value in request.headers.items():
            names[name.lower()] = value
        return names


def _signature(request: Signed, names: list[str], stamp: str, credentials: Credentials, scope: Scope) -> str:
    headers = {name: request.headers.get(name, "") for name in names}
    url = f"http://{headers['host']}{request.path}" + (f"?{request.query}" if request.query else "")
    again = AWSRequest(method=request.method, url=url, data=request.body, headers=headers)
    again.context["timestamp"] = stamp
    signer = _Again(credentials, scope.service, scope.region)
    return str(signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again))
