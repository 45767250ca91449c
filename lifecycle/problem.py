"""What is wrong with a request -> an RFC 9457 problem document. `Problem` is raised; the handler answers with it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecycle.errors import RequestRejected

CONTENT_TYPE: Final = "application/problem+json"
ERRORS_LISTED: Final = 50
TITLES: Final = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    500: "Internal Server Error",
    503: "Service Unavailable",
}

FieldError = Mapping[str, Any]
"""`row` (number from 0, or None), `field` (name, or None) and `message`."""


class Problem(RequestRejected):
    """A request that gets a problem document as its answer.

    `status` is the HTTP status, `error` the name of the error class behind it, `errors` what is wrong field by field,
    `headers` what the answer carries besides its content type.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def document(self) -> dict[str, Any]:
        """Return the problem document.

        The type is `about:blank`: the title is the status's own phrase, as RFC 9457 asks in section 4.2.1.

        >>> Problem(404, "no such path").document()["title"]
        'Not Found'
        """
        found: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES[self.status],
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            found["errors"] = self.errors
        return found

    def response(self) -> dict[str, Any]:
        """Return the answer in API Gateway's payload format 2.0."""
        return {
            "statusCode": self.status,
            "headers": {"content-type": CONTENT_TYPE, "cache-control": "no-store", **self.headers},
            "body": json.dumps(self.document()),
            "isBase64Encoded": False,
        }


def field_error(row: int | None, field: str | None, message: str) -> FieldError:
    """Return one entry of a problem's `errors`."""
    return {"row": row, "field": field, "message": message}
