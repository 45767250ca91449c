"""`perennial live`, `rollback` and `deploy`: who is live and was, going back, and a person's word for a version."""

import json
import uuid
from typing import Annotated, Any

import typer

from cli import output
from cli.follow import Board
from cli.main import MODELS, Shared, app, example
from cli.moment import moment
from cli.target import Target
from cloud.functions import Functions
from cloud.history import History
from cloud.ledger import LedgerTable
from cloud.packages import Packages
from lifecycle import ledger, live, names, tenure
from lifecycle.progress import readable
from lifecycle.tenure import Tenure

Model = Annotated[str, typer.Argument(help="Name of the model.")]


@app.command(
    "live",
    rich_help_panel=MODELS,
    epilog=example("perennial live flights", "perennial live flights --at 2026-11-21T09:30:00Z"),
)
def show_live(
    context: typer.Context,
    model: Model,
    at: Annotated[str | None, typer.Option(help="A time (ISO 8601), or how long ago: 30m, 2h, 7d.")] = None,
) -> None:
    """Show which version of a model is live, or was at a time: trained on which data, live by whose word."""
    shared: Shared = context.obj
    target = shared.target()
    known = _tenures(target, model)
    asked = target.now() if at is None else moment(at, target.now())
    found = tenure.at(known, asked)
    if found is None:
        when = "is live yet" if at is None else f"was live at {output.when(asked)}"
        output.fail(f"no version of {model} {when}. See: perennial models {model}")
    shown: dict[str, Any] = {
        "model": model,
        "version": found.model_version,
        "since": output.when(found.since),
        "until": found.until and output.when(found.until),
        "by": found.by,
        "because": found.reason,
        "run": found.run_id,
        "data": found.data_version,
        "package": found.package_arn,
        "function version": found.version,
    }
    if at is None:
        shown["in a rollout"] = _weights(target, model)
    shared.out.record({name: value for name, value in shown.items() if value not in (None, "", {})})


@app.command(
    rich_help_panel=MODELS,
    epilog=example("perennial rollback flights --reason 'too many alarms'", "perennial rollback flights --to 3"),
)
def rollback(
    context: typer.Context,
    model: Model,
    to: Annotated[str | None, typer.Option(help="Version of the model, as answers name it.")] = None,
    to_time: Annotated[str | None, typer.Option(help="What was live then: ISO 8601, or 2h for two hours ago.")] = None,
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")] = "asked for by an operator",
) -> None:
    """Bring back the version before the live one, or the one named; all traffic moves in one step.

    In the middle of a rollout: give all traffic back to the live version. What was gone back from is not deployed
    again by itself.
    """
    shared: Shared = context.obj
    if to is not None and to_time is not None:
        output.fail("--to and --to-time exclude each other", output.EXIT_USAGE)
    target = shared.target()
    stack = target.serving(model)
    number = _function_version(target, model, to, to_time) if to or to_time else None
    order = {"id": str(uuid.uuid4()), "by": target.operator.identity()[1], "reason": reason, "to": number}
    called = Functions(target.client("lambda")).invoke(stack[names.OUTPUT_ROLL_BACK], "$LATEST", order)
    if called.error:
        output.fail(called.error.partition(": ")[2] or called.error)
    shared.out.value(called.answer)
    shared.out.line(f"Version {called.answer['model_version']} of {model} is live again. See: perennial live {model}")


@app.command(
    rich_help_panel=MODELS,
    epilog=example("perennial deploy flights --package 4 --reason 'the fault was in the data'"),
)
def deploy(
    context: typer.Context,
    model: Model,
    package: Annotated[int, typer.Option(help="Version of the model package; it must be approved.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")] = "asked for by an operator",
) -> None:
    """Deploy an approved version by hand, an older one or one that was rolled back too, by the model's own rollout."""
    shared: Shared = context.obj
    target = shared.target()
    packages = Packages(target.client("sagemaker"), target.training(model)[names.OUTPUT_PACKAGE_GROUP]).all()
    found = [one for one in packages if one.number == package]
    if not found:
        numbers = ", ".join(str(one.number) for one in packages) or "none yet"
        output.fail(f"{model} has no version {package}; it has: {numbers}")
    detail = {"package_arn": found[0].arn, "by": target.operator.identity()[1], "reason": reason}
    history = History(target.client("stepfunctions"))
    machine = target.serving(model)[names.OUTPUT_DEPLOYMENT_MACHINE]
    arn = history.start(machine, json.dumps({"detail": detail}))
    ended = Board(quiet=shared.out.as_json).watch(history, arn)
    said = json.loads(ended.output or "{}")
    if ended.status != "SUCCEEDED":
        output.fail(f"the deployment ended {ended.status.lower()}: {readable(ended.error, ended.cause)}")
    if not said["plan"]["go"]:
        output.fail(f"nothing was deployed: {said['plan']['reason']}")
    if "promoted" not in said:
        reasons = said.get("rollout", {}).get("reasons") or ["somebody else moved the alias meanwhile"]
        output.fail(f"version {package} did not go live: {'; '.join(reasons)}")
    shared.out.value({"model": model, "version": package, "execution": arn, **said["promoted"]})
    shared.out.line(f"Version {package} of {model} is live. See: perennial live {model}")


def _tenures(target: Target, model: str) -> list[Tenure]:
    target.serving(model)
    table = LedgerTable(target.client("dynamodb"), target.shared()[names.OUTPUT_LEDGER_TABLE])
    return tenure.tenures(table.entries(ledger.model(model)))


def _weights(target: Target, model: str) -> dict[str, float]:
    """Share of traffic of a version that is being rolled out, by the function's version."""
    alias = Functions(target.client("lambda")).alias(target.serving(model)[names.OUTPUT_PREDICT_FUNCTION], names.LIVE)
    return dict(alias.weights) if alias is not None and live.parse(alias.description) else {}


def _function_version(target: Target, model: str, to: str | None, to_time: str | None) -> str:
    known = _tenures(target, model)
    if to is not None:
        found = tenure.last_of(known, to)
        asked = f"version {to} of {model} was never live"
    else:
        at = moment(str(to_time), target.now())
        found = tenure.at(known, at)
        asked = f"no version of {model} was live at {output.when(at)}"
    if found is None:
        versions = ", ".join(dict.fromkeys(one.model_version for one in known)) or "none"
        output.fail(f"{asked}; live were: {versions}", output.EXIT_USAGE)
    return found.version
