"""`perennial local grants`: what the stacks grant to each role, and what of it no call has needed yet."""

import json
import urllib.request
from typing import Any

import typer

from cli.commands.local import group
from cli.main import Shared, example, need_checkout
from cli.target import find


@group.command(epilog=example("perennial local grants", "perennial --json local grants"))
def grants(context: typer.Context) -> None:
    """Print, for each role, what it is granted and has not used since the engine began.

    Nothing is missing from a role of which a call was not refused. What a whole life of a model never uses stands, with
    its reason, in docs/permissions.md.
    """
    shared: Shared = context.obj
    need_checkout()
    state = find(stage=shared.stage, where="local").engine
    assert state is not None  # find ends the command when no engine runs
    rows = [
        {"role": role, "action": action, "resource": resource, "statement": statement}
        for role, told in sorted(_ask(state["endpoint"]).items())
        for statement, action, resource in told["unused"]
    ]
    shared.out.table(rows, ("role", "action", "resource"), empty="Every grant of every role was used.")


def _ask(endpoint: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{endpoint}/_engine/grants", timeout=30) as answer:  # noqa: S310  loopback address
        found: dict[str, Any] = json.load(answer)["roles"]
    return found
