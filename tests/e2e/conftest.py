"""One engine for all end-to-end tests, in a checkout of its own with its own models, driven from outside.

The tests speak S3 and HTTP, and look at what exists with boto3, as any client would.
"""

import csv
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from cloud.door import Answer, Door
from lifecycle import ledger, names
from local.options import RECORD_VARIABLE
from tests import tables

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("lifecycle", "cloud", "tabular", "lambdas", "training", "stacks", "local", "cli")
IDLE_SPEED = 60
PATIENCE_SECONDS = 240.0
ROLLOUTS = {
    "moves": "all-at-once",
    "steps": "{canary: {steps: [50], step_minutes: 5, min_rows: 20, max_duration_ratio: 50}}",
}
"""Models of the tests of rollouts, and how each is rolled out."""

FULL_RUN = ROOT / "build" / "grants"
"""What tests/grants judges: which of these tests ran, and what each engine's roles were granted and used."""

GRANTS: list[tuple[list[str], dict[str, Any]]] = []
"""Of engines that have ended: their models, and what their roles were granted and used (`Lab.grants`)."""

RAN: set[str] = set()
"""Names of the test modules that ran in this process."""

RUNNING: list["Lab"] = []
"""The engines that run in this process."""
TOLD_LINES = 40

EACH = """
import json, sys
from cli.main import main

for command in json.loads(sys.argv[1]):
    sys.argv[1:] = command
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
"""
"""Runs several commands of the command line in one process."""

NEAR = """
from sklearn.neighbors import KNeighborsClassifier


def neighbours():
    return KNeighborsClassifier(60)
"""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Remember what ran."""
    RAN.add(item.path.stem.removeprefix("test_"))


def pytest_sessionfinish() -> None:
    """Leave behind what this process's engines granted and used: only all processes together are a full run."""
    if GRANTS:
        FULL_RUN.mkdir(parents=True, exist_ok=True)
        (FULL_RUN / f"{os.getpid()}.json").write_text(json.dumps({"ran": sorted(RAN), "engines": GRANTS}))


def wait_until[T](
    find: Callable[[], T | None],
    what: str,
    seconds: float = PATIENCE_SECONDS,
    seen: Callable[[], object] = lambda: "",
) -> T:
    """Return what `find` returns once it is something; fail after `seconds` of wall time, with what `seen` tells."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := find():
            return found
        time.sleep(0.2)
    pytest.fail(f"no {what} within {seconds:.0f} s {seen()}\n{_last_words()}")


def _last_words() -> str:
    """What the running engines said last that somebody may have to know, and what their time is."""
    told = []
    for lab in RUNNING:
        lines = (lab.root / "engine.log").read_text(errors="replace").splitlines()
        told += [f"engine of {lab.root.name}, at {lab.now():.0f}:", *lines[-TOLD_LINES:]]
    return "\n".join(told)


def rows_as_csv(count: int, seed: int, header: tuple[str, ...] = ("key", "x", "z", "y")) -> bytes:
    """A small binary table with signal: what the model `plain` was made from."""
    chance = random.Random(seed)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for number in range(count):
        x, z = chance.random(), chance.choice("abc")
        y = int(x + (z == "a") * 0.3 + chance.random() * 0.4 > 0.8)
        writer.writerow([f"{seed}-{number}", round(x, 4), z, y][: len(header)])
    return text.getvalue().encode()


@dataclass(frozen=True)
class Lab:
    """The running engine, seen from outside."""

    root: Path
    state: dict[str, Any]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.state["endpoint"],
            region_name=self.state["region"],
            aws_access_key_id=self.state["access_key"],
            aws_secret_access_key=self.state["secret_key"],
            config=Config(retries={"max_attempts": 1}),
        )

    def outputs(self, stack: str) -> dict[str, str]:
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}

    @property
    def shared(self) -> dict[str, str]:
        return self.outputs(names.shared_stack("dev"))

    @property
    def door(self) -> Door:
        keys = (self.state["access_key"], self.state["secret_key"], None)
        return Door(self.shared[names.OUTPUT_API_URL], self.state["region"], keys)

    def upload(self, dataset: str, name: str, body: bytes) -> None:
        self.client("s3").put_object(
            Bucket=self.shared[names.OUTPUT_DATA_BUCKET], Key=f"incoming/{dataset}/{name}", Body=body
        )

    def delete(self, dataset: str, name: str) -> None:
        self.client("s3").delete_object(Bucket=self.shared[names.OUTPUT_DATA_BUCKET], Key=f"incoming/{dataset}/{name}")

    def executions(self, model: str, machine: str = "training") -> list[dict[str, Any]]:
        """All executions of a model's machine, oldest first."""
        output = names.OUTPUT_TRAINING_MACHINE if machine == "training" else names.OUTPUT_DEPLOYMENT_MACHINE
        stack = (names.training_stack if machine == "training" else names.serving_stack)("dev", model)
        found = self.client("stepfunctions").list_executions(stateMachineArn=self.outputs(stack)[output])["executions"]
        return sorted(found, key=lambda e: e["startDate"])

    def ended(self, model: str, count: int = 1, machine: str = "training") -> list[dict[str, Any]]:
        """Wait until a machine has `count` executions that ended; return them described."""

        def find() -> list[dict[str, Any]] | None:
            over = [e for e in self.executions(model, machine) if e["status"] != "RUNNING"]
            return over if len(over) >= count else None

        client = self.client("stepfunctions")
        found = wait_until(find, f"{count} ended {machine} executions of {model}")
        return [client.describe_execution(executionArn=e["executionArn"]) for e in found]

    def story(self, model: str) -> list[tuple[str, dict[str, Any]]]:
        """Kind and detail of all that the ledger says about a model, oldest first."""
        found = self.client("dynamodb").query(
            TableName=self.shared[names.OUTPUT_LEDGER_TABLE],
            KeyConditionExpression="subject = :subject AND begins_with(entry, :event)",
            ExpressionAttributeValues={":subject": {"S": ledger.model(model)}, ":event": {"S": "event#"}},
        )["Items"]
        return [(item["kind"]["S"], json.loads(item["detail"]["S"])) for item in found]

    def live_version(self, model: str) -> str | None:
        """The model version that answers over HTTP, or None while none does."""
        answer = self.door.call("GET", f"/models/{model}")
        return str(answer.body["model_version"]) if answer.status == 200 else None

    def predict(self, model: str, rows: list[dict[str, Any]]) -> Answer:
        return self.door.predict(model, list(rows))

    def artifact(self, key: str) -> Any:
        """A JSON object of the artifact bucket."""
        bucket = self.shared[names.OUTPUT_ARTIFACT_BUCKET]
        return json.loads(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    @property
    def models(self) -> list[str]:
        return sorted(path.name for path in (self.root / "models").iterdir() if path.is_dir())

    @property
    def grants(self) -> dict[str, Any]:
        """What each role is granted, and what of it was used since the engine began."""
        answer = Door(self.state["endpoint"], "us-east-1", ("x", "x", None)).call("GET", "/_engine/grants")
        return dict(answer.body["roles"])

    def settle(self) -> None:
        """Give everything that was announced the time to be looked at: more than two settle times of engine time."""
        began = self.now()
        wait_until(lambda: self.now() > began + 150, "150 s of engine time", 60)

    def now(self) -> float:
        """The engine's time, epoch seconds."""
        answer = Door(self.state["endpoint"], "us-east-1", ("x", "x", None)).call("GET", "/_engine/clock")
        return float(answer.body["now"])


def checkout(folder: Path) -> Path:
    """Make `folder` a checkout of its own, without models."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "cdk.json", "stages.yaml", "package.json", "requirements"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "build").mkdir()
    for built in [*(ROOT / "build").glob("layer-*"), *(ROOT / "build").glob("wheels*")]:
        (folder / "build" / built.name).symlink_to(built)
    for name in (".venv", ".venv-runtime", ".venv-jobs"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "models").mkdir()
    (folder / "tables").mkdir()
    return folder


@pytest.fixture(scope="session", autouse=True)
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Every engine of these tests writes down what the product asks of it, and looks at its own answers."""
    folder = Path(os.environ.setdefault(RECORD_VARIABLE, str(tmp_path_factory.mktemp("record"))))
    yield folder
    lines = [json.loads(line) for file in folder.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert [line["fault"] for line in lines if "fault" in line] == []


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of its own, with a model for each generated table, made by `perennial new`."""
    folder = checkout(tmp_path_factory.mktemp("checkout"))
    made = {
        name: (make(folder / "tables" / f"{name}.csv"), tables.TARGETS[name]) for name, make in tables.MAKERS.items()
    }
    plain = folder / "tables" / "plain.csv"
    plain.write_bytes(rows_as_csv(600, 1))
    made |= dict.fromkeys(("plain", "near", *ROLLOUTS), (plain, "y"))
    commands = [["new", name, "--from", str(path), "--target", target] for name, (path, target) in made.items()]
    ran = subprocess.run(
        [sys.executable, "-c", EACH, json.dumps(commands)],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    described = folder / "models" / "plain" / "model.yaml"  # at once: rollouts have models of their own
    text = re.sub(r"(?m)^serving: .*", "serving: {rollout: all-at-once}", described.read_text())
    # a replay that is made and refuses nobody
    described.write_text(f"{text}\ngates:\n  replay: {{min_rows: 20, max_changed_decisions: 1, max_refused: 1}}\n")
    for name, rollout in ROLLOUTS.items():
        described = folder / "models" / name / "model.yaml"
        text = re.sub(r"(?m)^candidates: .*", "candidates: [logistic-regression]", described.read_text())
        described.write_text(re.sub(r"(?m)^serving: .*", f"serving: {{auth: none, rollout: {rollout}}}", text))
    _near(folder)
    for described in folder.glob("models/*/model.yaml"):  # nothing here is about looks, and time passes fast
        text = re.sub(r"(?m)^monitoring: .*\n?", "", described.read_text())
        described.write_text(f"{text}\nmonitoring: {{prediction_log: true, every_minutes: 10080, window_hours: 168}}\n")
    return folder


def _near(folder: Path) -> None:
    """Give the model `near` an estimator that cannot be compiled: an endpoint serves it."""
    described = folder / "models" / "near" / "model.yaml"
    text = re.sub(r"(?m)^candidates: .*", "candidates: [estimators:neighbours]", described.read_text())
    described.write_text(re.sub(r"(?m)^serving: .*", "serving: {auth: none, rollout: all-at-once}", text))
    (described.parent / "estimators.py").write_text(NEAR)


@pytest.fixture(scope="session")
def lab(workspace: Path) -> Iterator[Lab]:
    """The engine, deployed and ready."""
    with running(workspace, IDLE_SPEED) as found:
        yield found


@contextmanager
def running(workspace: Path, idle_speed: float) -> Iterator[Lab]:
    """Synthesize a checkout and run an engine on it; idle time passes `idle_speed` times as fast."""
    environment = clean_environment()
    subprocess.run([sys.executable, "app.py"], cwd=workspace, env=environment, check=True, capture_output=True)
    state_file = workspace / ".perennial" / "engine.json"  # where the command line looks for it
    state_file.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "local.engine", "--cdk-out", "cdk.out", "--state-file", str(state_file)]
    with (workspace / "engine.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--idle-speed", str(idle_speed)], cwd=workspace, env=environment, stdout=log, stderr=log
        )
    try:
        wait_until(lambda: state_file.exists() or process.poll() is not None or None, "engine")
        assert process.poll() is None, (workspace / "engine.log").read_text()[-4000:]
        found = Lab(workspace, json.loads(state_file.read_text()))
        RUNNING.append(found)
        yield found
        RUNNING.remove(found)
        GRANTS.append((found.models, found.grants))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def perennial(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a checkout; fail the test when it fails."""
    ran = subprocess.run(
        [sys.executable, "-c", "from cli.main import main; main()", *arguments],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def clean_environment() -> dict[str, str]:
    """No AWS settings, bytecode on, the environment's own tools first."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_") and k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"}
