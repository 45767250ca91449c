"""One serverless endpoint: its status, how many requests it takes at once, and the container that comes and goes."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from local.api import ApiError
from local.clock import Clock
from local.endpoints.container import Answer, Container, ContainerFailed

IDLE_SECONDS = 300.0
"""Of engine time, after which the container is stopped. AWS scales to zero "when there are no requests", after minutes
that it does not name; that the next request starts a container anew is what matters here."""

Start = Callable[[], Container]


class Endpoint:
    """An endpoint by name; `start` makes a container of its model."""

    def __init__(self, given: Mapping[str, Any], arn: str, concurrency: int, start: Start, clock: Clock) -> None:
        self.given = given
        self.arn = arn
        self.status = "Creating"
        self.reason: str | None = None
        self.created = datetime.fromtimestamp(clock.now(), UTC)
        self._concurrency = concurrency
        self._start = start
        self._clock = clock
        self._container: Container | None = None
        self._busy = 0
        self._used = clock.now()
        self._lock = threading.Lock()

    def create(self) -> None:
        """Start the first container: InService, or Failed with the reason."""
        try:
            with self._clock.hold():
                self._ready()
            self.status = "InService"
        except ContainerFailed as failed:
            self.reason = f"The primary container for production variant failed: {failed}"
            self.status = "Failed"

    def invoke(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Answer one request, after a cold start if the container was stopped."""
        with self._lock:
            if self._busy >= self._concurrency:
                raise ApiError("ThrottlingException", f"Rate exceeded: {self._concurrency} requests run already", 400)
            self._busy += 1
        try:
            with self._clock.hold():
                return self._ready().invoke(body, content_type, accept)
        except TimeoutError as error:
            raise model_error(504, "the model did not answer within 60 seconds", self.arn) from error
        except ContainerFailed as failed:
            self.close()
            raise model_error(500, str(failed), self.arn) from failed
        finally:
            with self._lock:
                self._busy -= 1
                self._used = self._clock.now()

    def rest(self) -> None:
        """Stop the container when nobody asked for a while."""
        with self._lock:
            idle = not self._busy and self._clock.now() - self._used > IDLE_SECONDS
            resting = self._container if idle else None
            if idle:
                self._container = None
        if resting is not None:
            resting.close()

    @property
    def is_warm(self) -> bool:
        """Whether a container runs."""
        return self._container is not None

    def close(self) -> None:
        """Stop the container at once."""
        with self._lock:
            container, self._container = self._container, None
        if container is not None:
            container.close()

    def described(self) -> dict[str, Any]:
        """Return the members of DescribeEndpoint's answer."""
        answer = {key: self.given[key] for key in ("EndpointName", "EndpointConfigName")}
        answer |= {"EndpointArn": self.arn, "EndpointStatus": self.status}
        answer |= {"CreationTime": self.created, "LastModifiedTime": self.created}
        return answer if self.reason is None else {**answer, "FailureReason": self.reason}

    def _ready(self) -> Container:
        with self._lock:
            self._used = self._clock.now()
            if self._container is None:
                container = self._start()
                container.await_ping()
                self._container = container
            return self._container


def model_error(status: int, message: str, arn: str) -> ApiError:
    """Return what InvokeEndpoint answers for a container's status (API reference, InvokeEndpoint, ModelError)."""
    word = "client" if status < 500 else "server"
    text = f'Received {word} error ({status}) from primary with message "{message}".'
    return ApiError("ModelError", text, 424, OriginalStatusCode=status, OriginalMessage=message, LogStreamArn=arn)
