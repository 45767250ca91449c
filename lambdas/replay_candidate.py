"""The winner of a run + logged traffic -> how its answers differ, for the gate and for whoever approves it.

Runs only where model.yaml has `gates.replay`. The candidate is scored here, from its compiled file and the features.py
of this package, whose hash it names; nothing is deployed, and nobody's request is touched.
"""

from pathlib import Path
from typing import Any, Final

from lambdas import wiring
from lambdas.observability import note
from lifecycle import keys, replay
from lifecycle.errors import SpecRejected
from lifecycle.scoring import CompiledModel
from lifecycle.settings import Run
from lifecycle.shadow import Shadow

PACKAGE: Final = Path(__file__).resolve().parent.parent
ROWS_AN_HOUR: Final = 600  # of a month, 432,000 rows: what one call can score, spread over all of its hours
DAY: Final = 86_400.0
ENDPOINT: Final = "an endpoint will serve this model, which is made when it is deployed; its canary sees traffic first"


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Compare the winner of a run with the log, keep the figures beside its scorecard."""
    settings = wiring.settings(Run)
    gate = wiring.spec(settings.spec_id).gates.replay
    if gate is None:
        raise SpecRejected("model.yaml has no gates.replay, but the state machine asks for a replay. Deploy again.")
    artifacts, run_id = wiring.bucket(settings.artifact_bucket), event["run_id"]
    compiled = artifacts.need(keys.run(settings.model, run_id, "evaluation", "compiled.json"))
    model = CompiledModel.load(compiled, PACKAGE)
    if model.remote:
        return _skipped(settings, run_id, ENDPOINT)
    log = wiring.predictions(settings.data_bucket, settings.model)
    now = wiring.now()
    records = replay.spread(log.records(now - gate.days * DAY, now), ROWS_AN_HOUR)
    found = replay.replay(records, Shadow(model)).summary()
    artifacts.write_json(
        keys.run(settings.model, run_id, "evaluation", "replay.json"), {**found, "unreadable": log.unreadable}
    )
    verdict = replay.judge(found, gate)
    note("candidate replayed", run_id=run_id, rows=found["rows"], approved=verdict.approved)
    return {"rows": found["rows"], "approved": verdict.approved}


def _skipped(settings: Run, run_id: str, reason: str) -> dict[str, Any]:
    """Leave the reason where the gate looks: it reaches package and ledger with the other reasons."""
    key = keys.run(settings.model, run_id, "evaluation", "replay.json")
    wiring.bucket(settings.artifact_bucket).write_json(key, {"skipped": reason, "rows": 0, "refused": 0})
    note("replay skipped", run_id=run_id, reason=reason)
    return {"rows": 0, "approved": True}
