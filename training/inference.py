"""model.tar.gz of an endpoint -> answers: the four functions that SageMaker's scikit-learn image calls.

This module is packed into the archive as `code/inference.py` and runs there alone: it imports nothing of ours,
and skops from the folder beside it. Source of the functions: SageMaker Python SDK, "Using Scikit-learn".
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

STOCK = ("numpy.", "scipy.", "sklearn.")
"""Packages of the image whose classes a model may hold besides those that skops trusts of itself."""

JSON = "application/json"


def model_fn(model_dir: str) -> tuple[Any, dict[str, Any]]:
    """Return (estimator, facts) of an unpacked archive. Raises ValueError when it lists a class that is not stock."""
    folder = Path(model_dir)
    code = str(folder / "code")
    if code not in sys.path:
        sys.path.append(code)  # behind the image's own packages, which it may not shadow
    from skops import io as skops

    facts = json.loads((folder / "endpoint.json").read_bytes())
    foreign = [name for name in facts["types"] if not name.startswith(STOCK)]
    if foreign:
        raise ValueError(f"endpoint.json trusts {', '.join(foreign)}; only classes of {', '.join(STOCK)} may be")
    return skops.load(folder / "model.skops", trusted=facts["types"]), facts


def input_fn(body: bytes | str, content_type: str) -> Any:
    """Return the rows `{"rows": [[number or null, ...], ...]}` as an array; null is a missing number."""
    if content_type.partition(";")[0].strip() != JSON:
        raise ValueError(f"content type {content_type!r}; only {JSON} can be read")
    return np.array(json.loads(body)["rows"], dtype=np.float64)


def predict_fn(rows: Any, model: tuple[Any, dict[str, Any]]) -> list[list[float]]:
    """Return per row [probability of the second class], [probability of each class] or [value]."""
    estimator, facts = model
    if not len(rows):
        return []
    if facts["task"] == "regression":
        return np.asarray(estimator.predict(rows), dtype=np.float64).reshape(len(rows), 1).tolist()
    found = np.asarray(estimator.predict_proba(rows), dtype=np.float64)
    spread = np.zeros((len(found), facts["classes"]))
    spread[:, np.asarray(estimator.classes_, dtype=np.int64)] = found
    return (spread[:, 1:2] if facts["task"] == "binary" else spread).tolist()  # type: ignore[no-any-return]


def output_fn(outputs: list[list[float]], _accept: str) -> tuple[str, str]:
    """Return (answer, content type); numbers keep all their digits."""
    return json.dumps({"outputs": outputs}, allow_nan=False), JSON
