"""The live model -> an OpenAPI 3.1 document of its paths; several documents -> the document of a stage.

What our code answers are problem documents (RFC 9457); what API Gateway answers before or instead of it (401, 403, 413,
429, 500, 503, 504) is `{"message": ...}`. Both are listed, since a client meets both.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lifecycle import openapi_schemas as schemas
from lifecycle.problem import CONTENT_TYPE, TITLES
from lifecycle.request import inputs_of

VERSION: Final = "3.1.0"
JSON: Final = "application/json"
EXPLAINED_ROWS: Final = 20
SHARED: Final = {"Problem": schemas.PROBLEM, "GatewayMessage": schemas.GATEWAY}

# Who may answer a status: our code, the gateway, or either. The gateway signs and throttles before anybody else, and
# answers 500, 503 and 504 when the function fails, is too busy, or takes too long.
GATEWAY_STATUSES: Final = frozenset({"401", "403", "413", "429", "500", "503", "504"})
SAYS: Final = {
    **{str(status): title for status, title in TITLES.items()},
    "401": "Unauthorized",
    "403": "Forbidden",
    "429": "Too Many Requests",
    "504": "Gateway Timeout",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """What the document is made from: a model's facts, as the compiled file and the spec say them."""

    model: str
    model_version: str
    task: str
    contract: Mapping[str, Any]
    classes: Sequence[str] | None
    learned: Mapping[str, Sequence[str]]
    features: Sequence[str]
    max_rows: int
    auth: str = "iam"
    issuer: str | None = None
    scopes: Sequence[str] = ()
    feedback: bool = True
    own_statuses: Sequence[str] = field(default=("400", "413", "415", "422", "500", "503"))


def document(served: Served) -> dict[str, Any]:
    """Return the OpenAPI document of one model."""
    path = f"/models/{served.model}"
    paths: dict[str, Any] = {
        path: {"get": _describe(served)},
        f"{path}/predictions": {"post": _predict(served)},
        f"{path}/openapi.json": {"get": _document(served)},
    }
    if served.feedback:
        paths[f"{path}/feedback"] = {"post": _feedback(served)}
    about = f"{served.model}: predicts {served.contract['target']!r} ({served.task})."
    return {
        "openapi": VERSION,
        "info": {"title": f"Perennial model {served.model}", "version": served.model_version, "description": about},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {**_schemas(served), **SHARED}, "securitySchemes": _schemes(served)},
        "tags": [{"name": served.model, "description": about}],
    }


def merged(title: str, documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one document of all paths; names of components carry their model, so nothing collides."""
    found: dict[str, Any] = {
        "openapi": VERSION,
        "info": {"title": title, "version": "live"},
        "servers": [{"url": "/"}],
        "paths": {},
        "components": {"schemas": dict(SHARED), "securitySchemes": {}},
        "tags": [],
    }
    for one in documents:
        found["paths"] |= one["paths"]
        found["tags"] += one["tags"]
        for kind in ("schemas", "securitySchemes"):
            found["components"][kind] |= one["components"][kind]
    return found


def _schemas(served: Served) -> dict[str, Any]:
    name, contract = served.model, served.contract
    found = {
        f"{name}.Row": schemas.row(contract, served.learned),
        f"{name}.Rows": schemas.rows(_at(f"{name}.Row"), served.max_rows),
        f"{name}.Prediction": schemas.prediction(served.task, served.classes, served.features),
        f"{name}.Predictions": schemas.predictions(_at(f"{name}.Prediction"), served.max_rows),
    }
    if served.feedback:
        target = next(column for column in contract["columns"] if column["name"] == contract["target"])
        found[f"{name}.Label"] = schemas.label(target, served.task)
        found[f"{name}.Labels"] = schemas.labels(_at(f"{name}.Label"))
        found[f"{name}.Verdicts"] = schemas.verdicts()
    return found


def _predict(served: Served) -> dict[str, Any]:
    explain = {
        "name": "explain",
        "in": "query",
        "schema": {"enum": ["true", "false"]},
        "description": f"adds what each feature contributed to each score; at most {EXPLAINED_ROWS} rows then",
    }
    return {
        "operationId": f"predict-{served.model}",
        "summary": "Score rows; one wrong row refuses the request",
        "parameters": [explain],
        "requestBody": _body(f"{served.model}.Rows", {"rows": [schemas.example_row(served.contract, served.learned)]}),
        **_operation(served, f"{served.model}.Predictions", served.own_statuses),
    }


def _describe(served: Served) -> dict[str, Any]:
    about = {"summary": "What is live: version, classes, columns", "operationId": f"describe-{served.model}"}
    return {**about, **_operation(served, None, ("500", "503"))}


def _document(served: Served) -> dict[str, Any]:
    about = {"summary": "This document", "operationId": f"openapi-{served.model}"}
    return {**about, **_operation(served, None, ("500", "503"))}


def _feedback(served: Served) -> dict[str, Any]:
    said = "Labels of predictions; each one is answered by itself, also when others are wrong"
    return {
        "operationId": f"feedback-{served.model}",
        "summary": said,
        "requestBody": _body(f"{served.model}.Labels"),
        **_operation(served, f"{served.model}.Verdicts", served.own_statuses),
    }


def _body(schema: str, example: Mapping[str, Any] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": {"$ref": _at(schema)}}
    return {"required": True, "content": {JSON: content if example is None else {**content, "example": example}}}


def _operation(served: Served, answer: str | None, own: Iterable[str]) -> dict[str, Any]:
    """Return answers, security and tag of an operation; `own` are the statuses of problem documents."""
    schema: dict[str, Any] = {"type": "object"} if answer is None else {"$ref": _at(answer)}
    responses: dict[str, Any] = {"200": {"description": "OK", "content": {JSON: {"schema": schema}}}}
    refused = {"iam": {"403"}, "jwt": {"401", "403"}, "none": set()}[served.auth]
    unauthorized = {"401", "403"} - refused
    for status in sorted({*own, *GATEWAY_STATUSES} - unauthorized):
        content = {}
        if status in own:
            content[CONTENT_TYPE] = {"schema": {"$ref": _at("Problem")}}
        if status in GATEWAY_STATUSES:
            content[JSON] = {"schema": {"$ref": _at("GatewayMessage")}}
        responses[status] = {"description": SAYS[status], "content": content}
    return {"tags": [served.model], "security": _security(served), "responses": responses}


def _schemes(served: Served) -> dict[str, Any]:
    if served.auth == "iam":
        signed = {"type": "apiKey", "in": "header", "name": "Authorization"}
        about = "AWS Signature Version 4, service execute-api"
        return {"iam": {**signed, "description": about, "x-amazon-apigateway-authtype": "awsSigv4"}}
    if served.auth == "jwt":
        address = f"{(served.issuer or '').rstrip('/')}/.well-known/openid-configuration"
        return {f"jwt-{served.model}": {"type": "openIdConnect", "openIdConnectUrl": address}}
    return {}


def _security(served: Served) -> list[dict[str, list[str]]]:
    if served.auth == "iam":
        return [{"iam": []}]
    # any one of the scopes is enough (API Gateway developer guide, "Control access with JWT authorizers")
    return [{f"jwt-{served.model}": [scope]} for scope in served.scopes or ()] or (
        [{f"jwt-{served.model}": []}] if served.auth == "jwt" else []
    )


def _at(name: str) -> str:
    return f"#/components/schemas/{name}"


def planned(spec: Mapping[str, Any], model: str) -> Served:
    """Return the facts of a model that was not trained yet, from its spec: what only data can tell is left open."""
    contract = spec["contract"]
    target = next(column for column in contract["columns"] if column["name"] == contract["target"])
    known = sorted(target.get("categories") or ()) if contract["task"] == "multiclass" else []
    body = {"contract": contract, "task": contract["task"], "classes": known or None, "learned": {}}
    return served_by(body, {"model_version": "planned"}, spec, model)


def served_by(body: Mapping[str, Any], release: Mapping[str, Any], spec: Mapping[str, Any], model: str) -> Served:
    """Return the facts of a deployed package: the compiled file's body, release.json and the spec file."""
    serving, contract = spec["serving"], body["contract"]
    features = [entry["name"] for entry in inputs_of(contract)] + list(contract.get("derived", {}))
    return Served(
        model=model,
        model_version=release["model_version"],
        task=body["task"],
        contract=contract,
        classes=body["classes"],
        learned=body["learned"],
        features=features,
        max_rows=serving["max_rows"],
        auth=serving["auth"],
        issuer=serving.get("jwt_issuer"),
        scopes=tuple(serving.get("jwt_scopes") or ()),
        feedback=spec["monitoring"]["prediction_log"],
    )
