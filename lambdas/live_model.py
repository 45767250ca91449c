"""The model of a predict package: loaded once, then asked by every request."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lifecycle.body import json_of
from lifecycle.checksum import sha256_hex
from lifecycle.errors import MissingSetting, ModelRejected, RequestRejected, SpecRejected
from lifecycle.prediction_id import RANDOM_BYTES, ids_of
from lifecycle.prediction_log import PredictionLog
from lifecycle.problem import ERRORS_LISTED, Problem, field_error
from lifecycle.request import RowChecker, inputs_of, is_nullable
from lifecycle.scoring import CompiledModel

if TYPE_CHECKING:
    from lambdas.explanations import Explanations

ANSWER_BYTES: Final = 5_000_000
UNPUBLISHED: Final = "$LATEST"

Response = dict[str, Any]


class Place:
    """Where this function serves: the fields of `lifecycle.settings.Predict`, and the published version it is (`arm`).

    That class is not imported here, because dataclasses cost a cold start more than all of scoring; a test holds the
    two to the same variables.
    """

    __slots__ = ("arm", "model", "stage")

    def __init__(self, *, stage: str, model: str, arm: str = UNPUBLISHED) -> None:
        self.stage = stage
        self.model = model
        self.arm = arm

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Place":
        """Read the place. Raises MissingSetting naming what is missing."""
        missing = [name for name in ("STAGE", "MODEL") if name not in environment]
        if missing:
            raise MissingSetting(f"{' and '.join(missing)} missing. The stack sets them: deploy it again.")
        arm = environment.get("AWS_LAMBDA_FUNCTION_VERSION", UNPUBLISHED)  # Lambda's own
        return cls(stage=environment["STAGE"], model=environment["MODEL"], arm=arm)


class LiveModel:
    """The model of this package, ready to answer. `release` says which version it is (release.json)."""

    def __init__(self, model: CompiledModel, release: Mapping[str, Any], spec: Mapping[str, Any], place: Place) -> None:
        self._model = model
        self._release = release
        self._place = place
        self._contract: Mapping[str, Any] = model.body["contract"]
        self._spec = spec
        if model.remote:
            from lambdas import remote_scores  # boto3 costs a cold start half a second: others never import it

            self._spec = spec = remote_scores.within_one_request(model, spec)
        self._max_rows: int = spec["serving"]["max_rows"]
        self._checker = RowChecker(self._contract, learned=model.learned, max_rows=self._max_rows)
        self._log = self._prediction_log() if spec["monitoring"]["prediction_log"] else None
        self._explanations: Explanations | None = None
        self._head = json.dumps(
            {
                "model": place.model,
                "model_version": release["model_version"],
                "contract_id": model.ids["contract_id"],
            }
        )[:-1]

    @classmethod
    def load(cls, root: Path, place: Place) -> "LiveModel | None":
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
        model = CompiledModel.load(data, root)
        if model.remote:
            from lambdas import remote_scores  # late, as above

            model.ask = remote_scores.of_release(release)
        return cls(model, release, _spec(root), place)

    @property
    def model_version(self) -> str:
        """The number of the model package that answers."""
        return str(self._release["model_version"])

    def predict(self, event: Mapping[str, Any], started: float) -> tuple[Response, list[str]]:
        """Return (answer with one prediction per row, log lines); `started` is when the request came (perf_counter).

        Raises Problem when the request does not satisfy the contract.
        """
        now = int(time.time() * 1000)
        explained = self._explained(event)
        rows = self._checker.rows_of(json_of(event))
        scored = zip(ids_of(now, os.urandom(RANDOM_BYTES * len(rows))), self._score(rows), strict=True)
        answers = [{"prediction_id": identity, **found} for identity, found in scored]
        shown = answers
        if explained is not None:
            shown = [{**a, "explanation": why} for a, why in zip(answers, explained.of(rows), strict=True)]
        body = f'{self._head}, "predictions": {json.dumps(shown)}}}'
        if len(body) > ANSWER_BYTES:
            detail = f"the answer would be larger than {ANSWER_BYTES:,} bytes: send fewer rows in one request"
            raise Problem(413, detail)
        lines: list[str] = []
        if self._log is not None:
            latency = (time.perf_counter() - started) * 1000
            lines = self._log.lines(rows, answers, time_ms=now, latency_ms=latency)
        return _json(body), lines

    def describe(self, *, probed: bool = False) -> Response:
        """Answer with what the live model is and which columns it takes; a probe learns what it was deployed as too."""
        model, contract = self._model, self._contract
        columns = [
            {
                "name": column["name"],
                "kind": column["kind"],
                "required": not is_nullable(column) and "default" not in column,
                **{key: column[key] for key in ("min", "max", "default", "categories") if key in column},
            }
            for column in inputs_of(contract)
        ]
        found = {
            "model": self._place.model,
            "model_version": self._release["model_version"],
            "contract_id": model.ids["contract_id"],
            "run_id": self._release["run_id"],
            "data_version": self._release["data_version"],
            "task": model.task,
            "family": model.family,
            "target": contract["target"],
            "classes": model.classes,
            "positive": model.positive,
            "threshold": model.threshold,
            "max_rows": self._max_rows,
            "extra_columns": contract.get("extra_columns", "ignore"),
            "columns": columns,
        }
        if probed:
            found |= {name: self._release.get(name) for name in ("package_arn", "asset_key", "endpoint")}
        return _json(json.dumps(found))

    def openapi(self) -> Response:
        """Answer with the OpenAPI document of this model."""
        from lifecycle import openapi  # few ask

        served = openapi.served_by(self._model.body, self._release, self._spec, self._place.model)
        return _json(json.dumps(openapi.document(served)))

    def _score(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        try:
            return self._model.score(rows, typed=True)
        except Problem:
            raise  # of the endpoint, not of a row
        except RequestRejected:
            errors = []
            for number, row in enumerate(rows):  # only now, to name every row that cannot be computed
                try:
                    self._model.encode(row, number, typed=True)
                except RequestRejected as error:
                    errors.append(field_error(number, None, str(error).removeprefix(f"row {number}: ")))
            detail = f"{len(errors)} of {len(rows)} rows cannot be turned into features; no row was scored"
            raise Problem(422, detail, errors=errors[:ERRORS_LISTED]) from None

    def _explained(self, event: Mapping[str, Any]) -> "Explanations | None":
        """What explains, if the request asks for it; loaded then only."""
        if not event.get("queryStringParameters"):
            return None
        from lambdas import explanations

        if not explanations.asked(event):
            return None
        if self._explanations is None:
            self._explanations = explanations.Explanations(self._model)
        return self._explanations

    def _prediction_log(self) -> PredictionLog:
        facts = {
            "stage": self._place.stage,
            "model": self._place.model,
            "model_version": self._release["model_version"],
            "contract_id": self._model.ids["contract_id"],
            "data_version": self._release["data_version"],
            "code_version": self._release["asset_key"],
            "arm": self._place.arm,
        }
        return PredictionLog(self._contract, facts)


def _json(body: str) -> Response:
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": body,
        "isBase64Encoded": False,
    }


def _release(file: Path, compiled: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
        expected = found["compiled_sha256"]
        missing = {"model_version", "run_id", "data_version", "asset_key"} - found.keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelRejected(f"{file.name} of the package cannot be read: {type(error).__name__}: {error}") from error
    if missing:
        raise ModelRejected(f"{file.name} of the package lacks {', '.join(sorted(missing))}; deploy the model again")
    if sha256_hex(compiled) != expected:
        raise ModelRejected(f"compiled.json is not the file that {file.name} names; deploy the model again")
    return found


def _spec(root: Path) -> dict[str, Any]:
    """The spec beside the code, checked against the hash in its name; its classes would take long to import."""
    found = [path for path in root.iterdir() if path.name.startswith("spec-")]
    if len(found) != 1:
        raise SpecRejected(f"the package holds {len(found)} spec files; exactly one is expected")
    data = found[0].read_bytes()
    if found[0].name != f"spec-{sha256_hex(data)}.json":
        raise SpecRejected(f"{found[0].name} was changed after synth: its content has another SHA-256")
    spec: dict[str, Any] = json.loads(data)
    return spec
