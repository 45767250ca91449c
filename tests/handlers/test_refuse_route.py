"""What no route takes."""

import json

import pytest

from lambdas.refuse_route import handler
from tests.live_package import event


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/models", 404),
        ("POST", "/models/unknown/predictions", 404),
        ("GET", "/models/unknown", 404),
        ("GET", "/models/late/predictions", 405),
        ("DELETE", "/models/late", 405),
        ("POST", "/models/late/predictions/7", 404),
        ("POST", "/models/late/predictions/", 404),
        ("HEAD", "/models/late", 405),
        ("OPTIONS", "/models/late/predictions", 405),
        ("GET", "/models//openapi.json", 404),
        ("GET", "/models/über/../late", 404),
        ("GET", "/" + "x" * 5_000, 404),
    ],
)
def test_the_answer_is_a_problem_that_says_what_there_is(method, path, status):
    response = handler(event(path, method), None)
    assert response["statusCode"] == status
    body = json.loads(response["body"])
    assert body["status"] == status
    assert "POST" in body["detail"] or "GET" in body["detail"]


def test_a_wrong_method_names_the_right_one():
    assert handler(event("/models/late/predictions", "PUT"), None)["headers"]["allow"] == "POST"
