"""`perennial`: the operator's command, the same against AWS and the laptop engine."""

import signal
import sys
from typing import Annotated

import typer

from cli import output, target
from lifecycle.errors import LifecycleError, Unavailable

EPILOG = (
    "Every command takes --json (machine-readable), --stage NAME (of stages.yaml; default: the first), and --local or "
    "--aws (default: the laptop engine if one runs here, else AWS). Exit codes: 0 done, 1 failed, 2 wrong usage, "
    "3 nothing there to talk to."
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Put tabular models into production and keep them fresh.",
    epilog=EPILOG,
)

_FLAGS = ("--json", "--local", "--aws")


@app.callback()
def options(
    context: typer.Context,
    stage: Annotated[str | None, typer.Option(help="Stage of stages.yaml.", envvar="PERENNIAL_STAGE")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value instead of tables and lines.")] = False,
    local: Annotated[bool, typer.Option("--local", help="Talk to the laptop engine.")] = False,
    aws: Annotated[bool, typer.Option("--aws", help="Talk to AWS even when a laptop engine runs.")] = False,
) -> None:
    """Take the options that every command shares."""
    if local and aws:
        output.fail("--local and --aws exclude each other", output.EXIT_USAGE)
    context.obj = Shared(stage=stage, where="local" if local else "aws" if aws else None, as_json=as_json)


class Shared:
    """The options that every command shares, and what is made from them."""

    def __init__(self, *, stage: str | None, where: str | None, as_json: bool) -> None:
        self.stage, self.where = stage, where
        self.out = output.Output(as_json=as_json)

    def target(self) -> target.Target:
        """Return where this command acts."""
        return target.find(stage=self.stage, where=self.where)


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
        if argument in _FLAGS or argument.startswith("--stage="):
            front.append(argument)
        elif argument == "--stage":
            front += [argument, *[value for value in [next(waiting, None)] if value is not None]]
        else:
            rest.append(argument)
    return front + rest


def main() -> None:
    """Run the command line."""
    # whoever ends the command ends what it started, as with Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    import cli.commands  # noqa: F401  registers the commands; late, so that this module can be imported by them

    try:
        app(_hoist(sys.argv[1:]), standalone_mode=True)
    except Unavailable as error:
        output.fail(str(error), output.EXIT_UNREACHABLE)
    except LifecycleError as error:
        output.fail(str(error))
    except KeyboardInterrupt:
        raise SystemExit(130) from None
