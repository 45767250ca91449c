"""A candidate model + logged rows -> its answers, as its own HTTP door would give them, at no live cost.

A logged row is raw columns as the door took them, so it goes through the candidate's own door again: its contract may
ask for more. Private columns are not in the log (or are pseudonyms); the candidate sees them as missing, which is only
fair where they are no features.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle.errors import ModelRejected, RequestRejected
from lifecycle.problem import Problem
from lifecycle.request import RowChecker, inputs_of
from lifecycle.schema import Contract
from lifecycle.scoring import CompiledModel


@dataclass(frozen=True, slots=True)
class Refused:
    """The candidate would have refused the row: why, in the words of its door, without the row's values."""

    reason: str


class Shadow:
    """A candidate that answers logged rows.

    Raises ModelRejected when the candidate has a private column for a feature: its values are not in the log.
    """

    def __init__(self, model: CompiledModel) -> None:
        contract = model.body["contract"]
        self.hidden = [column["name"] for column in inputs_of(contract) if column.get("private")]
        features = private_features(model.contract)
        if features:
            raise ModelRejected(
                f"{', '.join(features)}: private, so not in the prediction log, and a feature of this model; what it "
                "would have answered cannot be known. Models without private features can be replayed"
            )
        open_columns = [column for column in contract["columns"] if column["name"] not in self.hidden]
        self._model = model
        self._checker = RowChecker({**contract, "columns": open_columns}, learned=model.learned)
        self._strict = contract.get("extra_columns") == "reject"
        self._known = {column["name"] for column in inputs_of(contract)}
        self.task = model.task

    def answer(self, row: Mapping[str, Any]) -> dict[str, Any] | Refused:
        """Return the candidate's answer to one logged row (without an id), or why it would have refused it."""
        sent = {name: value for name, value in row.items() if name not in self.hidden}
        try:
            (typed,) = self._checker.rows_of({"rows": [sent]})
            typed.update(dict.fromkeys(self.hidden))
            return self._model.score([typed], typed=True)[0]
        except Problem as problem:
            first = problem.errors[0]
            return Refused(f"{first['field']} {_without_value(first['message'])}")
        except RequestRejected as error:
            return Refused(str(error).removeprefix("row 0: "))


def private_features(contract: Contract) -> list[str]:
    """Return the private columns that the model itself takes (features.py may read others, as missing)."""
    features = {name for name, _ in contract.features}
    return [column.name for column in contract.inputs if column.private and column.name in features]


def _without_value(message: str) -> str:
    return message.partition(", got ")[0]
