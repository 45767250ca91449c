"""The laptop engine under load: uploads, runs and rollouts while 50 clients ask; then the clients alone.

    python benchmarks/load.py [--minutes 5] [--quiet-minutes 4]          (fifteen minutes)

A data directory is kept, as `perennial local up` does. Uploads come at 100 a minute into one dataset; idle time passes
200 times as fast, so that a settle time fits between them and runs and rollouts follow one another. 34 clients ask for
predictions, 16 look by boto3 at what an operator looks at. What is promised: no call is lost, each upload is in the
last version, no version has two finished runs, no two runs at once, no claim is left held and nothing in a dead-letter
queue. Memory is the engine's resident set, once a second: how its lowest grows over the last two thirds of each part,
beside the bytes of objects and log lines that moto was given to keep meanwhile: they stay until they are deleted, as on
AWS, and a log line takes three times its text.
"""

import argparse
import http.client
import json
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import table  # noqa: E402
from lifecycle import keys, ledger, names  # noqa: E402
from tests.e2e.conftest import Lab, checkout, clean_environment, perennial, rows_as_csv, wait_until  # noqa: E402

MODEL = "busy"
IDLE_SPEED = 200
ASKING, LOOKING = 34, 16
UPLOADS_A_MINUTE = 100
PAUSE_SECONDS = 1.0
FLAT = 2.0
"""Megabytes a minute by which the growth of some minutes may be off, on a machine that does other things too."""

KEPT_KB = 5.0
"""What a prediction leaves behind as long as its log lines are kept: four lines, a part of an object of the log."""

ROW = {"key": "1", "x": 0.5, "z": "a"}


@dataclass
class Clients:
    """Who asks, and what became of it: `answers` by status or error."""

    lab: Lab
    stop: threading.Event = field(default_factory=threading.Event)
    answers: Counter[str] = field(default_factory=Counter)
    versions: set[str] = field(default_factory=set)
    took: list[float] = field(default_factory=list)

    def ask(self) -> None:
        """Predict over HTTP, on one connection, until told to stop."""
        url = urlsplit(self.lab.shared[names.OUTPUT_API_URL])
        path = f"{url.path.rstrip('/')}/models/{MODEL}/predictions"
        connection, body = http.client.HTTPConnection(url.netloc, timeout=60), json.dumps({"rows": [ROW]})
        while not self.stop.is_set():
            began = time.perf_counter()
            try:
                connection.request("POST", path, body, {"content-type": "application/json"})
                answer = connection.getresponse()
                told = json.loads(answer.read())
                self.answers[f"predict {answer.status}"] += 1
                self.versions.add(str(told.get("model_version")))
            except (OSError, ValueError, http.client.HTTPException) as fault:
                self.answers[f"predict {type(fault).__name__}"] += 1
                connection.close()
            self.took.append(time.perf_counter() - began)
            self.stop.wait(PAUSE_SECONDS)
        connection.close()

    def look(self) -> None:
        """Ask AWS's services what an operator asks them, until told to stop."""
        lab, shared = self.lab, self.lab.shared
        s3, table_of = client(lab, "s3"), shared[names.OUTPUT_LEDGER_TABLE]
        machine = lab.outputs(names.training_stack("dev", MODEL))[names.OUTPUT_TRAINING_MACHINE]
        calls: list[Callable[[], Any]] = [
            lambda: s3.list_objects_v2(Bucket=shared[names.OUTPUT_DATA_BUCKET], Prefix=f"incoming/{MODEL}/"),
            lambda: client(lab, "cloudformation").describe_stacks(),
            lambda: client(lab, "stepfunctions").list_executions(stateMachineArn=machine),
            lambda: client(lab, "dynamodb").scan(TableName=table_of, Limit=10),
            lambda: client(lab, "sagemaker").list_training_jobs(),
        ]
        while not self.stop.is_set():
            for call in calls:
                try:
                    call()
                    self.answers["look 200"] += 1
                except ClientError as refused:
                    self.answers[f"look {refused.response['Error']['Code']}"] += 1
                except BotoCoreError as fault:
                    self.answers[f"look {type(fault).__name__}"] += 1
                self.stop.wait(PAUSE_SECONDS)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.ask) for _ in range(ASKING)]
        threads += [threading.Thread(target=self.look) for _ in range(LOOKING)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()


@dataclass
class Memory:
    """The engine's resident set, threads and open files, once a second."""

    pid: int
    seen: list[tuple[float, float, int, int]] = field(default_factory=list)

    @contextmanager
    def watched(self) -> Iterator[None]:
        over, place = threading.Event(), Path(f"/proc/{self.pid}")

        def watch() -> None:
            began = time.perf_counter()
            while not over.wait(1.0):
                lines = (place / "status").read_text().splitlines()
                status = dict(line.split(":", 1) for line in lines)
                files = sum(1 for _ in (place / "fd").iterdir())
                resident = int(status["VmRSS"].split()[0]) / 1000
                self.seen.append((time.perf_counter() - began, resident, int(status["Threads"]), files))

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    @property
    def slope(self) -> float:
        """Megabytes a minute from the lowest of the middle third to the lowest of the last third.

        Snapshots take memory for a second and give it back, so that only what is lowest says what stays.
        """
        third = len(self.seen) // 3
        middle, last = (min(size for _, size, *_ in part) for part in (self.seen[third:-third], self.seen[-third:]))
        return (last - middle) / (self.seen[-1][0] / 3 / 60)


def client(lab: Lab, service: str) -> Any:
    """A boto3 client without retries, so that what fails is counted; one for each thread and service."""
    made: dict[str, Any] = _CLIENTS.__dict__.setdefault("made", {})
    if service not in made:
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        made[service] = boto3.session.Session().client(
            service, endpoint_url=lab.state["endpoint"], region_name=lab.state["region"],
            aws_access_key_id=lab.state["access_key"], aws_secret_access_key=lab.state["secret_key"], config=config,
        )  # fmt: skip
    return made[service]


_CLIENTS = threading.local()


@contextmanager
def engine(folder: Path) -> Iterator[Lab]:
    """Run an engine with a data directory and one model."""
    checkout(folder)
    first = folder / "tables" / "first.csv"
    first.write_bytes(rows_as_csv(600, 1))
    perennial(folder, "new", MODEL, "--from", str(first), "--target", "y")
    described = folder / "models" / MODEL / "model.yaml"
    changed = {
        "candidates": "[logistic-regression]",
        "serving": "{auth: none, rollout: all-at-once}",
        "monitoring": "{prediction_log: true, every_minutes: 10080, window_hours: 168}",
    }
    for key, value in changed.items():
        text = re.sub(rf"(?m)^{key}: .*\n?", "", described.read_text())
        described.write_text(f"{text}\n{key}: {value}\n")
    subprocess.run([sys.executable, "app.py"], cwd=folder, env=clean_environment(), check=True, capture_output=True)
    state = folder / ".perennial" / "engine.json"
    state.parent.mkdir()
    command = [sys.executable, "-m", "local.engine", "--cdk-out", "cdk.out", "--state-file", str(state)]
    with (folder / "engine.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--data", "data", "--idle-speed", str(IDLE_SPEED)],
            cwd=folder, env=clean_environment(), stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until(lambda: state.exists() or process.poll() is not None or None, "engine", 90)
        yield Lab(folder, json.loads(state.read_text()))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def upload(lab: Lab, seconds: float) -> int:
    """Upload a file of twenty rows at each beat; return how many."""
    bucket, count, began = lab.shared[names.OUTPUT_DATA_BUCKET], 0, time.perf_counter()
    while (at := count * 60 / UPLOADS_A_MINUTE) < seconds:
        time.sleep(max(0.0, began + at - time.perf_counter()))
        body = rows_as_csv(20, 1000 + count)
        client(lab, "s3").put_object(Bucket=bucket, Key=f"incoming/{MODEL}/load-{count:04}.csv", Body=body)
        count += 1
    return count


def rest(seconds: float) -> int:
    """Upload nothing."""
    time.sleep(seconds)
    return 0


def stored(lab: Lab) -> float:
    """Megabytes of objects and log lines that moto keeps."""
    total = 0
    for output in (names.OUTPUT_DATA_BUCKET, names.OUTPUT_ARTIFACT_BUCKET):
        pages = client(lab, "s3").get_paginator("list_object_versions").paginate(Bucket=lab.shared[output])
        total += sum(one["Size"] for page in pages for one in page.get("Versions", []))
    groups = client(lab, "logs").get_paginator("describe_log_groups").paginate()
    return float(total + sum(one.get("storedBytes", 0) for page in groups for one in page["logGroups"])) / 1e6


def at_rest(lab: Lab, uploads: int) -> dict[str, Any] | None:
    """The dataset's newest version once it has every upload, was trained on, and nothing runs or waits any more."""
    machines = [one for kind in ("training", "deployment") for one in lab.executions(MODEL, kind)]
    if any(one["status"] == "RUNNING" for one in machines) or held(lab):
        return None
    data = lab.shared[names.OUTPUT_DATA_BUCKET]

    def read(key: str) -> Any:
        return json.loads(client(lab, "s3").get_object(Bucket=data, Key=key)["Body"].read())

    version = read(keys.current(MODEL))["version"]
    manifest = read(keys.manifest(MODEL, version))
    trained = [one for one in records(lab) if one["version"] == version and one["status"] == "succeeded"]
    return manifest if trained and len(manifest["objects"]) == uploads + 1 else None


def held(lab: Lab) -> list[str]:
    """The claims that somebody holds."""
    items = client(lab, "dynamodb").scan(TableName=lab.shared[names.OUTPUT_CLAIMS_TABLE])["Items"]
    return [item["claim"]["S"] for item in items if item["state"]["S"] == "held"]


def records(lab: Lab) -> list[dict[str, Any]]:
    """The records of all runs."""
    bucket = lab.shared[names.OUTPUT_ARTIFACT_BUCKET]
    pages = client(lab, "s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"runs/{MODEL}/")
    found = [one["Key"] for page in pages for one in page.get("Contents", []) if one["Key"].endswith("/run.json")]
    return [lab.artifact(key) for key in found]


def dead(lab: Lab) -> int:
    """Messages in the queues for what could not be delivered."""
    sqs = client(lab, "sqs")
    urls = [url for url in sqs.list_queues().get("QueueUrls", []) if "Lost" in url or "Undelivered" in url]
    assert urls
    wanted = ["ApproximateNumberOfMessages"]
    found = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"] for url in urls]
    return sum(int(one["ApproximateNumberOfMessages"]) for one in found)


def at_once(lab: Lab) -> int:
    """Runs that began while another one had not ended."""
    kinds = [kind for kind, _ in lab.story(MODEL) if kind in (ledger.RUN_STARTED, ledger.RUN_ENDED)]
    return sum(before == after == ledger.RUN_STARTED for before, after in pairwise(kinds))


def part(lab: Lab, work: Callable[[], int]) -> tuple[int, Clients, Memory, float]:
    """Do something while clients ask; return what it returned, the clients, the memory and what was stored (MB)."""
    clients, memory, before = Clients(lab), Memory(lab.state["pid"]), stored(lab)
    with memory.watched(), clients.at_work():
        found = work()
    return found, clients, memory, stored(lab) - before


def row(name: str, clients: Clients, memory: Memory, more: float) -> list[str]:
    said = ", ".join(f"{kind}: {count:,}" for kind, count in sorted(clients.answers.items()))
    took = sorted(clients.took)
    seconds = memory.seen[-1][0]
    first, last = memory.seen[len(memory.seen) // 3], memory.seen[-1]
    return [
        name, f"{seconds:.0f} s", said, f"{took[len(took) // 2] * 1e3:.0f} ms", f"{took[-1]:.1f} s",
        f"{first[1]:.0f} -> {last[1]:.0f} MB", f"{memory.slope:+.1f} MB/min", f"{more / seconds * 60:+.1f} MB/min",
        f"{first[2]} -> {last[2]}", f"{first[3]} -> {last[3]}",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--quiet-minutes", type=float, default=4.0)
    given = parser.parse_args()
    print(table.machine(), flush=True)
    with tempfile.TemporaryDirectory() as place, engine(Path(place) / "checkout") as lab:
        lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
        wait_until(lambda: lab.live_version(MODEL), "first model")
        uploads, busy, grown, kept = part(lab, lambda: upload(lab, given.minutes * 60))
        print(f"{uploads} uploads are sent", flush=True)
        manifest = wait_until(lambda: at_rest(lab, uploads), "rest after the uploads", 600)
        _, quiet, flat, logged = part(lab, lambda: rest(given.quiet_minutes * 60))
        columns = ["part", "time", "answers", "median", "slowest", "resident", "growth", "stored", "threads", "files"]
        rows = [row(f"{uploads} uploads", busy, grown, kept), row("clients alone", quiet, flat, logged)]
        table.show(columns, rows)
        asked = sum(count for kind, count in quiet.answers.items() if kind.startswith("predict"))
        kept_a_minute = asked * KEPT_KB / 1000 / flat.seen[-1][0] * 60
        done = Counter(one["version"] for one in records(lab) if one["status"] == "succeeded")
        beside = f"growth beside {KEPT_KB:g} KB a prediction, over {FLAT:g} MB/min"
        checks = {
            "objects of the last version": (len(manifest["objects"]), uploads + 1),
            "most finished runs of one version": (max(done.values()), 1),
            "runs that began while another went on": (at_once(lab), 0),
            "runs that did not succeed": (sum(one["status"] != "succeeded" for one in records(lab)), 0),
            "messages given up": (dead(lab), 0),
            "calls without an answer, or with 500": (lost(busy) + lost(quiet), 0),
            beside: (flat.slope - kept_a_minute > FLAT, False),
        }
        print(f"versions with a finished run: {len(done)}; models that answered: {len(busy.versions)}", flush=True)
        table.show(["what", "found", "promised"], [[what, *map(str, pair)] for what, pair in checks.items()])
        if any(found != promised for found, promised in checks.values()):
            sys.exit((lab.root / "engine.log").read_text()[-4000:])


def lost(clients: Clients) -> int:
    """Calls that were not answered as AWS may answer: with success, or that there are too many of them."""
    fine = {"predict 200", "predict 429", "predict 503", "look 200"}
    return sum(count for kind, count in clients.answers.items() if kind not in fine)


if __name__ == "__main__":
    main()
