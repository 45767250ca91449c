"""HTTP -> the live model's answer: POST /models/{name}/predictions, GET /models/{name} and its OpenAPI document.

The model is part of the deployed package, so a cold start reads nothing from the network: `model/compiled.json` and
`model/release.json` were added by the deployment, the spec and features.py by synth. Everything is loaded once, before
the first request. This module is its own composition root and imports neither boto3 nor powertools: process start is
what a caller waits for.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lambdas.live_model import LiveModel, Place, Response
from lifecycle import names
from lifecycle.prediction_log import failure_lines
from lifecycle.problem import Problem

PREDICTIONS: Final = "/predictions"
DOCUMENT: Final = "/openapi.json"


def answer(live: LiveModel | None, place: Place, event: Mapping[str, Any]) -> Response:
    """Return the answer to one HTTP request; `live` is None before the first deployment.

    A probe is answered as any request and leaves no line: nobody asked, so nothing may count it.
    """
    started = time.perf_counter()
    try:
        if live is None:
            raise Problem(503, "no model yet: this model's first training run has not been deployed")
        method = event["requestContext"]["http"]["method"]
        if event["rawPath"].endswith(DOCUMENT):
            return live.openapi()
        if not event["rawPath"].endswith(PREDICTIONS):
            return live.describe(probed=is_probe(event))
        if method != "POST":
            raise Problem(405, f"{method} is not possible here; POST rows", headers={"allow": "POST"})
        response, lines = live.predict(event, started)
    except Problem as problem:
        response, lines = problem.response(), []
        if problem.status >= 500:
            lines = _failure(live, place, event, problem.status, problem.detail)
    if lines and not is_probe(event):
        _write(lines)
    return response


def is_probe(event: Mapping[str, Any]) -> bool:
    """Whether a deployment asks, by invoking the function itself; no HTTP client can set this member."""
    return bool(_context(event).get(names.PRODUCT) == names.PROBE)


def _failure(live: LiveModel | None, place: Place, event: Mapping[str, Any], status: int, error: str) -> list[str]:
    facts = {
        "stage": place.stage,
        "model": place.model,
        "model_version": None if live is None else live.model_version,
        "arm": place.arm,
        "request_id": _context(event).get("requestId"),
    }
    return failure_lines(facts, time_ms=_now(), status=status, error=error)


def _context(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return event.get("requestContext") or {}


def _now() -> int:
    return int(time.time() * 1000)


def handler(event: Mapping[str, Any], _invocation: object) -> Response:
    """Lambda's entry point."""
    try:
        if _BROKEN is None:
            return answer(_LIVE, _PLACE, event)
        problem = Problem(503, "the deployed model cannot be loaded; the function's log says why")
        why = type(_BROKEN).__name__
    except Exception as error:  # noqa: BLE001 - composition root: the caller must not see internals, the log must
        _fault("request failed", error)
        problem = Problem(500, "the request could not be answered; the function's log says why")
        why = type(error).__name__
    if not is_probe(event):
        _write(_failure(_LIVE, _PLACE, event, problem.status, why))
    return problem.response()


def _write(lines: list[str]) -> None:
    """Write log lines in one go. A log that cannot be written must not cost the caller an answer."""
    try:
        sys.stdout.write("\n".join([*lines, ""]))
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{len(lines)} log lines lost: {error}\n")


def _fault(event: str, error: Exception) -> None:
    import traceback

    trace = traceback.format_exception(error)
    facts = {"level": "ERROR", "message": event, "error": type(error).__name__, "detail": str(error), "trace": trace}
    _write([json.dumps(facts)])


_PLACE: Place
_LIVE: LiveModel | None = None
_BROKEN: Exception | None = None
if "LAMBDA_TASK_ROOT" in os.environ:
    _PLACE = Place.from_env(os.environ)
    try:
        _LIVE = LiveModel.load(Path(os.environ["LAMBDA_TASK_ROOT"]), _PLACE)
    except Exception as error:  # noqa: BLE001 - composition root: a damaged package answers 503 and logs why
        _BROKEN = error
        _fault("the deployed model cannot be loaded", error)
