"""Contract -> JSON Schemas (OpenAPI 3.1) of what a model takes and answers: rows, predictions, problems, labels.

A schema says what `lifecycle.request` checks, no more and no less, as far as JSON Schema can say it: which days exist,
or that a whole number stands for its digits when a category lists them, stands in words.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecycle.encoding import NUMBER_LIMIT
from lifecycle.feedback_items import MAX_ITEMS
from lifecycle.feedback_verdict import Status
from lifecycle.request import INTEGER_LIMIT, inputs_of, is_nullable

Schema = dict[str, Any]

MISSING: Final[list[Schema]] = [{"type": "null"}, {"const": ""}]
CATEGORIES_LISTED: Final = 1_000
UUID: Final = {"type": "string", "format": "uuid", "description": "UUID version 7: it says when it was given"}


def row(contract: Mapping[str, Any], learned: Mapping[str, Sequence[str]]) -> Schema:
    """Return the schema of one row that a caller sends."""
    inputs = inputs_of(contract)
    found: Schema = {
        "type": "object",
        "properties": {column["name"]: _column(column, learned.get(column["name"])) for column in inputs},
        "additionalProperties": contract.get("extra_columns") != "reject",
    }
    needed = [column["name"] for column in inputs if not is_nullable(column) and "default" not in column]
    return found | ({"required": needed} if needed else {})


def example_row(contract: Mapping[str, Any], learned: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return a row that the contract takes; what it means, only the owner of the model knows."""
    return {c["name"]: _example(c, _value(c, learned.get(c["name"]))) for c in inputs_of(contract)}


def _example(column: Mapping[str, Any], schema: Schema) -> Any:
    if "default" in column:
        return column["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if column["kind"] in ("number", "integer"):
        least, most = column.get("min"), column.get("max")
        if column["kind"] == "integer":
            return math.ceil(least) if least is not None else math.floor(1 if most is None else most)
        return least if least is not None else 1 if most is None else most
    plain = {"boolean": True, "datetime": "2026-11-21T10:00:00Z"}
    return plain.get(column["kind"], column["name"])


def rows(reference: str, max_rows: int) -> Schema:
    """Return the schema of a request's body; `reference` points at the schema of a row."""
    items = {"type": "array", "minItems": 1, "maxItems": max_rows, "items": {"$ref": reference}}
    return {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {"rows": items}}


def _column(column: Mapping[str, Any], learned: Sequence[str] | None) -> Schema:
    schema = _value(column, learned)
    nullable = is_nullable(column)
    if nullable:
        schema = {"anyOf": [schema, *MISSING]}
    elif schema.get("type") == "string" or isinstance(schema.get("type"), list):
        schema = {**schema, "minLength": 1}
    if "default" in column:
        schema["default"] = column["default"]
    said = [f"kind: {column['kind']}"] + (["may be missing: null, empty text, or left out"] if nullable else [])
    return schema | {"description": "; ".join(said)}


def _value(column: Mapping[str, Any], learned: Sequence[str] | None) -> Schema:
    kind = column["kind"]
    if kind == "number":
        return _between(column, "number", NUMBER_LIMIT)
    if kind == "integer":
        return _between(column, "integer", INTEGER_LIMIT)
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "datetime":
        return {"type": "string", "format": "date-time", "examples": ["2026-11-21T10:00:00Z"]}
    allowed = None
    if kind == "category":
        allowed = column.get("categories") or (learned if column.get("unseen") == "reject" else None)
    if allowed is None or len(allowed) > CATEGORIES_LISTED:
        return {"type": ["string", "integer"]}
    return {"enum": [*allowed, *(int(text) for text in allowed if text.isdecimal() and str(int(text)) == text)]}


def _between(column: Mapping[str, Any], kind: str, limit: float) -> Schema:
    least, most = column.get("min"), column.get("max")
    return {
        "type": kind,
        "minimum": -limit if least is None else least,
        "maximum": limit if most is None else most,
    }


def prediction(task: str, classes: Sequence[str] | None, features: Sequence[str]) -> Schema:
    """Return the schema of one prediction, its explanation included, which comes only when asked for."""
    share = {"type": "number", "minimum": 0, "maximum": 1}
    if task == "regression":
        answered: Schema = {"value": {"type": "number"}}
    elif task == "binary":
        answered = {
            "probability": {**share, "description": f"of {classes[1]!r}"} if classes else share,
            "decision": {"type": "boolean", "description": "whether the probability reaches the threshold"},
        }
    else:
        named = list(classes or ())
        by_class = dict.fromkeys(named, share)
        answered = {
            "probabilities": {"type": "object", "properties": by_class, "required": named},
            "decision": {"enum": named} if named else {"type": "string"},
        }
    properties = {"prediction_id": UUID, **answered, "explanation": _explanation(task, features)}
    return {"type": "object", "required": ["prediction_id", *answered], "properties": properties}


def _explanation(task: str, features: Sequence[str]) -> Schema:
    number = {"type": "number"}
    part = {
        "base": {**number, "description": "what an average row gets"},
        "contributions": {"type": "object", "properties": dict.fromkeys(features, number)},
    }
    of = {"enum": ["log_odds", "probability", "value", "score_before_softmax"]}
    one = {"type": "object", "required": ["base", "contributions"], "properties": part}
    if task == "multiclass":
        by_class = {"type": "object", "additionalProperties": one}
        return {"type": "object", "required": ["of", "classes"], "properties": {"of": of, "classes": by_class}}
    return {**one, "required": ["of", *one["required"]], "properties": {"of": of, **part}}


def predictions(reference: str, max_rows: int) -> Schema:
    """Return the schema of an answer to rows; `reference` points at the schema of a prediction."""
    named = ["model", "model_version", "contract_id"]
    listed = {"type": "array", "minItems": 1, "maxItems": max_rows, "items": {"$ref": reference}}
    return {
        "type": "object",
        "required": [*named, "predictions"],
        "properties": {name: {"type": "string"} for name in named} | {"predictions": listed},
    }


def label(target: Mapping[str, Any], task: str) -> Schema:
    """Return the schema of one label that a caller sends back."""
    kind = "number" if task == "regression" else target["kind"]
    bounds = {name: target[name] for name in ("min", "max") if name in target}
    value = _column({"name": "label", "kind": kind, "max_null_share": 0, **bounds}, None)
    properties = {
        "prediction_id": {"type": ["string", "integer"], "minLength": 1},
        "label": value,
        "time": {"anyOf": [{"type": "string", "format": "date-time"}, *MISSING], "description": "when it became known"},
        "correct": {"anyOf": [{"type": "boolean"}, *MISSING], "description": "replaces a label that is stored"},
    }
    return {
        "type": "object",
        "required": ["prediction_id", "label"],
        "additionalProperties": False,
        "properties": properties,
    }


def labels(reference: str) -> Schema:
    """Return the schema of a feedback request's body; `reference` points at the schema of a label."""
    items = {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": {"$ref": reference}}
    return {"type": "object", "required": ["labels"], "additionalProperties": False, "properties": {"labels": items}}


def verdicts() -> Schema:
    """Return the schema of the answer to labels: one result per item, in the order of the items."""
    result = {
        "type": "object",
        "required": ["item", "status"],
        "properties": {
            "item": {"type": "integer", "minimum": 0},
            "prediction_id": {"type": ["string", "null"]},
            "status": {"enum": [str(status) for status in Status]},
            "message": {"type": "string"},
        },
    }
    counts = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
    return {
        "type": "object",
        "required": ["model", "counts", "results"],
        "properties": {
            "model": {"type": "string"},
            "counts": counts,
            "results": {"type": "array", "items": result},
        },
    }


PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "a problem document (RFC 9457)",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "maxItems": 50,
            "items": {
                "type": "object",
                "required": ["row", "field", "message"],
                "properties": {
                    "row": {"type": ["integer", "null"], "description": "from 0"},
                    "field": {"type": ["string", "null"]},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
GATEWAY: Final[Schema] = {
    "type": "object",
    "description": "what the gateway itself answers, before or instead of the function",
    "required": ["message"],
    "properties": {"message": {"type": ["string", "null"]}},
}
