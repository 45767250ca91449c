"""What a run left behind: its record, its reports on the local disk, and a line that asks the model."""

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli import output
from cli.target import Target
from cloud.objects import Bucket
from lifecycle import keys, names
from lifecycle.spec import ModelSpec

FOLDER = Path(".perennial/reports")
ASSETS = Path("build/assets")
_WANTED = (
    "run.json",
    "validation/report.json",
    "validation/report.html",
    "evaluation/scorecard.json",
    "evaluation/report.html",
    "evaluation/card.md",
)


def artifacts(target: Target) -> Bucket:
    """Return the artifact bucket of a target."""
    return Bucket(target.client("s3"), target.shared()[names.OUTPUT_ARTIFACT_BUCKET])


def data(target: Target) -> Bucket:
    """Return the data bucket of a target."""
    return Bucket(target.client("s3"), target.shared()[names.OUTPUT_DATA_BUCKET])


def run_record(target: Target, model: str, run_id: str) -> dict[str, Any]:
    """Return the record of a run."""
    found: dict[str, Any] | None = artifacts(target).read_json(keys.run_record(model, run_id))
    if found is None:
        output.fail(f"{model} has no run {run_id}; see: perennial runs {model}")
    return found


def validation_problems(target: Target, model: str, run_id: str) -> list[str]:
    """Return the sentences with which a data version was rejected."""
    report = artifacts(target).need_json(keys.run(model, run_id, "validation", "report.json"))
    return [sentence(problem) for problem in report["problems"]]


def sentence(problem: Mapping[str, Any]) -> str:
    """Return a finding of a validation report as one line: where, and what.

    >>> sentence({"check": "type", "column": "x", "objects": ["a.csv"], "text": "2 values are no number: a.csv row 2"})
    'type, column x: 2 values are no number: a.csv row 2'
    >>> sentence({"check": "file", "column": None, "objects": ["a.csv"], "text": "the file is empty"})
    'file a.csv: the file is empty'
    """
    named = [name for name in problem["objects"] if name not in problem["text"]]
    files = f" {', '.join(named[:3])}" + (f" and {len(named) - 3} more" if len(named) > 3 else "") if named else ""
    column = f", column {problem['column']}" if problem["column"] else ""
    return f"{problem['check']}{files}{column}: {problem['text']}"


def run_records(target: Target, model: str) -> list[dict[str, Any]]:
    """Return the records of all runs of a model, newest first."""
    bucket = artifacts(target)
    found = [bucket.need_json(key) for key in bucket.keys(keys.runs(model)) if key.endswith("/run.json")]
    return sorted(found, key=lambda record: str(record.get("started_at", "")), reverse=True)


def fetch(target: Target, model: str, run_id: str) -> Path:
    """Copy the reports of a run to the local disk and return their folder."""
    bucket = artifacts(target)
    folder = FOLDER / run_id
    for name in _WANTED:
        content = bucket.read(keys.run(model, run_id, name))
        if content is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def spec(target: Target, model: str) -> ModelSpec:
    """Return the spec with which a model is deployed, from the assets of this checkout.

    Ends the command when this checkout never synthesized that spec.
    """
    wanted = target.training(model)[names.OUTPUT_SPEC_ID]
    found = next(iter(sorted(ASSETS.glob(f"*/spec-{wanted}.json"))), None)
    if found is None:
        output.fail(
            f"{model} is deployed with another model.yaml than this checkout has synthesized (spec {wanted[:12]}). "
            "Check out the deployed commit and run: python app.py"
        )
    return ModelSpec.from_bytes(found.read_bytes())


def curl(target: Target, model: str, row: Mapping[str, Any], url: str) -> str:
    """Return a line for the shell that asks for one prediction; it signs with the caller's own credentials."""
    body = shlex.quote(json.dumps({"rows": [dict(row)]}, ensure_ascii=False))
    region = target.operator.region
    user = '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
    if target.is_local:
        access, secret, _ = target.operator.keys()
        user = shlex.quote(f"{access}:{secret}")
    token = "" if target.is_local else ' -H "x-amz-security-token: $AWS_SESSION_TOKEN"'
    return (
        f"curl -s --aws-sigv4 aws:amz:{region}:execute-api --user {user}{token} \\\n"
        f"  -H 'content-type: application/json' {url.rstrip('/')}/models/{model}/predictions \\\n  -d {body}"
    )
