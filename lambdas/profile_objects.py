"""A list of objects -> their profiles, each computed once per content and contract."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from lambdas import wiring
from lambdas.observability import note
from lifecycle import formats, keys
from lifecycle.errors import DatasetRejected
from lifecycle.profile_file import ObjectProfile
from lifecycle.settings import Run
from lifecycle.spec import Contract
from lifecycle.versions import Entry
from tabular.profile import profile_file

THREADS: Final = 16


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Profile the objects of one batch that have no profile yet."""
    settings = wiring.settings(Run)
    contract = wiring.spec(settings.spec_id).contract
    artifacts = wiring.bucket(settings.artifact_bucket)
    entries = [Entry(**raw) for raw in artifacts.need_json(event["batch"])]
    profiles = [keys.profile(contract.contract_id, entry.sha256) for entry in entries]
    with ThreadPoolExecutor(THREADS) as pool:
        known = list(pool.map(artifacts.read, profiles))
    fresh = [entry for entry, profile in zip(entries, known, strict=True) if profile is None]
    for entry in fresh:
        _profile(settings, contract, entry)
    note("objects profiled", run_id=event["run_id"], profiled=len(fresh), known=len(entries) - len(fresh))
    return {"profiled": len(fresh), "known": len(entries) - len(fresh)}


def _profile(settings: Run, contract: Contract, entry: Entry) -> None:
    """Write the hashes of an object's ids and then its profile, so that a profile that exists is complete."""
    artifacts = wiring.bucket(settings.artifact_bucket)
    with tempfile.TemporaryDirectory() as folder:
        path, ids = Path(folder, "object"), Path(folder, "ids.parquet")
        try:
            formats.require_size(entry.name, entry.size)
        except DatasetRejected as error:
            found = ObjectProfile(refused=str(error))
        else:
            wiring.bucket(settings.data_bucket).download(entry.key, path)
            found, hashes = profile_file(path, entry.name, contract)
            if hashes.width:
                hashes.write_parquet(ids)
                artifacts.upload(ids, keys.row_ids(contract.contract_id, entry.sha256))
    artifacts.write_json(keys.profile(contract.contract_id, entry.sha256), found.to_plain())
