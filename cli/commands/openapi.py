"""`perennial openapi`: the OpenAPI document of the stage, or of one model."""

import json
from typing import Annotated, Any

import typer

from cli import output
from cli.ask import refusal
from cli.main import MODELS, Shared, app, example
from cloud.door import Door
from lifecycle import names

PATH = "/openapi.json"


@app.command(rich_help_panel=MODELS, epilog=example("perennial openapi > api.json", "perennial openapi flights"))
def openapi(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Name of the model; left out, all live models.")] = None,
) -> None:
    """Print the OpenAPI 3.1 document of what is live: for clients, their generators, and test tools.

    It is asked over the same signed HTTP as any client asks; a model that was never deployed is not in it.
    """
    shared: Shared = context.obj
    target = shared.target()
    if model is not None:
        target.serving(model)
    door = Door(target.shared()[names.OUTPUT_API_URL], target.operator.region, target.operator.keys())
    answer = door.call("GET", PATH)
    if answer.status != 200:
        output.fail(refusal(answer))
    document = answer.body if model is None else only(answer.body, model)
    if not document["paths"] and model is not None:
        output.fail(f"{model} has no live model yet; perennial status tells how far it is")
    shared.out.value(document)
    shared.out.raw(json.dumps(document, indent=2))


def only(document: dict[str, Any], model: str) -> dict[str, Any]:
    """Return the part of a stage's document that is about one model."""
    start = f"/models/{model}"
    paths = {path: found for path, found in document["paths"].items() if f"{path}/".startswith(f"{start}/")}
    shared = {"Problem", "GatewayMessage"}
    parts = document["components"]
    schemas = {name: found for name, found in parts["schemas"].items() if name in shared or _is_of(name, model)}
    used = {name for path in paths.values() for call in path.values() for one in call["security"] for name in one}
    schemes = {name: found for name, found in parts["securitySchemes"].items() if name in used}
    tags = [tag for tag in document["tags"] if tag["name"] == model]
    return {**document, "paths": paths, "tags": tags, "components": {"schemas": schemas, "securitySchemes": schemes}}


def _is_of(name: str, model: str) -> bool:
    return name.rpartition(".")[0] == model
