"""What holds for every test: examples that are the same in every run, and how tests are dealt out to workers.

Generated examples are the same unless HYPOTHESIS_PROFILE=wide asks for many new ones.
"""

import os
from typing import Any, Final

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("wide", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

OWN_ENGINES: Final = tuple(
    f"tests/e2e/test_{name}.py"
    for name in ("closed_loop", "killed_deployment", "killed_engine", "local_up", "simulate")
)
TOGETHER: Final = ("tests/e2e/", "tests/infrastructure/", "tests/target/")
"""One engine, or one synthesis, for all files of a folder."""


class ByEngine(LoadScopeScheduling):
    """Deals out whole files, and as one piece the files that share an engine or a synthesis.

    xdist's own groups (`--dist loadgroup`) get lost with this pytest: they are written into an attribute of the item
    that it does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        if file in OWN_ENGINES:
            return file
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByEngine:
    """Use it whatever `--dist` says."""
    return ByEngine(config, log)
