"""The seam between the parts of the engine: an AWS call as data, an AWS error, and who answers which operation.

A part that implements operations offers `operations() -> dict[(service, operation), Operation]`; the gateway asks these
first and moto for everything else. `service` is botocore's service name ("states" is botocore's "stepfunctions").
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

ACCOUNT = "123456789012"
ENGINE = "perennial-engine"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the call: the access key, and the role behind it (None for the operator)."""

    access_key: str
    role_arn: str | None = None


class ApiError(Exception):
    """An error that AWS would answer: `code` is the error's name on the wire, `members` what it says besides."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of one operation, as guards see it before it is answered; `parameters` by botocore's member names.

    `app` is what the caller's user agent says of it: `names.PRODUCT` for the product's own clients, `ENGINE` for those
    of the engine's parts, "" for everybody else.
    """

    service: str
    operation: str
    region: str
    caller: Caller
    parameters: Mapping[str, Any]
    app: str = ""


Guard = Callable[[Asked], None]
"""Looks at a call before it is answered; raises ApiError to refuse it."""

Operation = Callable[[dict[str, Any], Caller], dict[str, Any]]
"""Takes the parsed parameters (botocore member names), returns the response members; datetimes stay datetimes."""

Operations = Mapping[tuple[str, str], Operation]


class Emit(Protocol):
    """Puts an event of an AWS service on the default bus; delivery happens later, at least once."""

    def __call__(self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
        """Put one event; the bus stamps id, time, account and region."""


class Clients(Protocol):
    """Gives boto3 clients of the engine itself, answered in-process."""

    def __call__(self, service: str, role_arn: str | None = None) -> Any:
        """Return the client of `service` that calls as `role_arn` (None: as the operator)."""


class Invoke(Protocol):
    """Invokes a function synchronously as a given caller."""

    def __call__(self, function_arn: str, payload: bytes) -> "Invocation":
        """Run `function_arn` (name, ARN or ARN with version or alias) and wait for its answer."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What Lambda answered. `error` is None, or "Unhandled"; then `payload` holds errorType and errorMessage."""

    payload: bytes
    error: str | None
    version: str
