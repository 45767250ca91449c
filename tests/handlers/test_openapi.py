"""The OpenAPI document of a model: valid, and true of every request that can be made from it."""

import json
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, assume, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode

from lambdas import explanations
from lambdas.live_model import LiveModel, Place
from lambdas.predict import answer
from lifecycle import openapi
from lifecycle.schema import Column, Kind, Task
from lifecycle.spec import ModelSpec, Serving
from tests import live_package
from tests.live_package import event
from tests.wsgi_door import Door

PLACE = Place(stage="dev", model="late")


def loaded(root: Path, serving: Serving) -> LiveModel:
    found = LiveModel.load(live_package.write(root, serving=serving), PLACE)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def live(tmp_path_factory) -> LiveModel:
    # an open door: who asks is the gateway's business, and it is not here
    return loaded(tmp_path_factory.mktemp("package") / "task", Serving(max_rows=3, auth="none"))


@pytest.fixture(scope="module")
def document(live) -> dict:
    return document_of(live)


def document_of(live: LiveModel) -> dict:
    found: dict = json.loads(answer(live, PLACE, event("/models/late/openapi.json", "GET"))["body"])
    return found


# nothing about a GET can be wrong
@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/models/late/predictions", GenerationMode.POSITIVE),
        ("/models/late/predictions", GenerationMode.NEGATIVE),
        ("/models/late", GenerationMode.POSITIVE),
        ("/models/late/openapi.json", GenerationMode.POSITIVE),
    ],
)
def test_requests_made_from_the_document_get_documented_answers(live, path, mode):
    api = schemathesis.openapi.from_wsgi("/models/late/openapi.json", Door(live, PLACE))
    operation = api[path]["POST" if path.endswith("predictions") else "GET"]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case):
        # no schema can say that the package's features.py fails on one airport, and which instants have no UTC
        assume(not any(text in str(case.body) for text in ("FAIL", "0001-", "9999-")))
        case.call_and_validate()

    check()


def test_the_document_is_valid_openapi(document):
    OpenAPIV31SpecValidator(document).validate()


def test_documents_of_several_models_become_one(document):
    other = json.loads(json.dumps(document).replace("late", "early"))
    both = openapi.merged("stage dev", [document, other])
    OpenAPIV31SpecValidator(both).validate()
    assert both["paths"].keys() == document["paths"].keys() | other["paths"].keys()


def test_the_row_tells_kinds_ranges_and_what_must_be_there(document):
    row = document["components"]["schemas"]["late.Row"]
    assert set(row["properties"]) == {column.name for column in live_package.contract().inputs}


def test_the_example_is_a_request_that_is_answered(live, document):
    content = document["paths"]["/models/late/predictions"]["post"]["requestBody"]["content"]["application/json"]
    response = answer(live, PLACE, event("/models/late/predictions", body=json.dumps(content["example"])))
    assert response["statusCode"] == 200


def test_the_limit_of_explained_rows_is_the_one_that_is_held():
    assert openapi.EXPLAINED_ROWS == explanations.MAX_ROWS


@pytest.mark.parametrize("task", list(Task))
def test_a_model_that_was_not_trained_is_described_from_its_spec(task):
    target = Column(name="late", kind=Kind.NUMBER if task is Task.REGRESSION else Kind.CATEGORY)
    rules = live_package.contract(task=task, columns=(*live_package.COLUMNS[:-1], target))
    spec = json.loads(ModelSpec(model="late", dataset="late", contract=rules).to_bytes())
    found = openapi.document(openapi.planned(spec, "late"))
    OpenAPIV31SpecValidator(found).validate()
    assert set(found["components"]["schemas"]["late.Row"]["properties"]) == {column.name for column in rules.inputs}


@pytest.mark.parametrize(
    ("serving", "security"),
    [
        (Serving(), [{"iam": []}]),
        (Serving(auth="none"), []),
        (Serving(auth="jwt", jwt_issuer="https://id.example/", jwt_audience=("us",)), [{"jwt-late": []}]),
        (
            Serving(auth="jwt", jwt_issuer="https://id.example", jwt_audience=("us",), jwt_scopes=("a", "b")),
            [{"jwt-late": ["a"]}, {"jwt-late": ["b"]}],
        ),
    ],
)
def test_the_document_says_who_may_ask(tmp_path, serving, security):
    found = document_of(loaded(tmp_path / "task", serving))
    assert found["paths"]["/models/late/predictions"]["post"]["security"] == security
    OpenAPIV31SpecValidator(found).validate()
