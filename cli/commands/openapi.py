"""`perennial openapi`: the OpenAPI document of the stage, or of one model, deployed or planned."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import engine, output
from cli.ask import refusal
from cli.follow import Board
from cli.main import MODELS, Shared, app, example, need_checkout
from lifecycle import openapi as documents

PATH = "/openapi.json"


@app.command(
    rich_help_panel=MODELS, epilog=example("perennial openapi > api.json", "perennial openapi flights --planned")
)
def openapi(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Name of the model; left out, all of them.")] = None,
    planned: Annotated[
        bool, typer.Option("--planned", help="From model.yaml as it is now; nothing has to be deployed.")
    ] = False,
) -> None:
    """Print the OpenAPI 3.1 document of what is live: for clients, their generators, and test tools.

    It is asked over the same signed HTTP as any client asks; a model that was never deployed is not in it.
    """
    shared: Shared = context.obj
    document = _planned(shared, model) if planned else _live(shared, model)
    shared.out.value(document)
    shared.out.raw(json.dumps(document, indent=2))


def _live(shared: Shared, model: str | None) -> dict[str, Any]:
    target = shared.target()
    if model is not None:
        target.serving(model)
    door = target.door()
    answer = door.call("GET", PATH)
    if answer.status != 200:
        output.fail(refusal(answer))
    document: dict[str, Any] = answer.body if model is None else only(answer.body, model)
    if not document["paths"] and model is not None:
        output.fail(f"{model} has no live model yet; see perennial status, or what is planned: add --planned")
    return document


def _planned(shared: Shared, model: str | None) -> dict[str, Any]:
    need_checkout()
    engine.synthesize(shared.stage, Board(quiet=True))
    specs = specs_of(engine.ASSEMBLY)
    if model is None:
        found = [documents.document(documents.planned(spec, name)) for name, spec in specs.items()]
        return documents.merged("Perennial, as planned", found)
    if model not in specs:
        known = ", ".join(specs) or "none"
        output.fail(f"there is no models/{model}/model.yaml (models: {known})", output.EXIT_USAGE)
    return documents.document(documents.planned(specs[model], model))


def specs_of(assembly: Path) -> dict[str, Any]:
    """Return the spec of each model that an assembly deploys, by name."""
    found = {}
    for name in json.loads((assembly / "manifest.json").read_text())["artifacts"]:
        if name.endswith("-serving.assets"):
            files = json.loads((assembly / f"{name}.json").read_text())["files"].values()
            for spec in (path for file in files for path in (assembly / file["source"]["path"]).glob("spec-*.json")):
                content = json.loads(spec.read_text())
                found[content["model"]] = content
    return dict(sorted(found.items()))


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
