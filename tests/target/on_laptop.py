"""The body's place on the laptop engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from cloud.operator import Operator
from local.options import ANY_CALL_VARIABLE
from tests.e2e.conftest import running
from tests.target import checkout
from tests.target.place import Place

IDLE_SPEED: Final = 60
PATIENCE_SECONDS: Final = 120.0


@contextmanager
def laptop(folder: Path) -> Iterator[Place]:
    """Run an engine on the checkout; stops it in the end."""
    here = checkout.made(folder / "checkout")
    with pytest.MonkeyPatch.context() as patch:
        # the body looks from outside, and subscribes a queue of its own, which the product never does
        patch.setenv(ANY_CALL_VARIABLE, "1")
        with running(here, IDLE_SPEED) as lab:
            state = lab.state
            operator = Operator(
                region=state["region"],
                endpoint=state["endpoint"],
                access_key=state["access_key"],
                secret_key=state["secret_key"],
            )
            yield Place(target="local", folder=here, operator=operator, patience=PATIENCE_SECONDS)
