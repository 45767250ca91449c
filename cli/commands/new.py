"""`perennial new`: a model.yaml from a file."""

from pathlib import Path
from typing import Annotated

import typer

from cli.main import Shared, app


@app.command()
def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the model: a-z, 0-9 and -, at most 20 characters.")],
    source: Annotated[Path, typer.Option("--from", exists=True, dir_okay=False, help="CSV, CSV.gz or Parquet file.")],
    target: Annotated[str, typer.Option(help="Column to predict.")],
) -> None:
    """Profile a file and write models/NAME/model.yaml: types, ranges, and what looks suspicious as comments."""
    from cli.new import new_model  # late: polars takes a moment to import, and other commands do not need it

    shared: Shared = context.obj
    path = new_model(name, source, target, Path.cwd())
    shared.out.value({"model": name, "path": str(path)})
    shared.out.line(f"wrote {path}. Read it, correct what the file could not tell, then:")
    shared.out.line(f"  perennial local run {name} {source}")
