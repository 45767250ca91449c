"""A file of labels in S3 -> labels of predictions, and a report on each row that was refused.

An event may come twice: the report of an object version is written last, and a version that has one is not read again.
A second reading before that finds its own labels and says the same.
"""

import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from cloud.prediction_index import Bounds
from lambdas import wiring
from lambdas.observability import note
from lambdas.taking_feedback import taker_of
from lifecycle import keys, ledger
from lifecycle.errors import DatasetRejected
from lifecycle.feedback_verdict import REFUSED, Verdict, counts
from lifecycle.ledger import Entry
from lifecycle.settings import ReadFeedback
from tabular import labels_file

SCHEMA: Final = 1
READ_AT_ONCE: Final = Bounds(size=512 << 20, hours=24 * 92)  # three million records: two minutes, and 500 MB


def handler(event: dict[str, Any], _context: Any) -> dict[str, int]:
    """Take the labels of the object that an "Object Created" event names."""
    settings = wiring.settings(ReadFeedback)
    created = event["detail"]["object"]
    key, version = created["key"], created.get("version-id", "null")
    name = key.removeprefix(keys.feedback(settings.model))
    report = keys.feedback_report(settings.model, name, version)
    data = wiring.bucket(settings.data_bucket)
    if not name or name.endswith("/"):
        return {}  # a folder that a person made in the console
    if data.read(report) is not None:
        note("feedback read already", key=key, version=version)
        return {}
    source = f"{key}?versionId={quote(version)}"
    facts = {"schema": SCHEMA, "model": settings.model, "key": key, "version_id": version}
    try:
        verdicts = _take(settings, key, version, source)
    except DatasetRejected as error:
        _refuse(settings, report, facts, str(error))
        return {}
    told = counts(verdicts)
    refused = [verdict.to_plain("row") for verdict in verdicts if verdict.status in REFUSED]
    at = wiring.iso(wiring.now())
    body = {**facts, "read_at": at, "refused": None, "rows": len(verdicts), "counts": told, "refused_rows": refused}
    _record(settings, ledger.FEEDBACK_READ, report, {**facts, "rows": len(verdicts), "counts": told})
    data.write_json(report, body)
    note("feedback read", key=key, version=version, **told)
    return told


def _take(settings: ReadFeedback, key: str, version: str, source: str) -> list[Verdict]:
    contract = wiring.packaged_spec().contract
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labels")
        if not wiring.bucket(settings.data_bucket).download_version(key, version, path):
            raise DatasetRejected(f"{key}: this version of the object was deleted before it was read")
        items, wrong = labels_file.read(path, key, contract)
    return taker_of(settings, READ_AT_ONCE).take(items, wrong, source)


def _refuse(settings: ReadFeedback, report: str, facts: dict[str, Any], why: str) -> None:
    """Tell of a file that cannot be read: in the ledger, to people, and in its report."""
    _record(settings, ledger.FEEDBACK_REFUSED, report, {**facts, "refused": why})
    text = f"No label of this file was taken.\n{why}\nReport: {report}"
    wiring.notices(settings.topic).tell(f"[{settings.stage}] {settings.model}: labels could not be read", text)
    none = {"rows": 0, "counts": counts([]), "refused_rows": []}
    body = {**facts, "read_at": wiring.iso(wiring.now()), "refused": why, **none}
    wiring.bucket(settings.data_bucket).write_json(report, body)
    note("feedback refused", key=facts["key"], version=facts["version_id"], reason=why)


def _record(settings: ReadFeedback, kind: str, report: str, detail: dict[str, Any]) -> None:
    entry = Entry(
        subject=ledger.model(settings.model), kind=kind, id=report, at=wiring.iso(wiring.now()), detail=detail
    )
    wiring.ledger(settings.ledger_writer).record(entry)
