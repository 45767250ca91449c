"""One synthesis per stage for the whole session; tests look at its templates."""

from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import FIXTURES, ROOT, Assembly


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(code=ROOT, home=FIXTURES)


@pytest.fixture(scope="session")
def assembly(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The stage `dev` with all fixture models."""
    folder = tmp_path_factory.mktemp("dev")
    synthesize(project, stage="dev", outdir=folder)
    return Assembly(folder)


@pytest.fixture(scope="session")
def production(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """The stage `prod` with all fixture models."""
    folder = tmp_path_factory.mktemp("prod")
    synthesize(project, stage="prod", outdir=folder)
    return Assembly(folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home of its own, to be changed: stages.yaml and no models yet."""
    (tmp_path / "models").mkdir()
    (tmp_path / "stages.yaml").write_bytes((FIXTURES / "stages.yaml").read_bytes())
    return tmp_path


@pytest.fixture
def copy_model(home: Path) -> Callable[[str], Path]:
    """Copies a fixture model into `home`."""

    def copy(name: str) -> Path:
        folder = home / "models" / name
        folder.mkdir()
        for file in (FIXTURES / "models" / name).iterdir():
            if file.is_file():
                (folder / file.name).write_bytes(file.read_bytes())
        return folder

    return copy
