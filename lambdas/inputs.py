"""A run that goes -> its folder: record, object lists to profile, and the live model to compare with."""

from typing import Any

from lambdas import wiring
from lambdas.observability import note
from lambdas.starting import Going
from lifecycle import families, keys, ledger, live, names, runs
from lifecycle.ledger import Entry
from lifecycle.live import Live
from lifecycle.runs import Asked, Begun, Origin
from lifecycle.settings import StartRun
from lifecycle.spec import ModelSpec
from lifecycle.versions import Manifest


def write_inputs(settings: StartRun, event: dict[str, Any], asked: Asked, going: Going) -> dict[str, Any]:
    """Write everything that the steps of a run read, and return what the state machine passes on."""
    spec = wiring.spec(settings.spec_id)
    champion = _write_champion(settings, going.run_id)
    candidates = [candidate.family for candidate in families.candidates(spec)]
    begun = Begun(
        run_id=going.run_id,
        attempt=going.attempt,
        asked=asked,
        parent=champion.run_id if champion else None,
        families=candidates,
    )
    batches = _write_batches(settings, spec, asked, going.run_id)
    _write_asked_families(settings, going.run_id, list(candidates))
    _write_record(settings, spec, event, begun)
    note("run started", run_id=going.run_id, version=asked.version, batches=len(batches))
    return {
        "go": True,
        "decision": "start",
        "run_id": going.run_id,
        "version": asked.version,
        "dataset": asked.dataset,
        "batches": [{"run_id": going.run_id, "batch": key} for key in batches],
        "families": [{"run_id": going.run_id, "family": family} for family in candidates],
        "uri": _uris(settings, asked, going.run_id),
    }


def _write_batches(settings: StartRun, spec: ModelSpec, asked: Asked, run_id: str) -> list[str]:
    data, artifacts = wiring.bucket(settings.data_bucket), wiring.bucket(settings.artifact_bucket)
    manifest = Manifest.from_plain(data.need_json(keys.manifest(asked.dataset, asked.version)))
    prefix = keys.profile(spec.contract.contract_id, "").removesuffix(".json")
    profiled = (key.removeprefix(prefix).removesuffix(".json") for key in artifacts.keys(prefix))
    written = []
    for number, batch in enumerate(runs.batches(manifest.objects, profiled)):
        key = keys.run(settings.model, run_id, "inputs", f"batch-{number}.json")
        artifacts.write_json(key, [entry.to_plain() for entry in batch])
        written.append(key)
    return written


def _write_asked_families(settings: StartRun, run_id: str, asked: list[str]) -> None:
    """Put a file where the families' models go: SageMaker refuses an input that holds nothing.

    So a run in which every family failed reaches evaluation, which says so in words.
    """
    key = keys.run(settings.model, run_id, "train", "families.json")
    wiring.bucket(settings.artifact_bucket).write_json(key, asked)


def _write_champion(settings: StartRun, run_id: str) -> Live | None:
    artifacts = wiring.bucket(settings.artifact_bucket)
    alias = wiring.functions().alias(names.predict_function(settings.stage, settings.model), names.LIVE)
    found = live.parse(alias.description) if alias else None
    target = keys.run(settings.model, run_id, "inputs", "champion.model.json")
    said: dict[str, Any] = {"live": None}
    if found is not None:
        if artifacts.copy(keys.run(settings.model, found.run_id, "evaluation", "compiled.json"), target):
            served = keys.run(settings.model, found.run_id, "evaluation", "endpoint.tar.gz")
            artifacts.copy(served, keys.run(settings.model, run_id, "inputs", "champion.endpoint.tar.gz"))
            said = {"live": {"run_id": found.run_id, "package_arn": found.package_arn}}
        else:
            said["reason"] = f"the compiled model of {found.run_id}, which is live, does not exist any more"
            note("champion is gone", run_id=found.run_id)
    artifacts.write_json(keys.run(settings.model, run_id, "inputs", "champion.json"), said)
    return found


def _write_record(settings: StartRun, spec: ModelSpec, event: dict[str, Any], begun: Begun) -> None:
    origin = Origin(
        stage=settings.stage,
        execution=event["execution"],
        started_at=event["started_at"],
        code_asset=settings.code_asset,
        lock_sha256=settings.lock_sha256,
        image=settings.image,
    )
    record = runs.record(spec, origin, begun)
    wiring.bucket(settings.artifact_bucket).write_json(keys.run_record(settings.model, begun.run_id), record)
    detail = {name: record[name] for name in ("run_id", "version", "reason", "rerun", "parent", "execution")}
    entry = Entry(
        subject=ledger.model(settings.model),
        kind=ledger.RUN_STARTED,
        id=f"{begun.run_id}#started",
        at=wiring.iso(wiring.now()),
        detail=detail,
    )
    wiring.ledger(settings.ledger_writer).record(entry)


def _uris(settings: StartRun, asked: Asked, run_id: str) -> dict[str, str]:
    data, artifacts = wiring.bucket(settings.data_bucket), wiring.bucket(settings.artifact_bucket)
    parts = {
        "channel": data.uri(keys.channel(asked.dataset, asked.version)),
        "manifest": data.uri(keys.manifest(asked.dataset, asked.version)),
    }
    folders = ("inputs", "train", "evaluation")
    return parts | {name: artifacts.uri(keys.run(settings.model, run_id, name, "")) for name in folders}
