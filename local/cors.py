"""CORS of an HTTP API, as API Gateway does it: preflight requests answered by itself, headers of its own on the rest.

Source: API Gateway developer guide, "Configure CORS for HTTP APIs": an API with CORS answers preflight requests without
asking authorizer or function, and CORS headers of a function are ignored.
"""

from collections.abc import Mapping
from typing import Any

from local.proxy_event import HttpRequest, Response

Cors = Mapping[str, Any]


def preflight(cors: Cors, request: HttpRequest) -> Response | None:
    """Return the answer to a preflight request; None for any other request, and where CORS is off."""
    asks = request.method == "OPTIONS" and "access-control-request-method" in request.headers
    if not cors or not asks:
        return None
    found = allowed(cors, request.headers)
    if found:
        lists = {"access-control-allow-methods": "AllowMethods", "access-control-allow-headers": "AllowHeaders"}
        found |= {name: ",".join(cors[member]) for name, member in lists.items() if cors.get(member)}
        if cors.get("MaxAge") is not None:
            found["access-control-max-age"] = str(cors["MaxAge"])
    return 204, found, b""


def allowed(cors: Cors, headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that an answer to the page of this origin carries; none when the page may not see it."""
    origin = headers.get("origin")
    origins = cors.get("AllowOrigins") or ()
    if origin is None or not ("*" in origins or origin in origins):
        return {}
    found = {"access-control-allow-origin": "*" if "*" in origins else origin}
    return found | ({"access-control-allow-credentials": "true"} if cors.get("AllowCredentials") else {})


def applied(cors: Cors, headers: Mapping[str, str], answered: Mapping[str, str]) -> dict[str, str]:
    """Return an answer's headers with the API's CORS headers for the function's; unchanged where CORS is off."""
    if not cors:
        return dict(answered)
    kept = {name: value for name, value in answered.items() if not name.startswith("access-control-")}
    return kept | allowed(cors, headers)
