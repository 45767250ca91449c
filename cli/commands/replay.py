"""`perennial replay`: logged traffic scored with another version of the model, on this machine."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import output, reports
from cli.main import MODELS, Shared, app, example
from cli.target import Target
from cloud.packages import Package, Packages
from cloud.predictions import Predictions
from lifecycle import names
from lifecycle.checksum import sha256_hex
from lifecycle.replay import replay as compare
from lifecycle.scoring import CompiledModel
from lifecycle.shadow import Shadow

SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
LIMIT = 100_000


@app.command(
    rich_help_panel=MODELS,
    epilog=example("perennial replay flights --candidate 4 --since 7d", "perennial replay --candidate 4 --json"),
)
def replay(
    context: typer.Context,
    candidate: Annotated[int, typer.Option(min=1, help="Version of the model package to compare with.")],
    model: Annotated[str | None, typer.Argument(help="Name of the model (when several are deployed).")] = None,
    since: Annotated[str, typer.Option(help="How far back: 30m, 12h, 7d.")] = "7d",
    limit: Annotated[int, typer.Option(min=1, help="At most this many rows, the oldest of the time.")] = LIMIT,
) -> None:
    """Score logged rows with another version of the model and show how its answers differ: a shadow test.

    Nothing is deployed and nobody's request is touched; rows and answers come from the prediction log.
    """
    shared: Shared = context.obj
    span = _seconds(since)
    target = shared.target()
    name = _model(target, model)
    if names.OUTPUT_PREDICTION_STREAM not in target.serving(name):
        output.fail(f"{name} is deployed with `monitoring: {{prediction_log: false}}`: there is nothing to replay")
    shadow = _shadow(target, name, candidate)
    now = target.now()
    log = Predictions(reports.data(target), name)
    found = compare(log.records(now - span, now), shadow, limit).summary()
    told = {"model": name, "candidate": candidate, "since": output.when(now - span), "until": output.when(now)}
    shown = {**told, **found, "unreadable": log.unreadable, "hidden": shadow.hidden}
    if shared.out.as_json:
        shared.out.value(shown)
    elif found["rows"] or found["refused"] or found["cut"]:
        _show(shared.out, shown, limit)
    else:
        output.fail(f"the log of {name} holds no prediction since {told['since']}; lines arrive within two minutes")


def _seconds(text: str) -> float:
    read = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if read is None or not int(read[1]):
        output.fail(f"--since takes a number with m, h or d, such as 12h or 7d; found {text!r}", output.EXIT_USAGE)
    return int(read[1]) * SECONDS[read[2]]


def _model(target: Target, model: str | None) -> str:
    known = target.models()
    if model is None and len(known) != 1:
        listed = ", ".join(known) or "none"
        output.fail(f"say which model: perennial replay MODEL --candidate ...; deployed: {listed}", output.EXIT_USAGE)
    return model or known[0]


def _shadow(target: Target, model: str, version: int) -> Shadow:
    """The candidate, loaded from its own compiled file and this checkout's features.py."""
    package = _package(target, model, version)
    if "compiled" not in package.properties:
        output.fail(f"{model} version {version} is not compiled; only compiled models can be replayed here")
    if "endpoint" in package.properties:
        because = package.properties.get("serverless_because", "")
        output.fail(
            f"{model} version {version} is served by an endpoint, which only its deployment makes: it cannot be scored "
            f"here. Reason: {because} To see it on traffic, deploy it with `serving.rollout: canary`."
        )
    data = reports.artifacts(target).need(package.properties["compiled"])
    if sha256_hex(data) != package.properties["compiled_sha256"]:
        output.fail(f"the compiled file of {model} version {version} is not the one that was registered")
    code = Path("models", model)
    return Shadow(CompiledModel.load(data, code))


def _package(target: Target, model: str, version: int) -> Package:
    packages = Packages(target.client("sagemaker"), target.training(model)[names.OUTPUT_PACKAGE_GROUP]).all()
    found = next((package for package in packages if package.number == version), None)
    if found is None:
        numbers = ", ".join(str(package.number) for package in packages) or "none yet"
        output.fail(f"{model} has no version {version}; it has: {numbers}")
    return found


def _show(out: output.Output, shown: dict[str, Any], limit: int) -> None:
    out.line(f"[bold]{shown['model']}[/bold]: version {shown['candidate']} on the traffic since {shown['since']}")
    figures = {"rows compared": shown["rows"], **_figures(shown)}
    if shown["rows"] == limit:
        figures["limit"] = f"reached at {limit}; --limit takes more"
    out.record(figures)
    if shown["rows"]:
        out.line("\nBy the version that answered:")
        columns = ["arm", "model_version", "rows", "changed_decisions", "mean_difference"]
        out.table(shown["by_version"], columns, empty="")
        out.line("\nThe rows that differ most (perennial predictions ID tells all of one):")
        worst = [{**row, "before": _answer(row["before"]), "after": _answer(row["after"])} for row in shown["worst"]]
        out.table(worst, ["prediction_id", "arm", "difference", "before", "after"], empty="")


def _figures(shown: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    if shown["changed_share"] is not None:
        figures["changed decisions"] = f"{shown['changed_decisions']} ({shown['changed_share']:.2%})"
    if shown["rows"]:
        figures["mean difference"] = shown["mean_difference"]
        quantiles = "  ".join(f"{name} {value:.4g}" for name, value in shown["quantiles"].items())
        figures["differences"] = f"{quantiles}  largest {shown['largest_difference']:.4g}"
        figures["distributions (KS)"] = shown["ks"]
    refused = [f"{entry['rows']} because {entry['reason']}" for entry in shown["refused_because"]]
    figures["refused by its contract"] = [str(shown["refused"]), *refused]
    for name in ("cut", "unreadable", "incomparable"):
        if shown[name]:
            figures[f"{name} lines"] = shown[name]
    if shown["hidden"]:
        figures["seen as missing"] = f"{', '.join(shown['hidden'])} (private, so not in the log)"
    return figures


def _answer(answer: dict[str, Any]) -> str:
    score = next((value for name, value in answer.items() if name != "decision"), None)
    shown = f"{score:.4g}" if isinstance(score, int | float) else ""
    return f"{shown} {answer.get('decision', '')}".strip()
