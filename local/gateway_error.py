"""What API Gateway answers by itself, before or instead of a function: a status, one message, sometimes headers."""

from collections.abc import Mapping


class GatewayError(Exception):
    """An answer of API Gateway itself; `reason` is for the access log and never leaves the machine."""

    def __init__(self, status: int, message: str, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {message}: {reason}")
        self.status = status
        self.message = message
        self.reason = reason
        self.headers = dict(headers or {})
