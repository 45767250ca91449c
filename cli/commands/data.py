"""`perennial upload` and `perennial data`: files to S3, and the data versions made from them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import output, reports
from cli.follow import Board
from cli.main import Shared, app
from lifecycle import keys

group = typer.Typer(no_args_is_help=True, help="Data versions: what each consists of, and how two differ.")
app.add_typer(group, name="data")

Dataset = Annotated[str, typer.Argument(help="Name of the dataset (a model's own name unless model.yaml says else).")]


@app.command()
def upload(
    context: typer.Context,
    dataset: Dataset,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="CSV, CSV.gz or Parquet files.")],
    ready: Annotated[bool, typer.Option("--ready", help="Cut the data version at once instead of waiting.")] = False,
) -> None:
    """Upload files to a dataset. A file of the same name is replaced; a new name adds rows."""
    shared: Shared = context.obj
    bucket = reports.data(shared.target())
    board = Board(quiet=shared.out.as_json)
    for file in files:
        with board.doing(f"{file.name} ({output.size(file.stat().st_size)})"):
            bucket.upload(file, keys.incoming(dataset, file.name))
    if ready:
        bucket.write(keys.incoming(dataset, keys.READY), b"")
    shared.out.value({"dataset": dataset, "files": [file.name for file in files]})
    shared.out.line("A data version is cut when nothing has changed for the settle time. Watch it: perennial status")


@group.command("list")
def list_versions(context: typer.Context, dataset: Dataset) -> None:
    """List the data versions of a dataset, newest first."""
    shared: Shared = context.obj
    rows = [
        {
            "version": output.short(m["version"]),
            "cut_at": output.when(m["cut_at"]),
            "files": len(m["objects"]),
            "size": output.size(sum(o["size"] for o in m["objects"])),
        }
        for m in sorted(_manifests(shared, dataset), key=lambda m: m["cut_at"], reverse=True)
    ]
    shared.out.table(
        rows,
        ["version", "cut_at", "files", "size"],
        empty=f"No data version of {dataset} yet. Upload files: perennial upload {dataset} FILE...",
    )


@group.command()
def show(
    context: typer.Context, dataset: Dataset, version: Annotated[str, typer.Argument(help="Its first digits.")]
) -> None:
    """List the files of a data version."""
    shared: Shared = context.obj
    manifest = _one(_manifests(shared, dataset), version)
    rows = [{**o, "bytes": o["size"], "size": output.size(o["size"])} for o in manifest["objects"]]
    shared.out.line(f"{manifest['version']} cut at {output.when(manifest['cut_at'])}")
    shared.out.table(rows, ["name", "size", "sha256"], empty="This version has no files.")


@group.command()
def diff(
    context: typer.Context,
    dataset: Dataset,
    old: Annotated[str, typer.Argument(help="First digits of the older version.")],
    new: Annotated[str, typer.Argument(help="First digits of the newer version.")],
) -> None:
    """Say which files were added, replaced or deleted between two data versions."""
    shared: Shared = context.obj
    manifests = _manifests(shared, dataset)
    before = {o["name"]: o for o in _one(manifests, old)["objects"]}
    after = {o["name"]: o for o in _one(manifests, new)["objects"]}
    rows = [
        {"change": "added", "name": n, "size": output.size(after[n]["size"])} for n in sorted(after.keys() - before)
    ]
    rows += [
        {"change": "deleted", "name": n, "size": output.size(before[n]["size"])} for n in sorted(before.keys() - after)
    ]
    rows += [
        {"change": "replaced", "name": n, "size": output.size(after[n]["size"])}
        for n in sorted(after.keys() & before)
        if after[n]["sha256"] != before[n]["sha256"]
    ]
    shared.out.table(rows, ["change", "name", "size"], empty="The two versions hold the same files.")


def _manifests(shared: Shared, dataset: str) -> list[dict[str, Any]]:
    bucket = reports.data(shared.target())
    wanted = [key for key in bucket.keys(keys.versions(dataset)) if key.endswith("/manifest.json")]
    return [bucket.need_json(key) for key in wanted]


def _one(manifests: list[dict[str, Any]], prefix: str) -> dict[str, Any]:
    found = [m for m in manifests if m["version"].startswith(prefix)]
    if len(found) != 1:
        known = ", ".join(output.short(m["version"]) for m in manifests) or "none"
        output.fail(f"{prefix!r} names {len(found)} data versions; known: {known}", output.EXIT_USAGE)
    return found[0]
