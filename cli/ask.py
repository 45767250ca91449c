"""Predictions for rows of a file: reading the rows, asking over HTTP, and comparing with what really happened."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import output
from cloud.door import Answer, Door
from lifecycle.spec import Contract, Kind, Task
from tabular.read import read_objects

ROWS_PER_CALL = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """Rows as sent, the label of each as text (empty if unknown), and the live model's predictions for them."""

    rows: list[dict[str, Any]]
    labels: list[str]
    predictions: list[dict[str, Any]]
    model_version: str


def rows_of(path: Path, contract: Contract, limit: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Return up to `limit` labelled rows, evenly spread over the file, as a client would send them, and their labels.

    Values that are missing are sent as null; the target and the weight are not sent.
    """
    frame = read_objects([(path, path.name)], contract)
    labelled = frame.filter(frame[contract.target].is_not_null())
    chosen = labelled if len(labelled) else frame
    chosen = chosen.gather_every(max(1, len(chosen) // limit)).head(limit)
    labels = ["" if value is None else _label(value) for value in chosen[contract.target].to_list()]
    sent = [column.name for column in contract.inputs]
    kinds = {column.name: column.kind for column in contract.inputs}
    rows = [{name: _json(value, kinds[name]) for name, value in row.items()} for row in chosen.select(sent).to_dicts()]
    return rows, labels


def ask(door: Door, model: str, rows: list[dict[str, Any]], labels: list[str]) -> Asked:
    """Ask for all rows, in calls of at most ROWS_PER_CALL; ends the command on an answer that is not 200."""
    predictions: list[dict[str, Any]] = []
    version = ""
    for start in range(0, len(rows), ROWS_PER_CALL):
        answer = door.predict(model, list(rows[start : start + ROWS_PER_CALL]))
        if answer.status != 200:
            output.fail(refusal(answer))
        predictions += answer.body["predictions"]
        version = answer.body["model_version"]
    return Asked(rows, labels, predictions, version)


def refusal(answer: Answer) -> str:
    """Return what an answer other than 200 says, in one text."""
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, Mapping) else {"message": str(answer.body)}
    text = f"HTTP {answer.status}: {body.get('detail') or body.get('title') or body.get('message') or body}"
    for problem in body.get("errors", [])[:10]:
        text += f"\n  row {problem.get('row')}, {problem.get('field')}: {problem.get('message')}"
    return text


def score(asked: Asked, contract: Contract) -> dict[str, float]:
    """Return how well the predictions met the labels: log loss and hit rate, or RMSE, beside a constant guess."""
    if contract.task is Task.REGRESSION:
        pairs = [(float(p["value"]), float(t)) for p, t in zip(asked.predictions, asked.labels, strict=True) if t]
        mean = sum(truth for _, truth in pairs) / len(pairs)
        return {
            "rows": len(pairs),
            "rmse_error": math.sqrt(sum((guess - truth) ** 2 for guess, truth in pairs) / len(pairs)),
            "rmse_error_of_the_mean": math.sqrt(sum((mean - truth) ** 2 for _, truth in pairs) / len(pairs)),
        }
    chances = [_chance(p, t, contract) for p, t in zip(asked.predictions, asked.labels, strict=True) if t]
    labels = [_class(text, contract) for text in asked.labels if text]
    shares = [labels.count(label) / len(labels) for label in labels]
    hits = [
        _said(p, contract) == _class(t, contract) for p, t in zip(asked.predictions, asked.labels, strict=True) if t
    ]
    return {
        "rows": len(labels),
        "log_loss": _log_loss(chances),
        "log_loss_of_base_rate": _log_loss(shares),
        "decisions_right": sum(hits) / len(hits),
    }


def table(asked: Asked, contract: Contract, limit: int = 8) -> list[dict[str, Any]]:
    """Return the first predictions beside what really happened, as rows for the terminal."""
    shown = []
    for row, label, prediction in list(zip(asked.rows, asked.labels, asked.predictions, strict=True))[:limit]:
        entry: dict[str, Any] = {contract.id: row[contract.id]} if contract.id in row else {}
        if contract.task is Task.BINARY:
            entry |= {"probability": prediction["probability"], "decision": prediction["decision"]}
        elif contract.task is Task.MULTICLASS:
            entry |= {"decision": prediction["decision"], "probability": max(prediction["probabilities"].values())}
        else:
            entry |= {"predicted": prediction["value"]}
        shown.append(entry | {f"real {contract.target}": label})
    return shown


def _said(prediction: Mapping[str, Any], contract: Contract) -> str:
    if contract.task is Task.BINARY:
        return "positive" if prediction["decision"] else "other"
    return str(prediction["decision"])


def _class(label: str, contract: Contract) -> str:
    if contract.task is Task.BINARY:
        return "positive" if label == contract.positive else "other"
    return label


def _chance(prediction: Mapping[str, Any], label: str, contract: Contract) -> float:
    if contract.task is Task.BINARY:
        chance = float(prediction["probability"])
        return chance if label == contract.positive else 1 - chance
    return float(prediction["probabilities"].get(label, 0.0))


def _log_loss(chances: Sequence[float]) -> float:
    return -sum(math.log(max(chance, 1e-15)) for chance in chances) / len(chances)


def _label(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _json(value: Any, kind: Kind) -> Any:
    return value.isoformat() if kind is Kind.DATETIME and value is not None else value
