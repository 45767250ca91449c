"""A model that cannot be compiled: from the upload to an endpoint behind the same door, and away again."""

import json
from typing import Any

import numpy as np
import pytest

from cloud.functions import Functions
from lifecycle import keys, live, names
from tests.e2e.conftest import Lab, perennial, rows_as_csv, wait_until

pytestmark = pytest.mark.slow

MODEL = "near"
ROWS = [{"key": f"ask-{n}", "x": n / 10, "z": "abc"[n % 3]} for n in range(10)]


def endpoints(lab: Lab) -> list[str]:
    found = lab.client("sagemaker").list_endpoints(NameContains=names.endpoints("dev", MODEL))["Endpoints"]
    return sorted(entry["EndpointName"] for entry in found)


def said(lab: Lab) -> Any:
    alias = Functions(lab.client("lambda")).alias(names.predict_function("dev", MODEL), names.LIVE)
    assert alias is not None
    return live.parse(alias.description)


def evaluation(lab: Lab, run: str, file: str) -> bytes:
    bucket = lab.shared[names.OUTPUT_ARTIFACT_BUCKET]
    body = lab.client("s3").get_object(Bucket=bucket, Key=keys.run(MODEL, run, "evaluation", file))["Body"]
    return bytes(body.read())


@pytest.fixture(scope="module")
def first(lab: Lab) -> str:
    """The run whose model is the first one live."""
    lab.upload(MODEL, "one.csv", rows_as_csv(600, 5))
    wait_until(lambda: lab.live_version(MODEL) == "1" or None, "live version 1")
    return str(said(lab).run_id)


def test_the_evaluation_says_why_an_endpoint_serves_the_model(lab: Lab, first: str) -> None:
    because = "KNeighborsClassifier cannot be compiled"
    serving = lab.artifact(keys.run(MODEL, first, "evaluation", "scorecard.json"))["serving"]
    assert serving["target"] == "serverless"
    assert because in serving["reason"]
    for file in ("report.html", "card.md"):
        assert because in evaluation(lab, first, file).decode()
    package = lab.client("sagemaker").describe_model_package(ModelPackageName=said(lab).package_arn)
    assert because in package["CustomerMetadataProperties"]["serverless_because"]


def test_answers_over_http_are_the_fitted_estimators(lab: Lab, first: str) -> None:
    recorded = lab.artifact(keys.run(MODEL, first, "evaluation", "probe.json"))
    answer = lab.predict(MODEL, recorded["rows"])
    assert answer.status == 200
    got = [entry["probability"] for entry in answer.body["predictions"]]
    assert got == pytest.approx([entry["probability"] for entry in recorded["expected"]], abs=1e-12)
    assert set(np.round(np.array(got) * 60, 9)) <= set(range(61)), "shares of 60 neighbours"


def test_the_command_line_says_that_an_endpoint_serves_it_and_why(lab: Lab, first: str) -> None:
    assert first
    shown = " ".join(perennial(lab.root, "status").stdout.split())
    assert "served by an endpoint" in shown
    listed = json.loads(perennial(lab.root, "models", MODEL, "--json").stdout)
    assert "KNeighborsClassifier cannot be compiled" in listed[0]["served by"]


def test_explanations_are_refused_with_the_reason(lab: Lab, first: str) -> None:
    assert first
    answer = lab.door.call("POST", f"/models/{MODEL}/predictions?explain=true", json.dumps({"rows": ROWS[:1]}).encode())
    assert answer.status == 422
    assert "endpoint" in answer.body["detail"]


def test_a_second_version_takes_over_and_the_first_ones_endpoint_stays_as_the_way_back(lab: Lab, first: str) -> None:
    [old] = endpoints(lab)
    lab.upload(MODEL, "two.csv", rows_as_csv(600, 6))
    wait_until(lambda: lab.live_version(MODEL) == "2" or None, "live version 2")
    lab.ended(MODEL, 2, "deployment")
    assert len(endpoints(lab)) == 2
    assert old in endpoints(lab)
    assert said(lab).run_id != first
    assert lab.predict(MODEL, ROWS).status == 200


def test_a_third_version_takes_the_firsts_endpoint_away(lab: Lab, first: str) -> None:
    before = endpoints(lab)
    lab.upload(MODEL, "three.csv", rows_as_csv(600, 7))
    wait_until(lambda: lab.live_version(MODEL) == "3" or None, "live version 3")
    lab.ended(MODEL, 3, "deployment")
    assert len(endpoints(lab)) == 2
    assert endpoints(lab) != before
    left = {kind: _named(lab, kind) for kind in ("endpoint-config", "model")}
    assert set(left["endpoint-config"]) == set(left["model"]) == set(endpoints(lab))


def test_rolling_back_goes_to_the_endpoint_that_stayed(lab: Lab, first: str) -> None:
    assert first
    perennial(lab.root, "rollback", MODEL, "--reason", "a test")
    wait_until(lambda: lab.live_version(MODEL) == "2" or None, "version 2 again")
    assert lab.predict(MODEL, ROWS).status == 200


def _named(lab: Lab, kind: str) -> list[str]:
    pages = lab.client("resourcegroupstaggingapi").get_paginator("get_resources").paginate()
    found = [entry["ResourceARN"].split(":", 5)[5] for page in pages for entry in page["ResourceTagMappingList"]]
    prefix = f"{kind}/{names.endpoints('dev', MODEL)}"
    return [name.removeprefix(f"{kind}/") for name in found if name.startswith(prefix)]
