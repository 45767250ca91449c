"""`perennial destroy`: everything of a stage, after saying what will be lost."""

from typing import Annotated

import typer

from cli import output
from cli.follow import Board
from cli.main import CARE, Shared, app, example
from cli.target import Target
from cloud.removal import Removal
from lifecycle import names
from lifecycle.errors import Rejected

_HOLDS_DATA = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key")
_EXPORTERS_LAST = {"training": 1, "serving": 2, "shared": 3}
_RETAINED = (*_HOLDS_DATA, "AWS::Logs::LogGroup", "AWS::IAM::Role")


@app.command(
    rich_help_panel=CARE, epilog=example("perennial destroy --stage dev", "perennial destroy --stage dev --yes --json")
)
def destroy(
    context: typer.Context,
    keep_data: Annotated[
        bool, typer.Option("--keep-data", help="Keep buckets, tables and the key if stages.yaml retains them.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete all stacks of a stage and, unless --keep-data, what they retain. Says what will be lost, and asks."""
    shared: Shared = context.obj
    if shared.out.as_json and not yes:
        output.fail("--json asks nothing: say --yes too", output.EXIT_USAGE)
    target = shared.target()
    stacks = _in_order(target)
    if not stacks:
        output.fail(f"{target.where} has no stacks", output.EXIT_UNREACHABLE)
    removal = Removal(target.operator)
    resources = [(stack, kind, name) for stack in stacks for kind, name in target.stacks.resources(stack)]
    if not shared.out.as_json:
        _announce(shared.out, target, removal, stacks, resources, keep_data=keep_data)
    if not yes and _asked(target.stage) != target.stage:
        output.fail("nothing was deleted")
    _delete(target, removal, stacks, resources, Board(quiet=shared.out.as_json), keep_data=keep_data)
    left = [] if keep_data else removal.tagged(target.stage)
    shared.out.value({"deleted": stacks, "left": left})
    if left:
        output.fail("still there and tagged: " + ", ".join(left))
    shared.out.line("Nothing is left." if not keep_data else "The stacks are gone; data was kept.")


def _asked(stage: str) -> str:
    """What a person types; an empty text when nobody does."""
    try:
        return str(typer.prompt(f"Type the stage's name ({stage}) to go on", default="", show_default=False, err=True))
    except typer.Abort:
        return ""


def _in_order(target: Target) -> list[str]:
    """All stacks of the stage, those that import before those that export."""
    found = target.stacks.names(f"{names.PRODUCT}-{target.stage}-")
    return sorted(found, key=lambda name: (_EXPORTERS_LAST.get(name.rsplit("-", 1)[-1], 0), name))


def _announce(
    out: output.Output, target: Target, removal: Removal, stacks: list[str], resources: list[tuple[str, str, str]],
    *, keep_data: bool,
) -> None:  # fmt: skip
    out.line(f"[bold]{target.where}[/bold]: {len(stacks)} stacks, {len(resources)} resources will be deleted:")
    for stack in stacks:
        out.line(f"  {stack}")
    lost = [(kind, name) for _, kind, name in resources if kind in _HOLDS_DATA]
    out.line("Kept as stages.yaml says:" if keep_data else "[bold red]Lost for ever[/bold red]:")
    for kind, name in lost:
        count = f", {removal.count_objects(name)} object versions" if kind == "AWS::S3::Bucket" else ""
        out.line(f"  {kind.removeprefix('AWS::')} {name}{count}")


def _delete(
    target: Target, removal: Removal, stacks: list[str], resources: list[tuple[str, str, str]], board: Board,
    *, keep_data: bool,
) -> None:  # fmt: skip
    for _, kind, name in resources:
        if kind == "AWS::SageMaker::ModelPackageGroup":
            with board.doing(f"delete the model packages and endpoints of {name.rsplit('/', 1)[-1]}"):
                removal.delete_packages(name.rsplit("/", 1)[-1])
                removal.delete_endpoints(name.rsplit("/", 1)[-1])
    if not keep_data:
        _empty(removal, resources, board)
    for stack in stacks:
        with board.doing(f"delete {stack}"):
            try:
                target.stacks.delete(stack)
            except Rejected:
                if keep_data:
                    raise
                # S3 delivers access logs up to hours late: what came since stands in the way of the log bucket
                _empty(removal, resources, board)
                target.stacks.delete(stack)
    with board.doing("delete the jobs"):
        removal.delete_jobs(target.stage)
    if keep_data:
        return
    for _, kind, name in resources:
        if kind in _RETAINED:
            if kind == "AWS::S3::Bucket":
                removal.empty_bucket(name)  # what was delivered while the stacks were going
            removal.delete(kind, name)


def _empty(removal: Removal, resources: list[tuple[str, str, str]], board: Board) -> None:
    buckets = [name for _, kind, name in resources if kind == "AWS::S3::Bucket"]
    for name in buckets:
        removal.stop_access_logs(name)
    for name in buckets:
        with board.doing(f"empty bucket {name}"):
            removal.empty_bucket(name)
