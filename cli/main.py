"""`perennial`: the operator's command, the same against AWS and the laptop engine."""

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli import output, target
from cloud.operator import in_words
from lifecycle.errors import LifecycleError, Unavailable

EPILOG = (
    "Options that every command takes, anywhere on the line: [bold]--json[/bold], one JSON value for machines; "
    "[bold]--stage[/bold] NAME, a stage of stages.yaml (default: the first); [bold]--local[/bold] or "
    "[bold]--aws[/bold] (default: the laptop engine if one runs here, else AWS); [bold]--endpoint-url[/bold] URL, "
    "another address that speaks as AWS does, such as LocalStack's.\n\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing there to talk to."
)
HELP = """Put tabular models into production and keep them fresh.

An upload becomes a data version, a validated training run, an approved model, and predictions over HTTP.

On AWS, or on this machine with the laptop engine: the same commands.
"""
BEGIN, DATA, MODELS, CARE = "Begin", "Data and runs", "Models and predictions", "Look after it"
ORDER = (
    "new", "local", "doctor", "upload", "data", "train", "experiment", "status", "runs", "models", "approve", "deploy",
    "live", "rollback", "predict", "openapi", "predictions", "feedback", "replay", "monitor", "retrain", "simulate",
    "logs", "destroy",
)  # fmt: skip


class _InOrder(TyperGroup):
    """Lists the commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(super().list_commands(ctx), key=lambda name: ORDER.index(name) if name in ORDER else 0)


app = typer.Typer(
    cls=_InOrder,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=HELP,
    epilog=EPILOG,
)

_FLAGS = ("--json", "--local", "--aws")
_NAMED = ("--stage", "--endpoint-url")


def example(*lines: str) -> str:
    """Return the end of a command's help: command lines that a reader can copy."""
    return "\n\n".join(["[bold]Example[/bold]", *(output.escape(line) for line in lines)])


@app.callback()
def options(
    context: typer.Context,
    stage: Annotated[str | None, typer.Option(help="Stage of stages.yaml.", envvar="PERENNIAL_STAGE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value instead of tables and lines.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Talk to the laptop engine.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Talk to AWS even when a laptop engine runs.")] = False,
    endpoint_url: Annotated[str | None, typer.Option(help="Talk to this address, which speaks as AWS does.")] = None,
) -> None:
    """Take the options that every command shares."""
    if local + aws + (endpoint_url is not None) > 1:
        output.fail("--local, --aws and --endpoint-url exclude each other", output.EXIT_USAGE)
    where = "local" if local else "aws" if aws or endpoint_url is not None else None
    context.obj = Shared(stage=stage, where=where, as_json=as_json, endpoint=endpoint_url)


class Shared:
    """The options that every command shares, and what is made from them."""

    def __init__(self, *, stage: str | None, where: str | None, as_json: bool, endpoint: str | None = None) -> None:
        self.stage, self.where, self.endpoint = stage, where, endpoint
        self.out = output.Output(as_json=as_json)

    def target(self) -> target.Target:
        """Return where this command acts; ends the command outside a checkout."""
        need_checkout()
        return target.find(stage=self.stage, where=self.where, endpoint=self.endpoint)


def need_checkout() -> None:
    """End the command unless the working directory is a checkout: stages, models and engine are found from there."""
    if not (Path("app.py").is_file() and Path("stages.yaml").is_file()):
        output.fail(
            f"{Path.cwd()} is no Perennial checkout: it has no app.py and stages.yaml. "
            "Run this in the folder that you cloned (cd there first).",
            output.EXIT_USAGE,
        )


def _hoist(arguments: list[str]) -> list[str]:
    """Move the shared options in front of the command, so that they may stand anywhere on the line.

    >>> _hoist(["status", "--json", "--stage", "prod"])
    ['--json', '--stage', 'prod', 'status']
    """
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*front, *rest, argument, *waiting]
        if argument in _FLAGS or argument.startswith(tuple(f"{name}=" for name in _NAMED)):
            front.append(argument)
        elif argument in _NAMED:
            front += [argument, *[value for value in [next(waiting, None)] if value is not None]]
        else:
            rest.append(argument)
    return front + rest


def run(arguments: list[str]) -> None:
    """Run one command line; ends with SystemExit, whose code says how it went."""
    import cli.commands  # noqa: F401  registers the commands; late, so that this module can be imported by them

    try:
        with in_words():
            app(_hoist(arguments), prog_name="perennial", standalone_mode=True)
    except Unavailable as error:
        output.fail(str(error), output.EXIT_UNREACHABLE)
    except LifecycleError as error:
        output.fail(str(error))
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def main() -> None:
    """Run the command line that the shell gave."""
    # whoever ends the command ends what it started, as with Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run(sys.argv[1:])
