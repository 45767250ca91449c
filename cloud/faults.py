"""botocore's errors -> the error family, so that nobody outside this package knows botocore."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from lifecycle.errors import Throttled, Unavailable

THROTTLES = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
TRANSIENT = frozenset(
    {"InternalError", "InternalFailure", "InternalServerError", "ServiceException", "ServiceUnavailable"}
)


def code(error: ClientError) -> str:
    """Return the name of an AWS error, as on the wire."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Run one AWS call; `doing` names it and its object for the reader of an error.

    Raises
    ------
    Throttled
        when AWS asks to slow down, after botocore's own retries.
    Unavailable
        when AWS failed or could not be reached, after botocore's own retries.
    ClientError
        for everything else: access denied, a missing resource, a call that is wrong. Callers that expect one of these
        catch it by its code; otherwise it is a fault of the deployment and ends the function under its own name.
    """
    try:
        yield
    except ClientError as error:
        name = code(error)
        if name in THROTTLES:
            raise Throttled(f"{doing}: {name}: AWS asks to slow down; try again later") from error
        if name in TRANSIENT:
            raise Unavailable(f"{doing}: {name}: AWS failed; try again later") from error
        raise
    except (ConnectionError, HTTPClientError) as error:
        raise Unavailable(f"{doing}: AWS could not be reached: {error}") from error
