"""Tokens and browsers at the door of an HTTP API: what API Gateway lets in, refuses, and says of it."""

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
from joserfc.jwk import OctKey, RSAKey

from local.cors import applied, preflight
from local.gateway_error import GatewayError
from local.proxy_event import HttpRequest
from local.resources import http_api
from local.resources.kind import Subject
from local.tokens import IssuerError, Tokens, Wanted
from tests.issuer import Issuer, running

NOW = time.time()


def now() -> float:
    return time.time()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with running(tmp_path_factory.mktemp("issuer")) as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(found.certificate))
        yield found


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return Tokens()


def wanted(issuer: Issuer, *scopes: str) -> Wanted:
    return Wanted(issuer=issuer.address, audience=["us", "them"], scopes=scopes)


def test_a_good_token_is_admitted_and_its_claims_are_handed_over_as_text(issuer: Issuer, tokens: Tokens) -> None:
    block = tokens.verify(f"Bearer {issuer.token(groups=['a', 'b'], staff=True)}", wanted(issuer), now())
    claims = block["jwt"]["claims"]
    assert (claims["iss"], claims["groups"], claims["staff"]) == (issuer.address, "[a b]", "true")
    assert block["jwt"]["scopes"] is None


def test_client_id_stands_for_an_audience_only_where_there_is_none(issuer: Issuer, tokens: Tokens) -> None:
    tokens.verify(issuer.token(aud=None, client_id="them"), wanted(issuer), now())
    with pytest.raises(GatewayError):
        tokens.verify(issuer.token(aud="others", client_id="them"), wanted(issuer), now())


def test_one_of_the_scopes_is_enough_and_none_is_forbidden(issuer: Issuer, tokens: Tokens) -> None:
    assert tokens.verify(issuer.token(), wanted(issuer, "admin", "write"), now())["jwt"]["scopes"] == ["write"]
    assert tokens.verify(issuer.token(scope=None, scp=["x"]), wanted(issuer, "x"), now())["jwt"]["scopes"] == ["x"]
    with pytest.raises(GatewayError) as refused:
        tokens.verify(issuer.token(), wanted(issuer, "admin"), now())
    assert (refused.value.status, refused.value.message) == (403, "Forbidden")
    assert refused.value.headers["www-authenticate"] == 'Bearer scope="admin" error="insufficient_scope"'


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"exp": NOW - 1}, "has expired"),
        ({"exp": None}, "has expired"),
        ({"nbf": NOW + 9_000}, "not valid yet"),
        ({"iat": NOW + 9_000}, "not valid yet"),
        ({"exp": "soon"}, "malformed"),
        ({"exp": True}, "malformed"),
        ({"exp": float("nan")}, "malformed"),
        ({"nbf": "soon"}, "malformed"),
        ({"iss": "https://other.example"}, "issuer is not valid"),
        ({"aud": "others"}, "does not have a valid audience"),
        ({"aud": None}, "does not have a valid audience"),
        ({"header": {"kid": "two"}}, "unknown key"),
        ({"header": {"kid": ""}}, "unknown key"),
        ({"key": RSAKey.generate_key(2048, {"kid": "one"})}, "malformed or was changed"),
        ({"key": OctKey.generate_key(256), "header": {"alg": "HS256"}}, "signing method is invalid"),
    ],
)
def test_what_is_wrong_with_a_token_is_said_in_the_header_and_not_in_the_body(
    issuer: Issuer, tokens: Tokens, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(GatewayError) as refused:
        tokens.verify(issuer.token(**changed), wanted(issuer), now())
    assert (refused.value.status, refused.value.message) == (401, "Unauthorized")
    assert said in refused.value.headers["www-authenticate"]


@pytest.mark.parametrize("text", ["", "Bearer ", "Bearer a.b.c", "nonsense", "Basic dXM6", "é.é.é"])
def test_what_is_no_token_is_unauthorized(issuer: Issuer, tokens: Tokens, text: str) -> None:
    with pytest.raises(GatewayError) as refused:
        tokens.verify(text, wanted(issuer), now())
    assert refused.value.status == 401


def test_a_token_that_claims_to_need_no_signature_is_unauthorized(issuer: Issuer, tokens: Tokens) -> None:
    head, body, _ = issuer.token().split(".")
    bare = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
    for text in (f"{bare}.{body}.", f"{head}.{body}."):
        with pytest.raises(GatewayError) as refused:
            tokens.verify(text, wanted(issuer), now())
        assert refused.value.status == 401


def test_keys_are_read_again_after_two_hours(issuer: Issuer) -> None:
    fresh = Tokens()
    began = now()
    token = issuer.token(exp=began + 9_000)
    issuer.reads.clear()
    for at in (began, began + 7_100, began + 7_201):
        fresh.verify(token, wanted(issuer), at)
    assert issuer.reads.count("/keys") == 2


@pytest.mark.parametrize("address", ["https://127.0.0.1:1", "http://127.0.0.1:1"])
def test_an_issuer_that_cannot_be_reached_is_no_issuer(address: str) -> None:
    with pytest.raises(IssuerError):
        Tokens().keys(address, NOW)
    authorizer = next(kind for kind in http_api.KINDS if kind.type.endswith("Authorizer"))
    properties = {"ApiId": "a", "JwtConfiguration": {"Issuer": address, "Audience": ["us"]}}
    with pytest.raises(ValueError, match="Invalid issuer"):
        authorizer.create(Subject(aws=None, name="a", properties=properties, api=properties))


CORS = {"AllowOrigins": ["https://a.example"], "AllowMethods": ["GET", "POST"], "AllowHeaders": ["x-a"], "MaxAge": 5}
ASKED = {"origin": "https://a.example", "access-control-request-method": "POST"}


def request(method: str, headers: dict[str, str]) -> HttpRequest:
    return HttpRequest(method=method, path="/models/x/predictions", query="", headers=headers, body=b"")


def test_a_preflight_request_is_answered_by_the_gateway() -> None:
    assert preflight(CORS, request("OPTIONS", ASKED)) == (
        204,
        {
            "access-control-allow-origin": "https://a.example",
            "access-control-allow-methods": "GET,POST",
            "access-control-allow-headers": "x-a",
            "access-control-max-age": "5",
        },
        b"",
    )
    assert preflight(CORS, request("OPTIONS", {**ASKED, "origin": "https://b.example"})) == (204, {}, b"")


@pytest.mark.parametrize(
    ("cors", "method", "headers"), [({}, "OPTIONS", ASKED), (CORS, "POST", ASKED), (CORS, "OPTIONS", {})]
)
def test_other_requests_go_on(cors: dict[str, Any], method: str, headers: dict[str, str]) -> None:
    assert preflight(cors, request(method, headers)) is None


def test_headers_of_the_function_give_way_to_those_of_the_api() -> None:
    own = {"content-type": "application/json", "access-control-allow-origin": "*"}
    assert applied({}, ASKED, own) == own
    assert applied({**CORS, "AllowCredentials": True}, ASKED, own) == {
        "content-type": "application/json",
        "access-control-allow-origin": "https://a.example",
        "access-control-allow-credentials": "true",
    }
    assert applied(CORS, {}, own) == {"content-type": "application/json"}
    assert applied({**CORS, "AllowOrigins": ["*"]}, ASKED, {}) == {"access-control-allow-origin": "*"}
