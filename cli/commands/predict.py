"""`perennial predict`: rows to the HTTP API, signed."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import output, reports
from cli.ask import ask, refusal, rows_of
from cli.main import MODELS, Shared, app, example
from lifecycle import names


@app.command(
    rich_help_panel=MODELS,
    epilog=example(
        "perennial predict flights april.csv --limit 5",
        """echo '[{"origin": "JFK", "distance": 529}]' | perennial predict flights""",
        "perennial predict flights april.csv --show-curl",
    ),
)
def predict(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    source: Annotated[
        str, typer.Argument(help="A CSV or Parquet file, a JSON file of rows, or - for JSON on stdin.")
    ] = "-",
    limit: Annotated[int, typer.Option(min=1, help="At most this many rows of a data file.")] = 20,
    show_curl: Annotated[
        bool, typer.Option("--show-curl", help="Print the curl line for the first row instead.")
    ] = False,
) -> None:
    """Ask the live model for predictions, over the same signed HTTP as any client.

    Rows of a data file are spread over the file; columns that the model does not take (its target) are not sent.
    """
    shared: Shared = context.obj
    target = shared.target()
    target.serving(model)
    url = target.shared()[names.OUTPUT_API_URL]
    rows, labels = _rows(source, shared, model, limit)
    if not rows:
        output.fail(f"{source} holds no rows", output.EXIT_USAGE)
    if show_curl:
        line = reports.curl(target, model, rows[0], url)
        shared.out.value({"curl": line})
        shared.out.raw(line)
        return
    door = target.door()
    if labels:
        answers = ask(door, model, rows, labels).predictions
    else:
        answer = door.predict(model, list(rows))
        if answer.status != 200:
            output.fail(refusal(answer))
        answers = answer.body["predictions"]
    shared.out.table(answers, [key for key in answers[0] if key != "probabilities"], empty="")


def _rows(source: str, shared: Shared, model: str, limit: int) -> tuple[list[dict[str, Any]], list[str]]:
    """Return rows and their labels (none for JSON)."""
    if source == "-" and sys.stdin.isatty():
        output.fail("name a file of rows, or pipe JSON in; see: perennial predict --help", output.EXIT_USAGE)
    if source != "-" and not Path(source).is_file():
        output.fail(f"there is no file {source}", output.EXIT_USAGE)
    if source == "-" or source.endswith(".json"):
        text = sys.stdin.read() if source == "-" else Path(source).read_text(errors="replace")
        try:
            found = json.loads(text)
        except ValueError as error:
            output.fail(f"{source} is not JSON: {error}", output.EXIT_USAGE)
        found = found["rows"] if isinstance(found, dict) and "rows" in found else found
        rows = found if isinstance(found, list) else [found]
        if not all(isinstance(row, dict) for row in rows):
            output.fail(f'{source} holds no rows. Send a row {{"column": value}}, or a list of rows', output.EXIT_USAGE)
        return rows, []
    contract = reports.spec(shared.target(), model).contract
    return rows_of(Path(source), contract, limit)
