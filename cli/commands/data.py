"""`perennial upload` and `perennial data`: files to S3, and the data versions made from them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import output, reports
from cli.files import need_uploadable
from cli.follow import Board
from cli.main import DATA, Shared, app, example
from cli.target import Target
from lifecycle import keys, names

group = typer.Typer(no_args_is_help=True, help="Data versions: what each consists of, and how two differ.")
app.add_typer(group, name="data", rich_help_panel=DATA)

Dataset = Annotated[str, typer.Argument(help="Name of the dataset (a model's own name unless model.yaml says else).")]


@app.command(
    rich_help_panel=DATA,
    epilog=example(
        "perennial upload flights 2013-01.csv 2013-02.csv", "perennial upload flights corrected/2013-01.csv --ready"
    ),
)
def upload(
    context: typer.Context,
    dataset: Dataset,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="CSV, CSV.gz or Parquet files.")],
    ready: Annotated[bool, typer.Option("--ready", help="Cut the data version at once instead of waiting.")] = False,
) -> None:
    """Upload files to a dataset: a new data version, and with it a training run, follows by itself.

    A file of the same name is replaced; a new name adds rows.
    """
    shared: Shared = context.obj
    target = shared.target()
    _need_dataset(target, dataset)
    need_uploadable(files)
    bucket = reports.data(target)
    board = Board(quiet=shared.out.as_json)
    for file in files:
        with board.doing(f"{file.name} ({output.size(file.stat().st_size)})"):
            bucket.upload(file, keys.incoming(dataset, file.name))
    if ready:
        bucket.write(keys.incoming(dataset, keys.READY), b"")
    shared.out.value({"dataset": dataset, "files": [file.name for file in files]})
    when = "at once" if ready else "when nothing has changed for a minute"
    shared.out.line(f"A data version is cut {when}, and trained on. Watch it: perennial status")


def _need_dataset(target: Target, dataset: str) -> None:
    """End the command unless a model learns from this dataset: nothing would ever look at what is uploaded."""
    known = sorted({target.training(model)[names.OUTPUT_DATASET] for model in target.models()})
    if dataset not in known:
        output.fail(
            f"no model of {target.where} learns from a dataset {dataset!r}; known: {', '.join(known) or 'none'}",
            output.EXIT_USAGE,
        )


@group.command("list", epilog=example("perennial data list flights"))
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


@group.command(epilog=example("perennial data show flights 84f2"))
def show(
    context: typer.Context, dataset: Dataset, version: Annotated[str, typer.Argument(help="Its first digits.")]
) -> None:
    """List the files of a data version."""
    shared: Shared = context.obj
    manifest = _one(_manifests(shared, dataset), version)
    rows = [{**o, "bytes": o["size"], "size": output.size(o["size"])} for o in manifest["objects"]]
    shared.out.line(f"{manifest['version']}\ncut at {output.when(manifest['cut_at'])}")
    shared.out.table(rows, ["name", "size", "sha256"], empty="This version has no files.")


@group.command(epilog=example("perennial data diff flights 84f2 1c09"))
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
    target = shared.target()
    _need_dataset(target, dataset)
    bucket = reports.data(target)
    wanted = [key for key in bucket.keys(keys.versions(dataset)) if key.endswith("/manifest.json")]
    return [bucket.need_json(key) for key in wanted]


def _one(manifests: list[dict[str, Any]], prefix: str) -> dict[str, Any]:
    found = [m for m in manifests if m["version"].startswith(prefix)]
    if len(found) != 1:
        known = ", ".join(output.short(m["version"]) for m in manifests) or "none"
        output.fail(f"{prefix!r} begins {len(found)} data versions; known: {known}", output.EXIT_USAGE)
    return found[0]
