"""The body's place on the laptop engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cloud.operator import Operator
from tests.e2e.conftest import running
from tests.target import checkout
from tests.target.place import Place

IDLE_SPEED: Final = 60
PATIENCE_SECONDS: Final = 120.0


@contextmanager
def laptop(folder: Path) -> Iterator[Place]:
    """Run an engine on the checkout; stops it in the end."""
    here = checkout.made(folder / "checkout")
    with running(here, IDLE_SPEED) as lab:
        state = lab.state
        operator = Operator(
            region=state["region"],
            endpoint=state["endpoint"],
            access_key=state["access_key"],
            secret_key=state["secret_key"],
        )
        yield Place(target="local", folder=here, operator=operator, patience=PATIENCE_SECONDS)
