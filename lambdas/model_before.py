"""The alias -> the model that was live before the one that is, ready to answer logged rows, or why it cannot."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from lambdas import wiring
from lambdas.asking import ask
from lambdas.standing import alias_of, said_by
from lifecycle import claims, compiled, keys
from lifecycle.errors import ModelRejected, SpecRejected
from lifecycle.scoring import CompiledModel
from lifecycle.settings import JudgeLive
from lifecycle.shadow import Shadow
from lifecycle.spec import contract_of
from lifecycle.tenure_quality import why_not

REMEMBERED: Final = 2  # models: a few MB each
PACKAGE: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """The live model (`version` is the function's, `model_version` the package's number) and the one before it.

    `back` is the published version to go back to; `shadow` answers as that one would, None for the `reason`. `tenure`
    identifies this time of being live, which began at `since` (epoch seconds).
    """

    version: str
    model_version: str
    run_id: str
    since: int
    back: str
    tenure: str
    shadow: Shadow | None = None
    reason: str = ""
    run_id_before: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What the ledger says of the two."""
        return {
            "model_version": self.model_version,
            "run_id": self.run_id,
            "version": self.version,
            "back": self.back,
            "run_id_before": self.run_id_before,
        }


def why_waiting(settings: JudgeLive) -> str | None:
    """Return what has to end before the live model is judged: a run, or a deployment; or that nobody wants it."""
    if not wiring.packaged_spec().retraining.go_back:
        return "model.yaml says `go_back: false`"
    table, now = wiring.claims(settings.claims_table), wiring.now()
    for name, what in ((claims.run(settings.model), "a run"), (claims.deploy(settings.model), "a deployment")):
        held = table.read(name)
        if held is not None and held.held_by_other("", now):
            return f"{what} is under way ({held.owner}); the live model is judged when it is over"
    return None


def before_of(settings: JudgeLive) -> Before | str:
    """Return the live model and the one before it; why there are none to compare, as text."""
    alias = alias_of(settings)
    live = said_by(alias)
    if live is None:
        return "no model is live"
    if alias.weights:
        return "a rollout is under way; the live model is judged when it is over"
    if live.back is None:
        return "the live model has no version before it: it is the first one, or was gone back to"
    found = Before(
        version=alias.version,
        model_version=str(live.number),
        run_id=live.run_id,
        since=live.since,
        back=live.back,
        tenure=f"judged#{live.package_arn}#{live.since}",
    )
    return _with_shadow(settings, found)


def _with_shadow(settings: JudgeLive, found: Before) -> Before:
    try:
        before = run_of(settings, found.back)
    except ModelRejected as error:
        return replace(found, reason=str(error))
    known = replace(found, run_id_before=before)
    if before == found.run_id:
        return replace(known, reason="the version before holds the same model; its code or configuration changed")
    try:
        return replace(known, shadow=shadow_of(settings, found.run_id, before))
    except (ModelRejected, SpecRejected) as error:
        return replace(known, reason=f"the model before cannot answer here: {error}")


@lru_cache(maxsize=REMEMBERED)
def run_of(settings: JudgeLive, version: str) -> str:
    """Return the run of the model in a published version, which never changes: it is asked once."""
    described, refused = ask(settings, version)
    if refused or not described.get("run_id"):
        raise ModelRejected(f"function version {version} names no model: {refused or 'it holds none'}")
    return str(described["run_id"])


@lru_cache(maxsize=REMEMBERED)
def shadow_of(settings: JudgeLive, live: str, before: str) -> Shadow:
    """Load the model of run `before`; raises ModelRejected or SpecRejected when it cannot answer for `live`."""
    model = CompiledModel.load(_compiled(settings, before), PACKAGE)
    if model.remote:
        raise ModelRejected("an endpoint served it, which is not asked here")
    contract = contract_of(compiled.read(_compiled(settings, live))["contract"])
    if different := why_not(wiring.packaged_spec().contract, contract, model.contract):
        raise ModelRejected(different)
    return Shadow(model)


def _compiled(settings: JudgeLive, run_id: str) -> bytes:
    key = keys.run(settings.model, run_id, "evaluation", "compiled.json")
    body = wiring.bucket(settings.artifact_bucket).read(key)
    if body is None:
        raise ModelRejected(f"{key} does not exist any more")
    return body
