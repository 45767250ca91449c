"""An engine in a checkout of its own, and a user's shell beside it: address and keys come from `perennial local env`.

The model is called `churn`, as in docs/clients.md: the page's own lines are what the tests run.
"""

import csv
import os
import random
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import NEAR, Lab, checkout, clean_environment, perennial, running, wait_until

ROOT = Path(__file__).resolve().parents[2]
MODEL = "churn"
GROUP = "perennial-dev-churn"
SERVED = "near"
"""A model that cannot be compiled: an endpoint serves it."""
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Shell:
    """A user's shell in a checkout, as `eval "$(perennial local env)"` leaves it."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command and return how it ended; `more` is set in its environment."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def lines(self, text: str) -> str:
        """Run lines of bash, which must all succeed, and return what they print."""
        ran = self.run("bash", "-euo", "pipefail", "-c", text)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


def page(kind: str) -> str:
    """The block of docs/clients.md whose opening fence says `kind`."""
    found = re.search(rf"^```{kind}\n(.*?)^```", (ROOT / "docs/clients.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/clients.md has no block {kind!r}"
    return found[1]


def lane(name: str) -> Path:
    """Return the environment of a lane; skip the test where nobody made it."""
    folder = ROOT / "build" / name
    if not (folder / ".stamp").exists():
        pytest.skip(f"build/{name} does not exist: make test-{name} makes it")
    return folder


def rows(path: Path, count: int, seed: int) -> Path:
    """Write a small table with signal."""
    chance = random.Random(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "months", "plan", "churned"])
        for number in range(count):
            months, plan = chance.randrange(1, 60), chance.choice("abc")
            churned = months / 60 + (plan == "a") * 0.3 + chance.random() * 0.4 > 0.8
            writer.writerow([f"{seed}-{number}", months, plan, "yes" if churned else "no"])
    return path


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the models `churn` and `near`, whose versions a person approves."""
    made = checkout(tmp_path_factory.mktemp("clients"))
    table = rows(made / "churn.csv", 600, 1)
    for model, candidates in ((MODEL, "logistic-regression, random-forest"), (SERVED, "estimators:neighbours")):
        perennial(made, "new", model, "--from", str(table), "--target", "churned")
        described = made / "models" / model / "model.yaml"
        text = re.sub(r"(?m)^candidates: .*", f"candidates: [{candidates}]", described.read_text())
        described.write_text(re.sub(r"(?m)^serving: .*", "serving: {rollout: all-at-once}", text))
    (made / "models" / SERVED / "estimators.py").write_text(NEAR)
    stages = made / "stages.yaml"
    stages.write_text(stages.read_text().replace("approval: auto", "approval: manual"))
    (made / "request.json").write_text(page("json request"))
    (made / "node_modules").symlink_to(ROOT / "node_modules")
    (made / "build/sagemaker").symlink_to(ROOT / "build/sagemaker")
    return made


@pytest.fixture(scope="session")
def lab(folder: Path) -> Iterator[Lab]:
    """The engine, deployed and ready."""
    with running(folder, 60) as found:
        yield found


@pytest.fixture(scope="session")
def shell(lab: Lab) -> Shell:
    """The user's shell: the environment is what `perennial local env` prints, read by a shell."""
    printed = perennial(lab.root, "local", "env").stdout
    before = {**clean_environment(), "AWS_PROFILE": "somebody", "HOME": str(lab.root)}
    ran = subprocess.run(
        ["bash", "-c", f"eval {shlex.quote(printed)}; env -0"], env=before, capture_output=True, text=True, check=True
    )
    after = dict(line.split("=", 1) for line in ran.stdout.split("\0") if "=" in line)
    return Shell(lab.root, after)


@pytest.fixture(scope="session")
def registered(lab: Lab) -> str:
    """The ARN of a model package of `churn`, trained on uploaded data."""
    lab.upload(MODEL, "churn.csv", (lab.root / "churn.csv").read_bytes())
    return wait_for_package(lab)


@pytest.fixture(scope="session")
def served(lab: Lab) -> str:
    """The ARN of the model package of `near`, which an endpoint serves."""
    lab.upload(SERVED, "churn.csv", (lab.root / "churn.csv").read_bytes())
    package = wait_for_package(lab, SERVED)
    lab.client("sagemaker").update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    wait_until(lambda: lab.live_version(SERVED), "live version", PATIENCE_SECONDS)
    return package


def wait_for_package(lab: Lab, model: str = MODEL) -> str:
    """Wait until a model has a package, and return the newest one's ARN."""
    client = lab.client("sagemaker")

    def find() -> str | None:
        listed = client.list_model_packages(ModelPackageGroupName=f"perennial-dev-{model}")["ModelPackageSummaryList"]
        return listed[0]["ModelPackageArn"] if listed else None

    def why() -> list[str]:
        states = lab.client("stepfunctions")
        ended = [states.describe_execution(executionArn=e["executionArn"]) for e in lab.executions(model)]
        return [f"{e['status']} {e.get('error')} {e.get('cause')}" for e in ended]

    return wait_until(find, "model package", PATIENCE_SECONDS, why)


def path_with(folder: Path) -> str:
    """Return the PATH of somebody who has an environment's programs."""
    return f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
