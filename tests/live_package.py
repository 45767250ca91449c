"""Predict packages for tests: a folder as a deployment leaves it, with a small linear model written by hand."""

import hashlib
import json
from pathlib import Path
from typing import Any

from lifecycle import compiled
from lifecycle.schema import Column, Contract, Kind, Task, contract_to_plain
from lifecycle.spec import ModelSpec, Monitoring, Serving

FEATURES = """
def features(row):
    if row["origin"] == "FAIL":
        raise KeyError("no such airport")
    return {"far": row["distance"] > 1000}
"""
COLUMNS = (
    Column(name="distance", kind=Kind.NUMBER, min=0, max=5000, max_null_share=0),
    Column(name="seats", kind=Kind.INTEGER, min=1, max=500),
    Column(name="origin", kind=Kind.CATEGORY, unseen="reject", max_null_share=0),
    Column(name="cabin", kind=Kind.CATEGORY, categories=("eco", "first")),
    Column(name="meal", kind=Kind.BOOLEAN),
    Column(name="departs", kind=Kind.DATETIME),
    Column(name="note", kind=Kind.TEXT),
    Column(name="passenger", kind=Kind.ID, private=True),
    Column(name="fee", kind=Kind.NUMBER, default=0.0, max_null_share=0),
    Column(name="late", kind=Kind.BOOLEAN),
)
ROW = {"distance": 1400, "seats": 149, "origin": "EWR", "cabin": "eco", "meal": True, "departs": "2013-01-01T10:15:00Z"}


def contract(**changes: Any) -> Contract:
    """Return the contract of the package's model."""
    facts = {"task": Task.BINARY, "target": "late", "positive": "true", "columns": COLUMNS, "id": "passenger"}
    return Contract(**{**facts, "derived": {"far": Kind.BOOLEAN}, **changes})


def body(rules: Contract) -> dict[str, Any]:
    """Return a compiled model: more distance, later."""
    standard = {"fill": [0.0], "mean": [1000.0], "scale": [500.0]}
    return {
        "task": str(rules.task),
        "family": "logistic-regression",
        "classes": ["false", "true"],
        "threshold": 0.5,
        "contract": contract_to_plain(rules),
        "ids": {"run_id": "late-1a2b3c4d-a1", "data_version": "d" * 64, "contract_id": rules.contract_id},
        "features_sha256": hashlib.sha256(FEATURES.encode()).hexdigest(),
        "learned": {"origin": ["EWR", "FAIL", "JFK"]},
        "encoder": {
            "layout": "standard",
            "inputs": [
                {"feature": "distance", "as": "number", **standard},
                {"feature": "origin", "as": "category", "categories": ["EWR", "JFK"], "missing": 0.5},
            ],
        },
        "estimator": {"kind": "linear", "link": "logistic", "coefficients": [[1.0, 0.5, -0.5]], "intercept": [0.0]},
    }


def write(root: Path, *, rules: Contract | None = None, serving: Serving | None = None, log: bool = True) -> Path:
    """Write a complete predict package into `root` and return it."""
    rules = rules or contract()
    spec = ModelSpec(
        model="late",
        dataset="late",
        contract=rules,
        serving=serving or Serving(max_rows=3),
        monitoring=Monitoring(prediction_log=log),
    )
    folder = root / "model"
    folder.mkdir(parents=True)
    (root / spec.file_name).write_bytes(spec.to_bytes())
    (root / "features.py").write_text(FEATURES)
    data = compiled.write(body(rules))
    (folder / "compiled.json").write_bytes(data)
    (folder / "release.json").write_text(json.dumps(release(data, rules)))
    return root


def release(data: bytes, rules: Contract) -> dict[str, str]:
    """Return the release.json of a compiled file."""
    return {
        "model": "late",
        "model_version": "3",
        "package_arn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/perennial-dev-late/3",
        "run_id": "late-1a2b3c4d-a1",
        "data_version": "d" * 64,
        "contract_id": rules.contract_id,
        "compiled_sha256": hashlib.sha256(data).hexdigest(),
        "asset_key": "0f" * 32 + ".zip",
    }


def event(path: str, method: str = "POST", body: str | None = None, **headers: str) -> dict[str, Any]:
    """Return an API Gateway event of payload format 2.0."""
    found = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "headers": {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}},
        "requestContext": {"http": {"method": method, "path": path}, "requestId": "r-1", "stage": "$default"},
        "isBase64Encoded": False,
    }
    return found if body is None else {**found, "body": body}
