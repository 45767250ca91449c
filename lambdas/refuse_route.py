"""The API's `$default` route: whatever no model's route takes gets a problem document that says what there is.

A path of a known form whose method no route has is a 405; everything else, a model that does not exist included, a 404.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from lifecycle.problem import Problem

METHODS: Final = {
    re.compile(r"/models/[^/]+/predictions"): "POST",
    re.compile(r"/models/[^/]+/feedback"): "POST",
    re.compile(r"/models/[^/]+/openapi\.json"): "GET",
    re.compile(r"/models/[^/]+"): "GET",
    re.compile(r"/openapi\.json"): "GET",
}
KNOWN: Final = (
    "POST /models/{name}/predictions, POST /models/{name}/feedback, GET /models/{name}, "
    "GET /models/{name}/openapi.json, GET /openapi.json"
)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Lambda's entry point: an event of payload format 2.0 in, a problem document out."""
    return refusal(event["requestContext"]["http"]["method"], event["rawPath"]).response()


def refusal(method: str, path: str) -> Problem:
    """Return why there is nothing for `method` at `path`."""
    for form, allowed in METHODS.items():
        if form.fullmatch(path) is None:
            continue
        if method != allowed:
            detail = f"{method[:20]} is not possible here; {allowed} is"
            return Problem(405, detail, headers={"allow": allowed})
        name = path.removeprefix("/models/").partition("/")[0]
        return Problem(404, f"there is no model {name[:60]!r} in this stage; deployed models answer to {KNOWN}")
    return Problem(404, f"there is nothing at {path[:200]!r}; known paths are {KNOWN}")
