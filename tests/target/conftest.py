"""`pytest tests/target --target local | localstack | aws`: one body, three places (docs/verified.md)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localstack.process import installed
from tests.target.on_aws import Allowance, aws
from tests.target.on_laptop import laptop
from tests.target.on_localstack import endpoint, localstack
from tests.target.place import Place
from tests.target.recorder import Recorder, recording


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("target")
    group.addoption("--target", choices=("local", "localstack", "aws"), default="local", help="where the body runs")
    group.addoption("--endpoint-url", help="localstack: the address of one that runs already (default: start one)")
    group.addoption("--account", help="AWS: the account that may be used, 12 digits; required")
    group.addoption("--limit", type=float, help="AWS: what the run may cost at most, US dollars; required")
    group.addoption("--region", default="us-east-1", help="AWS: the region")
    group.addoption("--record", action="store_true", help="AWS: keep the events as fixtures for the other places")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse before anything is made: AWS only with an account and a limit."""
    if config.getoption("--target", "local") == "aws":
        Allowance.of(config.getoption("--account"), config.getoption("--limit"))


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The place, deployed."""
    option, folder = request.config.getoption, tmp_path_factory.mktemp("target")
    target = option("--target", "local")
    if target == "aws":
        with aws(folder, Allowance.of(option("--account"), option("--limit")), option("--region")) as found:
            yield found
    elif target == "localstack" and option("--endpoint-url"):
        yield endpoint(folder, option("--endpoint-url"))
    elif target == "localstack":
        if not installed():
            pytest.skip("LocalStack is not installed here: make test-localstack does it")
        with localstack(folder) as found:
            yield found
    else:
        with laptop(folder) as found:
            yield found


@pytest.fixture(scope="session")
def recorder(place: Place) -> Iterator[Recorder]:
    """Everything that is sent to the bus from the first upload on."""
    with recording(place) as found:
        yield found


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the recorded events of this run are left."""
    return tmp_path_factory.mktemp("events")
