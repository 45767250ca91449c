"""An alias with weights: who answers, what Lambda refuses, and that moving it loses nothing."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.functions_world import ROLE, Lambda, eventually, refused, running

LIVE = {"FunctionName": "f", "Name": "live"}
VERSION = "import os\ndef handler(e, c):\n    return os.environ['AWS_LAMBDA_FUNCTION_VERSION']\n"
CLIENTS = 16
MOVES = 20


def weights(**shares: float) -> dict[str, Any]:
    return {"AdditionalVersionWeights": {name.removeprefix("v"): share for name, share in shares.items()}}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Lambda]:
    made = running(tmp_path)
    here = next(made)
    here.create(VERSION)
    for number in (1, 2):
        here.publish(f"{VERSION}# {number}")
    here.client.create_alias(**LIVE, FunctionVersion="1")
    yield here
    next(made, None)


def test_calls_are_shared_out_by_the_weights_and_say_who_answered(engine: Lambda) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=0.25))
    found = Counter()
    for _ in range(200):
        payload, answer = engine.invoke(Qualifier="live")
        assert payload == answer["ExecutedVersion"]
        found[payload] += 1
    assert 25 <= found["2"] <= 75
    assert found["1"] + found["2"] == 200


@pytest.mark.parametrize(("share", "answers"), [(0.0, "1"), (1.0, "2")])
def test_a_weight_of_nothing_and_of_everything_are_both_allowed(engine: Lambda, share: float, answers: str) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=share))
    assert {engine.invoke(Qualifier="live")[0] for _ in range(20)} == {answers}


def test_moving_an_alias_without_a_word_about_weights_keeps_them(engine: Lambda) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=0.5))
    engine.client.update_alias(**LIVE, Description="only this")
    assert engine.client.get_alias(**LIVE)["RoutingConfig"] == weights(v2=0.5)
    # so a promotion that forgets them names the same version twice
    assert refused(engine.client.update_alias, **LIVE, FunctionVersion="2") == "InvalidParameterValueException"
    engine.client.update_alias(**LIVE, FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in engine.client.get_alias(**LIVE)


def test_two_versions_of_one_alias_need_the_same_role(engine: Lambda) -> None:
    engine.client.update_function_configuration(FunctionName="f", Role=f"{ROLE}-other")
    engine.client.publish_version(FunctionName="f")
    engine.settle()
    change = {**LIVE, "RoutingConfig": weights(v3=0.5)}
    assert refused(engine.client.update_alias, **change) == "InvalidParameterValueException"
    engine.client.update_alias(**LIVE, FunctionVersion="3")


def test_a_version_with_a_share_of_the_calls_cannot_be_deleted(engine: Lambda) -> None:
    engine.client.update_alias(**LIVE, RoutingConfig=weights(v2=0.0))
    assert refused(engine.client.delete_function, FunctionName="f", Qualifier="2") == "ResourceConflictException"


def test_moves_under_load_lose_no_call_and_leave_no_worker_behind(engine: Lambda) -> None:
    stop, faults, answered, workers = threading.Event(), [], Counter(), {}
    code = "import os\ndef handler(e, c):\n    return [os.environ['AWS_LAMBDA_FUNCTION_VERSION'], os.getpid()]\n"
    for number in (3, 4):
        engine.publish(f"{code}# {number}")
    engine.client.update_alias(**LIVE, FunctionVersion="3")

    def call() -> None:
        while not stop.is_set():
            (version, pid), answer = engine.invoke(Qualifier="live")
            if "FunctionError" in answer or version != answer["ExecutedVersion"]:
                faults.append(answer)
            answered[version] += 1
            workers[pid] = version

    threads = [threading.Thread(target=call) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    now = {"at": "3", "other": "4"}
    for _ in range(MOVES):
        time.sleep(0.05)
        now = {"at": now["other"], "other": now["at"]}
        engine.client.update_alias(
            **LIVE, FunctionVersion=now["at"], RoutingConfig=weights(**{f"v{now['other']}": 0.5})
        )
        time.sleep(0.05)
        engine.client.update_alias(**LIVE, RoutingConfig={"AdditionalVersionWeights": {}})
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum(answered.values()) > MOVES
    assert set(answered) == {"3", "4"}
    left = [pid for pid, version in workers.items() if version == now["other"]]
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left), 10)
