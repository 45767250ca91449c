"""The loop closes by itself: traffic drifts, an alarm starts a run, and only a better model goes and stays live.

Everything goes through S3 and HTTP, on an engine of its own whose idle time passes fast. Each test has a model of its
own; what they have in common is the world: what `y` says about `x` while the first model is trained, and afterwards.
"""

import csv
import io
import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from lifecycle import ledger, names
from tests.e2e.conftest import Lab, checkout, perennial, running, wait_until

pytestmark = pytest.mark.slow

IDLE_SPEED = 1200
DRIFTS, POISONED, REGRETTED = "drifts", "poisoned", "regretted"
TOLD = 700
"""Labels that are told before a model is renewed: with less than all of them, chance in time would decide what it
learns, and so whether it is better."""
LEARNING = f"{{learn_from_feedback: true, min_new_labels: {TOLD}}}"
RETRAINING = {DRIFTS: LEARNING, POISONED: "{}", REGRETTED: LEARNING}
Row = dict[str, Any]
World = Callable[[float, random.Random], int]


def once(x: float, chance: random.Random) -> int:
    """The world that the first model learns: large values are positive."""
    return int(x + 0.2 * chance.random() > 0.6)


def now(x: float, chance: random.Random) -> int:
    """The world after the drift: values beyond those of training, and the small ones of them are positive."""
    return int(x + 0.2 * chance.random() < 2.6)


def rows(count: int, seed: int, world: World, lowest: float = 0.0) -> tuple[list[Row], list[int]]:
    """Rows as a client sends them, with what will turn out to be true of each."""
    chance = random.Random(seed)
    made, labels = [], []
    for number in range(count):
        x = round(lowest + chance.random(), 4)
        made.append({"key": f"{seed}-{number}", "x": x, "z": chance.choice("abc")})
        labels.append(world(x, chance))
    return made, labels


def as_csv(made: Sequence[Row], labels: Sequence[int]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["key", "x", "z", "y"])
    writer.writerows([row["key"], row["x"], row["z"], y] for row, y in zip(made, labels, strict=True))
    return text.getvalue().encode()


def new_model(folder: Path, name: str, table: Path, retraining: str) -> None:
    """Make a model of a checkout whose traffic may leave what training has seen."""
    perennial(folder, "new", name, "--from", str(table), "--target", "y")
    file = folder / "models" / name / "model.yaml"
    text = re.sub(r", max: [0-9.]+", "", file.read_text())
    text = re.sub(r"(?m)^(candidates|serving|monitoring|retraining|training): .*\n?", "", text)
    more = {
        "candidates": "[random-forest]",
        "serving": "{rollout: {canary: {steps: [50], step_minutes: 5, min_rows: 20, max_duration_ratio: 50}}}",
        "monitoring": "{min_rows: 200, min_labels: 100, every_minutes: 60}",
        "retraining": retraining,
    }
    file.write_text(text + "".join(f"{key}: {value}\n" for key, value in more.items()))


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = checkout(tmp_path_factory.mktemp("loop"))
    table = folder / "tables" / "first.csv"
    table.write_bytes(as_csv(*rows(800, 1, once)))
    for name, retraining in RETRAINING.items():
        new_model(folder, name, table, retraining)
    with running(folder, IDLE_SPEED) as lab:
        yield lab


def go_live(lab: Lab, model: str) -> None:
    lab.upload(model, "first.csv", as_csv(*rows(800, 1, once)))
    wait_until(lambda: lab.live_version(model), f"first model of {model}")


def traffic(lab: Lab, model: str, made: Sequence[Row], labels: Sequence[int]) -> list[str]:
    """Ask for predictions and tell what was true of each; return the prediction ids."""
    answer = lab.predict(model, list(made))
    assert answer.status == 200, answer.body
    ids = [found["prediction_id"] for found in answer.body["predictions"]]
    told = [{"prediction_id": one, "label": y} for one, y in zip(ids, labels, strict=True)]
    answered = lab.door.call("POST", f"/models/{model}/feedback", json.dumps({"labels": told}).encode())
    assert answered.status == 200, answered.body
    return ids


def entries(lab: Lab, model: str, kind: str) -> list[dict[str, Any]]:
    """What the ledger says of one kind about a model, oldest first."""
    return [detail for one, detail in lab.story(model) if one == kind]


def wait_for_traffic_to(lab: Lab, model: str, version: str, kind: str, what: str) -> None:
    """Wait for the entry that says that `version` has all the traffic: as a canary it answers some calls, too."""

    def found() -> bool:
        return any(entry["model_version"] == version for entry in entries(lab, model, kind))

    wait_until(found, what, seen=lambda: lab.story(model))


def alarm(lab: Lab, model: str, what: str) -> str:
    name = names.alarm("dev", model, what)
    return str(lab.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def test_traffic_that_drifts_raises_an_alarm_and_a_better_model_goes_live(loop: Lab) -> None:
    go_live(loop, DRIFTS)
    traffic(loop, DRIFTS, *rows(TOLD, 2, now, lowest=2.0))

    wait_for_traffic_to(loop, DRIFTS, "2", ledger.MODEL_LIVE, "second model, live")
    started = [entry for entry in entries(loop, DRIFTS, ledger.RETRAINING_DECIDED) if entry["decision"] == "start"]
    assert len(started) == 1
    assert started[0]["reason"].startswith("alerts that are on: drift")
    assert {entry["alert"] for entry in entries(loop, DRIFTS, ledger.ALERT_BEGUN)} >= {names.ALERT_DRIFT}
    assert [entry["weight"] for entry in entries(loop, DRIFTS, ledger.TRAFFIC_SHIFTED)] == [0.5]
    made, labels = rows(200, 3, now, lowest=2.0)
    answered = loop.predict(DRIFTS, made).body["predictions"]
    right = sum(int(one["decision"]) == y for one, y in zip(answered, labels, strict=True))
    assert right > 170, "the new model knows the new world"
    wait_until(lambda: alarm(loop, DRIFTS, names.ALERT_DRIFT) != "ALARM", "an alarm that recovers")


def test_a_run_on_poisoned_data_ends_rejected_and_the_live_model_stays(loop: Lab) -> None:
    go_live(loop, POISONED)
    made, _ = rows(700, 4, now, lowest=2.0)
    chance = random.Random(4)
    noise = [chance.randrange(2) for _ in made]
    traffic(loop, POISONED, made, noise)
    wait_until(lambda: alarm(loop, POISONED, names.ALERT_DRIFT) == "ALARM", "alarm")
    loop.upload(POISONED, "first.csv", as_csv(made, noise))

    group = names.package_group("dev", POISONED)

    def packages() -> list[dict[str, Any]] | None:
        found = loop.client("sagemaker").list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        return found if len(found) > 1 else None

    found = wait_until(packages, "a second package")
    assert {one["ModelPackageVersion"]: one["ModelApprovalStatus"] for one in found} == {1: "Approved", 2: "Rejected"}
    assert loop.live_version(POISONED) == "1"


def test_a_model_that_passes_its_gates_and_fails_live_is_rolled_back(loop: Lab) -> None:
    go_live(loop, REGRETTED)
    traffic(loop, REGRETTED, *rows(TOLD, 5, now, lowest=2.0))
    wait_for_traffic_to(loop, REGRETTED, "2", ledger.MODEL_LIVE, "second model, live")
    # what the second model learned was a passing mood: now the same values mean what the first model would say
    made, labels = rows(600, 6, once, lowest=2.0)
    traffic(loop, REGRETTED, made, labels)

    wait_for_traffic_to(loop, REGRETTED, "1", ledger.ROLLED_BACK, "first model again")
    assert loop.live_version(REGRETTED) == "1"
    judged = entries(loop, REGRETTED, ledger.LIVE_JUDGED)[-1]
    assert judged["action"] == "roll back"
    assert judged["rows"] == 600
    assert judged["low"] > 0, "the evidence is in the ledger: how much worse, beyond chance"
    assert len(entries(loop, REGRETTED, ledger.ROLLED_BACK)) == 1
