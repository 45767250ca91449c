"""`perennial new`: a model.yaml from a file."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from cli import output
from cli.main import BEGIN, Shared, app, example, need_checkout


@app.command(rich_help_panel=BEGIN, epilog=example("perennial new churn --from churn.csv --target churned"))
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the model: a-z, 0-9 and -, at most 20 characters.")],
    source: Annotated[Path, typer.Option("--from", exists=True, dir_okay=False, help="CSV, CSV.gz or Parquet file.")],
    target: Annotated[str, typer.Option(help="Column to predict.")],
) -> None:
    """Profile a file and write models/NAME/model.yaml: types, ranges, and what looks suspicious as comments.

    The first step with data of your own. Read what it wrote: only you know what the columns mean.
    """
    need_checkout()
    from cli.new import new_model  # late: polars takes a moment to import, and other commands do not need it

    shared: Shared = context.obj
    path = new_model(name, source, target, Path())
    shared.out.value({"model": name, "path": str(path)})
    shared.out.line(output.escape(f"Wrote {path}. Read it, correct what the file could not tell, then:"))
    shared.out.raw(f"  perennial local run {name} {shlex.quote(str(source))}")
