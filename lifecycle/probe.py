"""Recorded rows and their answers -> the request by which a deployment asks a version, and what is wrong with answers.

A probe is a direct invocation with the event that API Gateway would send, plus one member of `requestContext` that no
HTTP client can set: it is answered as any request, and leaves no line in the log and no metric.
"""

import json
from collections.abc import Mapping, Sequence
from math import isclose
from typing import Any, Final

from lifecycle import names
from lifecycle.rollout import SLOWER_MS, Rollout

SCHEMA: Final = 1
ROWS: Final = 50
TOLERANCE: Final = 1e-9
_SHOWN: Final = 5


def document(rows: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return `probe.json`: rows as a client sends them, and what the model answers to each."""
    return {"schema": SCHEMA, "rows": list(rows), "expected": list(expected)}


def event(model: str, rows: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """Return the invocation that asks for predictions, or for the model's description when `rows` is None."""
    method, path = ("GET", f"/models/{model}") if rows is None else ("POST", f"/models/{model}/predictions")
    asked = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": method, "path": path}, names.PRODUCT: names.PROBE},
        "isBase64Encoded": False,
    }
    return asked if rows is None else {**asked, "body": json.dumps({"rows": list(rows)})}


def body_of(answer: Any) -> Any:
    """Return the JSON body of a function's HTTP answer; None when there is none."""
    try:
        return json.loads(answer["body"])
    except (KeyError, TypeError, ValueError):
        return None


def refusal(answer: Any) -> str | None:
    """Return what an answer says that is not 200; None when it is."""
    status = answer.get("statusCode") if isinstance(answer, Mapping) else None
    if status == 200:
        return None
    body = body_of(answer)
    said = body.get("detail") if isinstance(body, Mapping) else None
    return f"it answered {status if status is not None else 'no HTTP answer'}{f': {said}' if said else ''}"


def differences(expected: Sequence[Mapping[str, Any]], body: Any) -> list[str]:
    """Return where predictions differ from the expected ones: numbers by more than 1e-9, anything else at all."""
    found = body.get("predictions") if isinstance(body, Mapping) else None
    if not isinstance(found, list) or len(found) != len(expected):
        count = len(found) if isinstance(found, list) else "no"
        return [f"it gave {count} predictions for {len(expected)} rows"]
    wrong = []
    for number, (want, got) in enumerate(zip(expected, found, strict=True)):
        said = got if isinstance(got, Mapping) else {}
        for name, value in want.items():
            if not _same(value, said.get(name)):
                wrong.append(f"row {number}: {name} is {said.get(name)!r}, not {value!r}")
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return wrong[:_SHOWN] + more


def _same(want: Any, got: Any) -> bool:
    if isinstance(want, Mapping):
        return isinstance(got, Mapping) and want.keys() == got.keys() and all(_same(want[k], got[k]) for k in want)
    if isinstance(want, float) and not isinstance(got, bool) and isinstance(got, int | float):
        return isclose(want, got, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(want == got and want.__class__ is got.__class__)


def slowness(fastest_ms: float | None, live_ms: float | None, policy: Rollout) -> list[str]:
    """Return why a version is too slow beside the live one: by the same limits as its traffic is judged by."""
    if fastest_ms is None or live_ms is None or fastest_ms - live_ms <= SLOWER_MS:
        return []
    ratio = fastest_ms / max(live_ms, 0.001)
    if ratio <= policy.max_duration_ratio:
        return []
    return [f"it takes {fastest_ms:.1f} ms for recorded rows, {ratio:.1f} times the live version's {live_ms:.1f} ms"]
