"""CompiledModel + rows -> answers, with the standard library alone.

Importing this module and scoring a first row is what a cold start pays, so it imports little and prepares nothing that
one row does not need. After FAST_AFTER rows the trees become a Python function (`lifecycle.trees.faster`); both ways
give the same bits.
"""

from __future__ import annotations

from lifecycle import compiled
from lifecycle.encoding import Encoder, typed_row
from lifecycle.errors import ModelRejected
from lifecycle.estimator import Estimator

TYPE_CHECKING = False  # importing typing costs a cold start as much as the first row
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Self

    from lifecycle.encoding import Row
    from lifecycle.remote import Ask
    from lifecycle.spec import Contract

FAST_AFTER = 200


class CompiledModel:
    """A model that scores rows.

    Attributes: `task`, `classes` (texts; for a binary task the second is the positive one; None for regression),
    `threshold` (binary), `positive`, `family`, `ids` (run_id, data_version, spec_id, contract_id), `features_sha256`,
    `remote` (an endpoint serves it; `ask` then has to be set to what asks that one before anything is scored).
    """

    def __init__(self, body: Mapping[str, Any], features: Callable[[dict[str, Any]], dict[str, Any]] | None) -> None:
        self.body = body
        self.task: str = body["task"]
        self.family: str = body["family"]
        self.classes: list[str] | None = body["classes"]
        self.threshold: float | None = body["threshold"]
        self.ids: dict[str, str] = body["ids"]
        self.features_sha256: str | None = body["features_sha256"]
        self.encoder = Encoder(body["encoder"])
        self._features = features
        self._derived: dict[str, str] = body["contract"].get("derived", {})
        self._kinds = [(c["name"], c["kind"]) for c in body["contract"]["columns"] if c["name"] not in _labels(body)]
        self._contract: Contract | None = None
        self._scored = 0
        self._faster = False
        outputs = len(self.classes) if self.task == "multiclass" and self.classes else 1
        self._estimator = Estimator(body["estimator"], self.encoder, body["encoder"], outputs)
        self.remote: bool = body["estimator"]["kind"] == "endpoint"
        self.ask: Ask | None = None

    @classmethod
    def load(cls, data: bytes, code: Path | None = None) -> Self:
        """Return the model of a compiled file; `code` is the folder that holds features.py.

        Raises
        ------
        ModelRejected
            when the file is damaged, of another format, or needs a features.py that is not given.
        SpecRejected
            when features.py is not the file that the model was trained with.
        """
        body = compiled.read(data)
        features = None
        if body["contract"].get("derived"):
            from lifecycle import user_code  # late: only models with derived values need it

            user_code.check_declared(body["contract"]["derived"])
            if body["features_sha256"] is None or code is None:
                raise ModelRejected("the model has derived values; it needs the features.py that it was trained with")
            features = user_code.load_features(code, body["features_sha256"])
        return cls(body, features)

    @property
    def contract(self) -> Contract:
        """The contract that the model was trained under; rows are checked by it, so a rollback rolls it back too.

        Raises ModelRejected when this code cannot read it.
        """
        if self._contract is None:
            from lifecycle.spec import contract_of  # late: the spec's module costs more than scoring a row

            try:
                self._contract = contract_of(self.body["contract"])
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise ModelRejected(f"the contract in the compiled model cannot be read: {error}") from error
        return self._contract

    @property
    def learned(self) -> dict[str, list[str]]:
        """Values that category columns held in training, for columns whose contract lists none."""
        return self.body["learned"]  # type: ignore[no-any-return]

    @property
    def positive(self) -> str | None:
        """The class that a binary model's probability is of."""
        return self.classes[1] if self.task == "binary" and self.classes else None

    def encode(self, row: Row, number: int = 0, *, typed: bool = False) -> list[float]:
        """Return the encoded row (`lifecycle.encoding`), derived values included; `number` appears in errors.

        `typed` says that the row holds the contract's columns as `typed_row` gives them, so that it need not be called.
        Raises RequestRejected when a value has a wrong type or features.py fails on the row.
        """
        if self._features is not None:
            from lifecycle.user_code import derive

            known = row if typed else typed_row(self._kinds, row)
            row = {**known, **derive(self._features, self._derived, dict(known), number)}
        return self.encoder.encode(row)

    def score(self, rows: Sequence[Row], *, typed: bool = False) -> list[dict[str, Any]]:
        """Return one answer per row, as the HTTP door gives it.

        binary: `probability` of the positive class and `decision` (probability >= threshold). multiclass:
        `probabilities` by class and `decision`, the likeliest class. regression: `value`.
        `typed` and what is raised are those of `encode`.
        """
        return [self._answer(outputs) for outputs in self.outputs(rows, typed=typed)]

    def outputs(self, rows: Sequence[Row], *, typed: bool = False) -> list[list[float]]:
        """Return per row [probability], [probability of each class] or [value].

        Raises ModelRejected when an endpoint serves the model and `ask` was not set.
        """
        if self.ask is not None:
            return self.outputs_of([self.encode(row, number, typed=typed) for number, row in enumerate(rows)])
        self._expect(len(rows))
        encode, raw, link = self.encode, self._estimator.raw, self._estimator.link
        return [link(raw(encode(row, number, typed=typed))) for number, row in enumerate(rows)]

    def outputs_of(self, encoded: Sequence[list[float]]) -> list[list[float]]:
        """Return what `outputs` does, of rows that `encode` returned, and raise what it does."""
        if self.ask is not None:
            from lifecycle import remote  # late: few models are

            return remote.outputs(self, encoded, self.ask)
        self._expect(len(encoded))
        raw, link = self._estimator.raw, self._estimator.link
        return [link(raw(row)) for row in encoded]

    def _expect(self, rows: int) -> None:
        self._scored += rows
        if self._scored > FAST_AFTER and not self._faster:
            self.accelerate()

    def accelerate(self) -> None:
        """Prepare the faster way to walk the trees now instead of after FAST_AFTER rows."""
        self._estimator.accelerate()
        self._faster = True

    def _answer(self, outputs: list[float]) -> dict[str, Any]:
        if self.task == "regression" or self.classes is None:
            return {"value": outputs[0]}
        if self.threshold is not None:
            return {"probability": outputs[0], "decision": outputs[0] >= self.threshold}
        best = max(range(len(outputs)), key=outputs.__getitem__)
        return {"probabilities": dict(zip(self.classes, outputs, strict=True)), "decision": self.classes[best]}


def _labels(body: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return body["contract"]["target"], body["contract"].get("weight")
