"""HTTP -> the live model's answer: POST /models/{name}/predictions and GET /models/{name}.

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
from lifecycle.prediction_log import metrics_line
from lifecycle.problem import Problem

PREDICTIONS: Final = "/predictions"


def answer(live: LiveModel | None, place: Place, event: Mapping[str, Any]) -> Response:
    """Return the answer to one HTTP request; `live` is None before the first deployment."""
    started = time.perf_counter()
    try:
        if live is None:
            raise Problem(503, "no model yet: this model's first training run has not been deployed", rows=0)
        method = event["requestContext"]["http"]["method"]
        if not event["rawPath"].endswith(PREDICTIONS):
            return live.describe()
        if method != "POST":
            raise Problem(405, f"{method} is not possible here; POST rows", headers={"allow": "POST"}, rows=0)
        response, lines = live.predict(event, started)
    except Problem as problem:
        response, now = problem.response(), int(time.time() * 1000)
        lines = [metrics_line(place.stage, place.model, scored=0, refused=problem.rows, time_ms=now)]
        if not problem.rows:
            return response
    _write(lines)
    return response


def handler(event: Mapping[str, Any], _context: object) -> Response:
    """Lambda's entry point."""
    try:
        if _BROKEN is not None:
            raise Problem(503, "the deployed model cannot be loaded; the function's log says why", rows=0)
        return answer(_LIVE, _PLACE, event)
    except Problem as problem:
        return problem.response()
    except Exception as error:  # noqa: BLE001 - composition root: the caller must not see internals, the log must
        _fault("request failed", error)
        return Problem(500, "the request could not be answered; the function's log says why").response()


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
