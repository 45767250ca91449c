"""The profiles of a version's objects -> may it be trained on; a report either way."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import polars as pl

from cloud.content import Content
from lambdas import wiring
from lambdas.observability import note
from lifecycle import drift, keys, ledger, report, validation
from lifecycle.finding import Finding
from lifecycle.harvest import is_harvested
from lifecycle.ledger import Entry
from lifecycle.profile import Examples, Profile
from lifecycle.profile_file import ObjectProfile, profile_from_plain
from lifecycle.settings import Run
from lifecycle.spec import Contract, ModelSpec
from lifecycle.validation import Evidence, Verdict
from lifecycle.versions import Manifest
from tabular import giving_way
from tabular.profile import duplicates, unique_columns

THREADS: Final = 16


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Judge the version, write report and record; the ledger remembers a refusal."""
    settings = wiring.settings(Run)
    spec = wiring.spec(settings.spec_id)
    run_id, version = event["run_id"], event["version"]
    verdict = validation.judge(spec.contract, _evidence(settings, spec, version))
    notes = (*verdict.notes, *_drift(settings, run_id, verdict.profile))
    verdict = Verdict(problems=verdict.problems, notes=notes, profile=verdict.profile)
    key = _write(settings, spec, verdict, event)
    if not verdict.accepted:
        _record_refusal(settings, verdict, event, key)
    note("version judged", run_id=run_id, accepted=verdict.accepted, problems=len(verdict.problems))
    return {"accepted": verdict.accepted, "report": key, "problems": len(verdict.problems)}


def _evidence(settings: Run, spec: ModelSpec, version: str) -> Evidence:
    data, artifacts = wiring.bucket(settings.data_bucket), wiring.content(settings.artifact_bucket)
    manifest = Manifest.from_plain(data.need_json(keys.manifest(spec.dataset, version)))
    contract_id = spec.contract.contract_id
    with ThreadPoolExecutor(THREADS) as pool:
        read = pool.map(lambda one: artifacts.need(keys.profile(contract_id, one.sha256)), manifest.objects)
        pairs = zip(manifest.objects, read, strict=True)
        objects = {entry.name: ObjectProfile.from_plain(json.loads(raw)) for entry, raw in pairs}
    profiled = {entry.name: entry.sha256 for entry in manifest.objects if objects[entry.name].profile is not None}
    repeated, given_way = _duplicates(artifacts, spec.contract, profiled)
    return Evidence(objects=objects, duplicates=repeated, given_way=given_way, now=wiring.now())


def _duplicates(
    artifacts: Content, contract: Contract, profiled: dict[str, str]
) -> tuple[dict[str, Examples], dict[str, Examples]]:
    """Rows that repeat a value of a unique column: uploaded ones, and those that came by feedback."""
    columns = unique_columns(contract)
    if not columns:
        return {}, {}

    def ids(sha256: str) -> pl.DataFrame:
        body = artifacts.read(keys.row_ids(contract.contract_id, sha256))
        return pl.DataFrame() if body is None else pl.read_parquet(io.BytesIO(body))

    with ThreadPoolExecutor(THREADS) as pool:
        parts = list(zip(profiled, pool.map(ids, profiled.values()), strict=True))
    uploaded = [(name, part) for name, part in parts if not is_harvested(name)]
    return (
        {column: duplicates(uploaded, column) for column in columns},
        {column: giving_way.repeated(parts, column) for column in columns},
    )


def _drift(settings: Run, run_id: str, profile: Profile) -> list[Finding]:
    artifacts = wiring.bucket(settings.artifact_bucket)
    champion = artifacts.read_json(keys.run(settings.model, run_id, "inputs", "champion.json"))
    live = (champion or {}).get("live")
    if live is None:
        return []
    raw = artifacts.read_json(keys.run(settings.model, live["run_id"], "evaluation", "baseline.json"))
    if raw is None:
        return [Finding.note("drift", f"not compared: the baseline of {live['run_id']}, which is live, does not exist")]
    return [Finding.note("drift", text, column=name) for name, text in drift.notes(profile_from_plain(raw), profile)]


def _write(settings: Run, spec: ModelSpec, verdict: Verdict, event: dict[str, Any]) -> str:
    artifacts = wiring.bucket(settings.artifact_bucket)
    run_id, version = event["run_id"], event["version"]
    plain = report.to_plain(verdict, run_id, version)
    key = keys.run(settings.model, run_id, "validation", "report.json")
    html = keys.run(settings.model, run_id, "validation", "report.html")
    artifacts.write(html, report.to_page(verdict, spec, version).encode())
    artifacts.write_json(key, plain)
    summary = {name: plain[name] for name in ("accepted", "rows", "problem_count", "note_count")}
    record = artifacts.need_json(keys.run_record(settings.model, run_id))
    record["validation"] = {**summary, "report": key, "problems": plain["problems"][:20]}
    artifacts.write_json(keys.run_record(settings.model, run_id), record)
    return key


def _record_refusal(settings: Run, verdict: Verdict, event: dict[str, Any], key: str) -> None:
    problems = [finding.to_plain() for finding in verdict.problems[:20]]
    detail = {"run_id": event["run_id"], "version": event["version"], "report": key, "problems": problems}
    entry = Entry(
        subject=ledger.model(settings.model),
        kind=ledger.VERSION_REJECTED,
        id=f"{event['run_id']}#rejected",
        at=wiring.iso(wiring.now()),
        detail=detail,
    )
    wiring.ledger(settings.ledger_writer).record(entry)
