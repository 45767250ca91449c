"""Rollouts under load lose no request, and a release that is broken is gone again by itself.

The releases are made as a user could make them: packages in the registry, and an edited handler in the asset bucket.
"""

import http.client
import io
import json
import threading
import time
import uuid
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from lifecycle import names
from lifecycle.live import parse
from lifecycle.settings import Deploy
from tests.e2e.conftest import Lab, rows_as_csv, wait_until

pytestmark = pytest.mark.slow

AT_ONCE, BY_STEPS = "moves", "steps"
CLIENTS = 16
PAUSE_SECONDS = 0.25
DEPLOYMENTS, ROLLBACKS_EACH = 5, 3
ROW = {"key": "1", "x": 0.5, "z": "a"}
HANDLER = "lambdas/predict.py"
BROKEN = {
    "raises": "def handler(event, _invocation):\n    raise RuntimeError('a broken release')\n",
    "hangs": "def handler(event, _invocation):\n    time.sleep(60)\n",
    "exits": "def handler(event, _invocation):\n    os._exit(1)\n",
    "outgrows its memory": "def handler(event, _invocation):\n    block = b'x' * (700 << 20)\n    time.sleep(5)\n",
    "does not start": "raise RuntimeError('a release that does not start')\n",
    "answers wrongly": (
        "right = handler\n"
        "def handler(event, _invocation):\n"
        "    answer = right(event, _invocation)\n"
        "    body = json.loads(answer['body'])\n"
        "    for prediction in body.get('predictions', ()):\n"
        "        prediction['probability'] += 1e-6\n"
        "    return answer | {'body': json.dumps(body)}\n"
    ),
}
ONLY_CUSTOMERS = (
    "right = handler\n"
    "def handler(event, _invocation):\n"
    "    if not is_probe(event):\n        raise RuntimeError('a release that only customers break')\n"
    "    return right(event, _invocation)\n"
)


@dataclass(frozen=True)
class Shop:
    """One model of the lab, its registry and its handler's asset, as its owner sees them."""

    lab: Lab
    model: str

    @property
    def stack(self) -> dict[str, str]:
        return self.lab.outputs(names.serving_stack("dev", self.model))

    @property
    def settings(self) -> Deploy:
        function = self.stack[names.OUTPUT_ROLL_BACK]
        described = self.lab.client("lambda").get_function_configuration(FunctionName=function)
        return Deploy.from_env(described["Environment"]["Variables"])

    @property
    def packages(self) -> list[str]:
        group = names.package_group("dev", self.model)
        found = self.lab.client("sagemaker").list_model_packages(ModelPackageGroupName=group)
        arns = [package["ModelPackageArn"] for package in found["ModelPackageSummaryList"]]
        return sorted(arns, key=lambda arn: int(arn.rsplit("/", 1)[1]))

    @property
    def live(self) -> str | None:
        """The model version that the alias names, whether or not it answers."""
        function = names.predict_function("dev", self.model)
        alias = self.lab.client("lambda").get_alias(FunctionName=function, Name=names.LIVE)
        said = parse(alias.get("Description", ""))
        return None if said is None else str(said.number)

    def release(self) -> str:
        """Register the first package once more and approve it; return its number."""
        sagemaker = self.lab.client("sagemaker")
        first = sagemaker.describe_model_package(ModelPackageName=self.packages[0])
        kept = {name: first[name] for name in ("InferenceSpecification", "CustomerMetadataProperties")}
        arn = sagemaker.create_model_package(
            ModelPackageGroupName=names.package_group("dev", self.model),
            ModelApprovalStatus="PendingManualApproval",
            **kept,
        )["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        return str(arn.rsplit("/", 1)[1])

    def roll_back(self, to: str | None = None) -> dict[str, Any]:
        order = {"id": str(uuid.uuid4()), "by": "the owner", "reason": "a test", **({"to": to} if to else {})}
        answer = self.lab.client("lambda").invoke(
            FunctionName=self.stack[names.OUTPUT_ROLL_BACK], Payload=json.dumps(order)
        )
        told: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, told
        return told

    @contextmanager
    def handler_edited(self, more: str) -> Iterator[None]:
        """Put `more` at the end of the handler in the asset bucket, and take it away again."""
        s3, settings = self.lab.client("s3"), self.settings
        place = {"Bucket": settings.asset_bucket, "Key": settings.asset_key}
        before = s3.get_object(**place)["Body"].read()
        s3.put_object(**place, Body=edited(before, more))
        try:
            yield
        finally:
            s3.put_object(**place, Body=before)

    def deployment(self, number: str) -> list[str] | None:
        """The states of the deployment of one version that did something, or None until it is over."""
        client = self.lab.client("stepfunctions")
        for one in self.lab.executions(self.model, "deployment"):
            if one["status"] != "RUNNING":
                told = client.get_execution_history(executionArn=one["executionArn"], maxResults=1000)["events"]
                states = [e["stateEnteredEventDetails"]["name"] for e in told if "stateEnteredEventDetails" in e]
                plan = next(
                    json.loads(e["stateExitedEventDetails"]["output"])["plan"]
                    for e in told
                    if e.get("stateExitedEventDetails", {}).get("name") == "Plan"
                )
                if states[-1] != "Nothing" and plan["package_arn"].endswith(f"/{number}"):
                    return states
        return None


def edited(asset: bytes, more: str) -> bytes:
    """Return the asset with a longer handler; its bytecode goes, since it would be believed unchecked."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(asset)) as source, zipfile.ZipFile(packed, "w") as target:
        for info in source.infolist():
            if "__pycache__/predict." not in info.filename:
                text = source.read(info)
                target.writestr(info, text + more.encode() if info.filename == HANDLER else text)
    return packed.getvalue()


@dataclass
class Load:
    """Clients that ask all the time, below the stage's throttling, and what they were told."""

    url: str
    answers: Counter[tuple[int, Any]]
    versions: Counter[str]
    stop: threading.Event

    def ask(self) -> None:
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.netloc, timeout=35)
        body = json.dumps({"rows": [ROW]})
        while not self.stop.is_set():
            connection.request("POST", place.path, body, {"content-type": "application/json"})
            answer = connection.getresponse()
            told = json.loads(answer.read())
            score = told["predictions"][0]["probability"] if answer.status == 200 else told
            self.answers[answer.status, str(score)] += 1
            self.versions[str(told.get("model_version"))] += 1
            self.stop.wait(PAUSE_SECONDS)
        connection.close()


@contextmanager
def load(lab: Lab, model: str, clients: int) -> Iterator[Load]:
    url = lab.shared[names.OUTPUT_API_URL].rstrip("/") + f"/models/{model}/predictions"
    under = Load(url, Counter(), Counter(), threading.Event())
    threads = [threading.Thread(target=under.ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield under
    finally:
        under.stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture(scope="module")
def shops(lab: Lab) -> dict[str, Shop]:
    """Both models, trained and live."""
    found = {model: Shop(lab, model) for model in (AT_ONCE, BY_STEPS)}
    for model in found:
        # a release that hangs is found when it times out: six seconds are as good as twenty-nine
        function = names.predict_function("dev", model)
        lab.client("lambda").update_function_configuration(FunctionName=function, Timeout=6)
        lab.upload(model, "first.csv", rows_as_csv(600, 1))
    for shop in found.values():
        wait_until(lambda shop=shop: shop.deployment("1"), "deployed model")
    return found


@pytest.fixture
def shop(shops: dict[str, Shop]) -> Shop:
    return shops[AT_ONCE]


def until(find: Callable[[], Any], what: str) -> Any:
    return wait_until(find, what, 60)


def go_live(shop: Shop) -> None:
    """Release until a release is live: on a machine this busy a probe may find one too slow, as it should."""
    made = []
    for _ in range(3):
        number = shop.release()
        made.append(until(lambda number=number: shop.deployment(number), f"end of the deployment of version {number}"))
        if shop.live == number:
            return
    pytest.fail(f"no release went live: {made}")


def test_twenty_rollouts_and_rollbacks_under_load_lose_no_request(shop: Shop) -> None:
    with load(shop.lab, shop.model, CLIENTS) as under:
        for _ in range(DEPLOYMENTS):
            go_live(shop)
            newest, before = None, None
            for back in range(ROLLBACKS_EACH):
                told = shop.roll_back(to=newest if back % 2 else before)
                newest, before = (told["previous"], told["version"]) if back == 0 else (newest, before)
    assert {status for status, _ in under.answers} == {200}
    assert len(under.answers) == 1, "one model, whatever its number: one score"
    assert len(under.versions) >= DEPLOYMENTS
    assert sum(under.versions.values()) > 100


@pytest.mark.parametrize("fault", list(BROKEN))
def test_a_release_that_is_broken_does_not_go_live(shop: Shop, fault: str) -> None:
    live = shop.live
    with shop.handler_edited(BROKEN[fault]), load(shop.lab, shop.model, 2) as under:
        number = shop.release()
        states = until(lambda: shop.deployment(number), "end of the deployment")
    assert states[-2:] == ["RollBack", "RolledBack"]
    assert {status for status, _ in under.answers} == {200}
    assert list(under.versions) == [live]


def test_a_release_that_only_customers_break_goes_back_when_the_alarm_is_raised(shop: Shop) -> None:
    live = shop.live
    with shop.handler_edited(ONLY_CUSTOMERS):
        number = shop.release()
        until(lambda: shop.live == number or None, f"version {number} live")
    seen = Counter()

    def recovered() -> bool | None:
        status = shop.lab.predict(shop.model, [ROW]).status
        seen[status] += 1
        time.sleep(0.05)
        return status == 200 or None

    until(recovered, "rollback by the alarm")
    assert shop.live == live
    assert set(seen) == {200, 500}


def test_a_canary_that_fails_is_withdrawn_by_its_judge(shops: dict[str, Shop]) -> None:
    shop = shops[BY_STEPS]
    live = shop.live
    seen: Counter[int] = Counter()
    with shop.handler_edited(ONLY_CUSTOMERS):
        number = shop.release()

        def over() -> list[str] | None:
            for _ in range(5):
                seen[shop.lab.predict(shop.model, [ROW]).status] += 1
            return shop.deployment(number)

        states = until(over, "end of the canary")
    assert states[-4:] == ["Judge", "Bad?", "RollBack", "RolledBack"]
    assert seen[500] > 0
    assert seen[200] > 0
    assert shop.live == live


def test_a_canary_that_is_sound_goes_live_by_steps(shops: dict[str, Shop]) -> None:
    shop = shops[BY_STEPS]
    number = shop.release()
    seen: Counter[str] = Counter()

    def over() -> list[str] | None:
        for _ in range(5):
            seen[str(shop.lab.predict(shop.model, [ROW]).body.get("model_version"))] += 1
        return shop.deployment(number)

    states = until(over, "end of the canary")
    assert states[-2:] == ["Promote", "Done"]
    assert "Shift" in states
    assert shop.live == number
    assert len(seen) == 2
