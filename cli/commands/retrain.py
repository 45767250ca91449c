"""`perennial retrain`: a person asks the loop for a new run, and is told whether it starts, and if not, when or why."""

from typing import Annotated, Any

import typer

from cli import output
from cli.main import CARE, Shared, app, example
from cloud.functions import Functions
from lifecycle import names
from lifecycle.retrain_decision import START, WAIT, Trigger


@app.command(
    rich_help_panel=CARE,
    epilog=example(
        "perennial retrain flights --reason 'new fares since May'",
        "perennial retrain flights --reason 'for the board meeting' --over-budget",
    ),
)
def retrain(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the ledger and in the run's record.")],
    over_budget: Annotated[
        bool, typer.Option("--over-budget", help="Start although the month's runs or instance minutes are used up.")
    ] = False,
) -> None:
    """Ask for a run on the newest data; labels that came back are learned from first, where model.yaml says so.

    A run or a rollout under way holds it back, and so do the month's budgets; the cooldown does not.

    The new model must be significantly better than the live one. Ends with 1 when no run was started.
    """
    shared: Shared = context.obj
    if not reason.strip():
        output.fail("--reason is empty: say why, for whoever reads the ledger", output.EXIT_USAGE)
    target = shared.target()
    function = target.training(model)[names.OUTPUT_RETRAIN]
    order = {
        "trigger": Trigger.HAND,
        "reason": reason.strip(),
        "by": target.operator.identity()[1],
        "over_budget": over_budget,
    }
    called = Functions(target.client("lambda")).invoke(function, "$LATEST", order)
    if called.error:
        output.fail(called.error.partition(": ")[2] or called.error)
    answer: dict[str, Any] = called.answer
    shared.out.value({"model": model, **answer})
    shared.out.line(output.escape(_said(model, answer)))
    if answer["decision"] != START:
        raise typer.Exit(output.EXIT_FAILED)


def _said(model: str, answer: dict[str, Any]) -> str:
    reason = answer["reason"]
    if answer["decision"] == START and answer["execution"] is None:
        return f"Labels become rows, rows a data version, and that starts the run: {reason}. See: perennial status"
    if answer["decision"] == START:
        return f"A run of {model} starts: {reason}. See: perennial status"
    if answer["decision"] == WAIT and answer["until"]:
        return f"Not now: {reason}. Ask again after {answer['until']}"
    return f"No run: {reason}"
