"""A published version -> whether it answers recorded rows as it did in its evaluation; nobody else has asked it yet.

What raises, hangs until the function's own time-out, runs out of memory, does not start or answers wrongly is found
here, at no customer's cost.
"""

import time
from typing import Any, Final

from lambdas import wiring
from lambdas.alias_moves import left, require
from lambdas.asking import ask
from lambdas.deployment_record import facts, record
from lambdas.observability import note
from lambdas.standing import said_by
from lifecycle import keys, ledger, probe
from lifecycle.errors import NotReady
from lifecycle.rollout import Rollout
from lifecycle.settings import Deploy

WARMING: Final = 6  # an endpoint that nobody asked yet starts its first container; predict waits 20 seconds for it
CALLS: Final = 3  # the fastest of them counts: the first one starts the environment


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Ask the version; the answer begins the rollout's state. Raises NotReady until the version is active."""
    settings = wiring.settings(Deploy)
    planned, number = event["plan"], event["published"]["version"]
    alias = require(settings, left(planned, planned["alias"]["weights"]))
    reasons, fastest, rows = _probed(settings, planned, number)
    numbers: dict[str, Any] = {"version": number, "rows": rows, "fastest_ms": fastest}
    live = said_by(alias)
    if live is not None and not reasons:
        numbers["live_fastest_ms"] = _fastest(settings, alias.version, _recorded(settings, live.run_id)["rows"])[1]
        reasons = probe.slowness(fastest, numbers["live_fastest_ms"], Rollout(**planned["rollout"]))
    detail = {**facts(planned), **numbers, "sound": not reasons, "reasons": reasons}
    record(settings, ledger.VERSION_PROBED, f"{event['execution']}#probed", detail)
    note("version probed", version=number, sound=not reasons, rows=rows)
    gradual = planned["gradual"] and number != alias.version
    beginning = {"gradual": gradual, "step": 0, "held": 0, "since": 0, "weights": planned["alias"]["weights"]}
    return {"sound": not reasons, "reasons": reasons, **beginning}


def _probed(settings: Deploy, planned: dict[str, Any], number: str) -> tuple[list[str], float | None, int]:
    """Return (what is wrong, milliseconds of the fastest call, recorded rows)."""
    version = wiring.functions().version(settings.predict_function, number)
    if version.state == "Failed":
        return [f"it failed to start: {version.configuration.get('StateReason', 'no reason given')}"], None, 0
    if version.state not in ("", "Active"):
        raise NotReady(f"{settings.predict_function}:{number} is {version.state}; try again when it is Active")
    described, refused = ask(settings, number)
    if refused:
        return [refused], None, 0
    if described.get("run_id") != planned["run_id"] or described.get("model_version") != planned["model_version"]:
        return [f"it holds model {described.get('model_version')} of run {described.get('run_id')}"], None, 0
    recorded = _recorded(settings, planned["run_id"])
    if not recorded["rows"]:
        return [], None, 0
    if described.get("endpoint"):
        _warm(settings, number, recorded["rows"][:1])
    body, fastest, refused = _fastest(settings, number, recorded["rows"])
    wrong = [refused] if refused else probe.differences(recorded["expected"], body)
    return wrong, fastest, len(recorded["rows"])


def _warm(settings: Deploy, number: str, rows: list[dict[str, Any]]) -> None:
    for _ in range(WARMING):
        _, refused = ask(settings, number, rows)
        if not refused:
            return
        note("endpoint not warm", version=number, reason=refused)


def _recorded(settings: Deploy, run_id: str) -> dict[str, Any]:
    key = keys.run(settings.model, run_id, "evaluation", "probe.json")
    found = wiring.bucket(settings.artifact_bucket).read_json(key)
    return found or {"rows": [], "expected": []}


def _fastest(settings: Deploy, number: str, rows: list[dict[str, Any]]) -> tuple[Any, float | None, str | None]:
    """Return (body, milliseconds, None) of the fastest of some calls, or (None, None, why one failed)."""
    found: tuple[Any, float | None] = (None, None)
    for _ in range(CALLS if rows else 0):
        began = time.perf_counter()
        body, refused = ask(settings, number, rows)
        took = round((time.perf_counter() - began) * 1000, 3)
        if refused:
            return None, None, refused
        if found[1] is None or took < found[1]:
            found = (body, took)
    return *found, None
