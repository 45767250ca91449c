"""Requests made from the served OpenAPI document get documented answers, over HTTP, from a live model."""

import json

import pytest
import schemathesis
import urllib3
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode

from lifecycle import names
from tests.e2e.conftest import Lab, perennial, rows_as_csv, wait_until

pytestmark = pytest.mark.slow

MODEL = "moves"  # an open one: who may ask is another test's matter


@pytest.fixture(scope="module")
def url(lab: Lab) -> str:
    if lab.live_version(MODEL) is None:
        lab.upload(MODEL, "first.csv", rows_as_csv(600, 1))
        wait_until(lambda: lab.live_version(MODEL), "live model")
    return lab.shared[names.OUTPUT_API_URL]


@pytest.mark.parametrize(
    ("method", "path", "mode"),
    [
        ("POST", "predictions", GenerationMode.POSITIVE),
        ("POST", "predictions", GenerationMode.NEGATIVE),
        ("POST", "feedback", GenerationMode.POSITIVE),
        ("POST", "feedback", GenerationMode.NEGATIVE),
        ("GET", "", GenerationMode.POSITIVE),
        ("GET", "openapi.json", GenerationMode.POSITIVE),
    ],
)
def test_no_request_from_the_document_gets_an_undocumented_answer(
    url: str, method: str, path: str, mode: GenerationMode
) -> None:
    api = schemathesis.openapi.from_url(f"{url}/models/{MODEL}/openapi.json")
    api.config.update(base_url=url)
    operation = api[f"/models/{MODEL}/{path}".rstrip("/")][method]
    excluded = []
    if path == "feedback":  # each label is answered by itself, inside a 200
        excluded = [schemathesis.checks.CHECKS.get_one("negative_data_rejection")]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: schemathesis.Case) -> None:
        case.call_and_validate(excluded_checks=excluded)

    check()


def test_the_stages_document_holds_the_live_model(lab: Lab, url: str) -> None:
    assert urllib3.request("GET", f"{url}/openapi.json").status == 403
    document = lab.door.call("GET", "/openapi.json").body
    OpenAPIV31SpecValidator(document).validate()
    assert f"/models/{MODEL}/predictions" in document["paths"]
    assert document["paths"][f"/models/{MODEL}/predictions"]["post"]["security"] == []


def test_the_command_prints_one_models_document(lab: Lab, url: str) -> None:
    document = json.loads(perennial(lab.root, "openapi", MODEL).stdout)
    OpenAPIV31SpecValidator(document).validate()
    assert all(path.startswith(f"/models/{MODEL}") for path in document["paths"])
