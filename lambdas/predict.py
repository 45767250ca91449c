"""HTTP -> the live model's answer: POST /models/{name}/predictions and GET /models/{name}.

The model is part of the deployed package, so a cold start reads nothing from the network: `model/compiled.json` and
`model/release.json` were added by the deployment, the spec and features.py by synth. Everything is loaded once, before
the first request. This module is its own composition root and imports neither boto3 nor powertools: process start is
what a caller waits for.
"""

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from lifecycle.body import json_of
from lifecycle.errors import ModelRejected, RequestRejected
from lifecycle.prediction_log import PredictionLog, metrics_line
from lifecycle.problem import ERRORS_LISTED, Problem, field_error
from lifecycle.request import RowChecker
from lifecycle.scoring import CompiledModel
from lifecycle.settings import Predict
from lifecycle.spec import ModelSpec

ANSWER_BYTES: Final = 5_000_000
PREDICTIONS: Final = "/predictions"

Response = dict[str, Any]


class LiveModel:
    """The model of this package, ready to answer. `release` says which version it is (release.json)."""

    def __init__(self, model: CompiledModel, release: Mapping[str, Any], spec: ModelSpec, settings: Predict) -> None:
        self._model = model
        self._release = release
        self._spec = spec
        self._settings = settings
        learned = {} if model.learned is None else model.learned
        self._checker = RowChecker(model.contract, learned=learned, max_rows=spec.serving.max_rows)
        self._log = self._prediction_log() if spec.monitoring.prediction_log else None
        self._head = json.dumps(
            {
                "model": settings.model,
                "model_version": release["model_version"],
                "contract_id": model.contract.contract_id,
            }
        )[:-1]

    @classmethod
    def load(cls, root: Path, settings: Predict) -> "LiveModel | None":
        """Return the model of the package at `root`, or None when no model was deployed yet.

        Raises
        ------
        ModelRejected, SpecRejected
            when a part of the package is missing, damaged, or does not belong to the others.
        """
        file = root / "model" / "compiled.json"
        if not file.exists():
            return None
        data = file.read_bytes()
        release = _release(root / "model" / "release.json", data)
        return cls(CompiledModel.load(data, root), release, ModelSpec.find(root), settings)

    def predict(self, event: Mapping[str, Any], started: float) -> Response:
        """Answer with one prediction per row. Raises Problem when the request does not satisfy the contract."""
        rows = self._checker.rows_of(json_of(event))
        scored = zip(_ids(len(rows)), self._score(rows), strict=True)
        answers = [{"prediction_id": identity, **found} for identity, found in scored]
        body = f'{self._head}, "predictions": {json.dumps(answers)}}}'
        if len(body) > ANSWER_BYTES:
            detail = f"the answer would be larger than {ANSWER_BYTES:,} bytes: send fewer rows in one request"
            raise Problem(413, detail, rows=len(rows))
        now = int(time.time() * 1000)
        lines: list[str] = []
        if self._log is not None:
            latency = (time.perf_counter() - started) * 1000
            lines = self._log.lines(rows, answers, time_ms=now, latency_ms=latency)
        lines.append(_metrics(self._settings, scored=len(rows), refused=0, time_ms=now))
        _write(lines)
        return {
            "statusCode": 200,
            "headers": {"content-type": "application/json", "cache-control": "no-store"},
            "body": body,
            "isBase64Encoded": False,
        }

    def describe(self) -> Response:
        """Answer with what the live model is and which columns it takes."""
        model, contract = self._model, self._model.contract
        columns = [
            {
                "name": column.name,
                "kind": str(column.kind),
                "required": column.max_null_share == 0 and column.default is None,
                **{key: value for key in ("min", "max", "default") if (value := getattr(column, key)) is not None},
                **({"categories": list(column.categories)} if column.categories is not None else {}),
            }
            for column in contract.inputs
        ]
        found = {
            "model": self._settings.model,
            "model_version": self._release["model_version"],
            "contract_id": contract.contract_id,
            "run_id": self._release["run_id"],
            "data_version": self._release["data_version"],
            "task": model.task,
            "family": model.family,
            "target": contract.target,
            "classes": model.classes,
            "positive": model.positive,
            "threshold": model.threshold,
            "max_rows": self._spec.serving.max_rows,
            "extra_columns": contract.extra_columns,
            "columns": columns,
        }
        return {
            "statusCode": 200,
            "headers": {"content-type": "application/json", "cache-control": "no-store"},
            "body": json.dumps(found),
            "isBase64Encoded": False,
        }

    def _score(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            return self._model.score(rows)
        except RequestRejected:
            errors = []
            for number, row in enumerate(rows):  # only now, to name every row that cannot be computed
                try:
                    self._model.encode(row, number)
                except RequestRejected as error:
                    errors.append(field_error(number, None, str(error).removeprefix(f"row {number}: ")))
            detail = f"{len(errors)} of {len(rows)} rows cannot be turned into features; no row was scored"
            raise Problem(422, detail, errors=errors[:ERRORS_LISTED], rows=len(rows)) from None

    def _prediction_log(self) -> PredictionLog:
        facts = {
            "stage": self._settings.stage,
            "model": self._settings.model,
            "model_version": self._release["model_version"],
            "contract_id": self._model.contract.contract_id,
            "data_version": self._release["data_version"],
            "code_version": self._release["asset_key"],
        }
        return PredictionLog(self._model.contract, facts)


def answer(live: LiveModel | None, settings: Predict, event: Mapping[str, Any]) -> Response:
    """Return the answer to one HTTP request; `live` is None before the first deployment."""
    started = time.perf_counter()
    try:
        if live is None:
            raise Problem(503, "no model yet: this model's first training run has not been deployed", rows=0)
        method = event["requestContext"]["http"]["method"]
        if not event["rawPath"].endswith(PREDICTIONS):
            return live.describe()
        if method != "POST":
            raise Problem(405, f"{method} is not possible here; POST rows", headers={"allow": "POST"}, rows=0)
        return live.predict(event, started)
    except Problem as problem:
        if problem.rows:
            _write([_metrics(settings, scored=0, refused=problem.rows, time_ms=int(time.time() * 1000))])
        return problem.response()


def handler(event: Mapping[str, Any], _context: object) -> Response:
    """Lambda's entry point."""
    try:
        if _BROKEN is not None:
            raise Problem(503, "the deployed model cannot be loaded; the function's log says why", rows=0)
        return answer(_LIVE, _SETTINGS, event)
    except Problem as problem:
        return problem.response()
    except Exception as error:  # noqa: BLE001 - composition root: the caller must not see internals, the log must
        _fault("request failed", error)
        return Problem(500, "the request could not be answered; the function's log says why").response()


def _release(file: Path, compiled: bytes) -> dict[str, Any]:
    import hashlib

    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
        expected = found["compiled_sha256"]
        missing = {"model_version", "run_id", "data_version", "asset_key"} - found.keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelRejected(f"{file.name} of the package cannot be read: {type(error).__name__}: {error}") from error
    if missing:
        raise ModelRejected(f"{file.name} of the package lacks {', '.join(sorted(missing))}; deploy the model again")
    if hashlib.sha256(compiled).hexdigest() != expected:
        raise ModelRejected(f"compiled.json is not the file that {file.name} names; deploy the model again")
    return found


def _ids(count: int) -> list[str]:
    """Random UUIDs (version 4) from one system call; the uuid module would cost more than scoring a row."""
    digits = os.urandom(16 * count).hex()
    found = []
    for start in range(0, 32 * count, 32):
        d = digits[start : start + 32]
        found.append(f"{d[:8]}-{d[8:12]}-4{d[13:16]}-{'89ab'[int(d[16], 16) & 3]}{d[17:20]}-{d[20:]}")
    return found


def _metrics(settings: Predict, *, scored: int, refused: int, time_ms: int) -> str:
    return metrics_line(settings.stage, settings.model, scored=scored, refused=refused, time_ms=time_ms)


def _write(lines: list[str]) -> None:
    """Write log lines in one go. A log that cannot be written must not cost the caller an answer."""
    lines.append("")
    try:
        sys.stdout.write("\n".join(lines))
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{len(lines) - 1} log lines lost: {error}\n")


def _fault(event: str, error: Exception) -> None:
    import traceback

    trace = traceback.format_exception(error)
    facts = {"level": "ERROR", "message": event, "error": type(error).__name__, "detail": str(error), "trace": trace}
    _write([json.dumps(facts)])


_SETTINGS: Predict
_LIVE: LiveModel | None = None
_BROKEN: Exception | None = None
if "LAMBDA_TASK_ROOT" in os.environ:
    _SETTINGS = Predict.from_env(os.environ)
    try:
        _LIVE = LiveModel.load(Path(os.environ["LAMBDA_TASK_ROOT"]), _SETTINGS)
    except Exception as error:  # noqa: BLE001 - composition root: a package that cannot be loaded answers 503 and logs why
        _BROKEN = error
        _fault("the deployed model cannot be loaded", error)
