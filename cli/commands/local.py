"""`perennial local up | run`: the laptop engine, and the whole loop on it."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import engine, output
from cli.files import need_uploadable
from cli.follow import Board
from cli.local_environment import environment_of, lines_of
from cli.loop import Loop
from cli.main import BEGIN, Shared, app, example, need_checkout
from cli.open_models import open_models, warning
from cli.target import find
from local.data_directory import DataDirectory
from local.data_folder import DataDirectoryError

group = typer.Typer(
    no_args_is_help=True, help="Run everything on this machine: the same stacks, without an account or Docker."
)
app.add_typer(group, name="local", rich_help_panel=BEGIN)

LOOP_IDLE_SPEED = 60.0  # while the loop waits for the settle time and nothing works, a minute takes a second

Port = Annotated[
    int | None, typer.Option(min=1024, max=65535, help="Loopback port of the engine (default: a free one).")
]

Fresh = Annotated[bool, typer.Option("--fresh", help="Begin without the data of earlier engines, which are deleted.")]


@group.command(
    epilog=example("perennial local up", "perennial upload flights models/flights/data/*.csv   (in another terminal)")
)
def up(
    context: typer.Context,
    port: Port = None,
    idle_speed: Annotated[
        float,
        typer.Option(
            min=1, max=10_000, help="How much faster engine time passes while nothing works (1: as the wall clock)."
        ),
    ] = 1.0,
) -> None:
    """Start the engine, deploy every model of models/, and serve until Ctrl-C.

    While it runs, every other command of this checkout talks to it. Its data stay in .perennial/data: the next engine
    of this checkout goes on with them, and changes what was deployed into what the checkout says now.
    """
    shared: Shared = context.obj
    need_checkout()
    board = Board(quiet=shared.out.as_json)
    engine.need_none(port)
    engine.synthesize(shared.stage, board)
    with engine.start(idle_speed=idle_speed, port=port, data=engine.DATA) as process:
        state = engine.report(process, board)
        shared.out.record({key: state[key] for key in ("endpoint", "api_url", "stage", "region", "pid")})
        _warn_of_open_models(board)
        if not _models():
            shared.out.line(
                "models/ is empty. Write a model from a file: perennial new NAME --from FILE --target COLUMN"
            )
        shared.out.raw(_look_hint(state))
        _until_interrupted(process)


@group.command(
    epilog=example(
        "perennial local run flights jan.csv feb.csv", "perennial local run churn churn.csv --ask new.csv --once"
    )
)
def run(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A model of models/.")],
    files: Annotated[
        list[Path], typer.Argument(exists=True, dir_okay=False, help="Files to upload (CSV, CSV.gz, Parquet).")
    ],
    ask: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Rows to ask predictions for (default: rows of the files)."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Stop at the end; exit 0 only if every stage succeeded.")
    ] = False,
    port: Port = None,
) -> None:
    """Take files through the whole loop: upload, version, validation, training, registry, deployment, prediction.

    For a first look at a model, and after each change of its model.yaml. Then it serves until Ctrl-C. Its data stay in
    .perennial/data as those of `perennial local up`; with --once they are neither read nor kept.
    """
    shared: Shared = context.obj
    need_checkout()
    if not Path(f"models/{model}/model.yaml").exists():
        known = ", ".join(_models()) or "none"
        output.fail(
            f"there is no models/{model}/model.yaml (models: {known}). Write one from a file: "
            f"perennial new {model} --from {files[0]} --target COLUMN",
            output.EXIT_USAGE,
        )
    need_uploadable(files)
    board = Board(quiet=shared.out.as_json)
    engine.need_none(port)
    engine.synthesize(shared.stage, board)
    data = None if once else engine.DATA
    with engine.start(idle_speed=LOOP_IDLE_SPEED, port=port, data=data) as process:
        engine.report(process, board)
        _warn_of_open_models(board)
        loop = Loop(find(stage=shared.stage, where="local"), model, board, shared.out)
        try:
            loop.run(files, ask, patient=not once)
        except SystemExit:
            if not once:
                _serve(process, loop, shared.out, "The engine keeps running, to look at it,")
            raise
        if not once:
            _serve(process, loop, shared.out, "Serving")


@group.command(epilog=example('eval "$(perennial local env)"', "aws s3 ls"))
def env(context: typer.Context) -> None:
    """Print the shell lines after which any AWS client talks to the running engine: aws, boto3, cdk, other SDKs."""
    shared: Shared = context.obj
    need_checkout()
    state = find(stage=shared.stage, where="local").engine
    assert state is not None  # find ends the command when no engine runs
    shared.out.value(environment_of(state))
    shared.out.raw(lines_of(state))


@group.command(epilog=example("perennial local forget"))
def forget(context: typer.Context) -> None:
    """Delete the data of this checkout's engines, so that the next one begins with nothing."""
    shared: Shared = context.obj
    need_checkout()
    engine.need_none(None)
    if engine.DATA.exists():
        try:
            DataDirectory(engine.DATA, fresh=True).close()
        except DataDirectoryError as error:
            output.fail(str(error))
        shutil.rmtree(engine.DATA)
    shared.out.line("The next engine of this checkout begins with nothing.")


def _warn_of_open_models(board: Board) -> None:
    if found := open_models(engine.ASSEMBLY):
        board.note(warning(found))


def _models() -> list[str]:
    return sorted(path.parent.name for path in Path("models").glob("*/model.yaml"))


def _serve(process: engine.EngineProcess, loop: Loop, out: output.Output, what: str) -> None:
    loop.slow_down()
    out.line(f"\n{what} until Ctrl-C. From another terminal: perennial status, perennial logs, perennial predict ...")
    _until_interrupted(process)


def _until_interrupted(process: engine.EngineProcess) -> None:
    with suppress(KeyboardInterrupt):  # the engine's own context manager ends it
        if code := process.wait():
            output.fail(f"the laptop engine ended with exit code {code}; see .perennial/engine.log")


def _look_hint(state: Mapping[str, Any]) -> str:
    lines = "\n".join(f"  {line}" for line in lines_of(state).splitlines())
    return (
        f"\nLook at it with any AWS client (perennial local env prints this again; docs/clients.md):\n{lines}\n"
        "\nServing until Ctrl-C. From another terminal: perennial upload, perennial status, perennial predict ..."
    )
