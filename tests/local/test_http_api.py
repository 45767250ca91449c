"""The HTTP API's data plane, called as the gateway calls it, in front of real functions."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from local import moto_state
from local.api import ApiError, Invocation
from local.clients import Clients
from local.clock import Clock
from local.dispatch import Dispatcher
from local.http_api import Api, HttpApi
from local.iam import Authority
from local.identity import OPERATOR, Credentials, Identity

IDENTITY = Identity()
CLIENTS = Clients(Dispatcher(IDENTITY), "us-east-1")  # once: making a client takes longer than a test
LIVE = "arn:aws:lambda:us-east-1:123456789012:function:predict:live"
OTHER = "arn:aws:lambda:us-east-1:123456789012:function:refuse"
PATH = "/models/{name}/predictions"


@dataclass
class Answering:
    """A Lambda that answers `payload` and remembers events."""

    payload: Any = field(default_factory=dict)
    error: str | None = None
    fails: ApiError | None = None
    permitted: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    holds: threading.Event | None = None

    def invoke(self, function_arn: str, payload: bytes) -> Invocation:
        if self.fails:
            raise self.fails
        if self.holds:
            self.holds.wait(5)
        self.events.append(json.loads(payload))
        self.called.append(function_arn)
        return Invocation(json.dumps(self.payload).encode(), self.error, "1")

    def policy(self, function_arn: str) -> list[dict[str, Any]]:
        """One statement, for the routes that `permitted` fits."""
        source = {"ArnLike": {"AWS:SourceArn": f"arn:aws:execute-api:us-east-1:123456789012:*/*{self.permitted}"}}
        principal = {"Service": "apigateway.amazonaws.com"}
        allowed = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": function_arn}
        return [{**allowed, "Principal": principal, "Condition": source}]


class Stand:
    """An API with one signed route, one open literal one, and `$default`."""

    def __init__(self) -> None:
        moto_state.reset()
        self.identity = IDENTITY
        self.clock = Clock()
        self.clients = CLIENTS
        self.functions = Answering()
        self.lines: list[tuple[str, str]] = []
        door = HttpApi(
            self.clients,
            self.functions,
            Authority(self.clients, "us-east-1", self.functions.policy),
            self.clock,
            lambda group, line: self.lines.append((group, line)),
        )
        self.client = self.clients.client("apigatewayv2")
        self.id = self.client.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
        self.route(f"POST {PATH}", LIVE, "AWS_IAM")
        self.route("POST /models/open/predictions", OTHER, "NONE")
        self.route("$default", OTHER, "NONE")
        self.client.create_stage(
            ApiId=self.id,
            StageName="$default",
            AutoDeploy=True,
            DefaultRouteSettings={"ThrottlingBurstLimit": 5, "ThrottlingRateLimit": 2},
            AccessLogSettings={
                "DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:access",
                "Format": '{"status":"$context.status","why":"$context.integrationErrorMessage"}',
            },
        )
        self.door = door

    def route(self, key: str, function: str, authorization: str, **settings: Any) -> None:
        made = self.client.create_integration(
            ApiId=self.id,
            **{
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": function,
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": 29000,
                **settings,
            },
        )
        self.client.create_route(
            ApiId=self.id,
            RouteKey=key,
            AuthorizationType=authorization,
            Target=f"integrations/{made['IntegrationId']}",
        )

    @property
    def api(self) -> Api:
        found = self.door.api(self.id)
        assert found is not None
        return found

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, query: str = ""
    ) -> tuple[int, Mapping[str, str], bytes]:
        return self.api.handle(method, path, query, {"host": "127.0.0.1:1", **(headers or {})}, body)

    def signed(
        self,
        body: bytes = b"{}",
        keys: Credentials = OPERATOR,
        *,
        path: str = "/models/x/predictions",
        service: str = "execute-api",
        query: str = "",
    ) -> dict[str, str]:
        url = f"http://127.0.0.1:1/_api/{self.id}{path}" + (f"?{query}" if query else "")
        request = AWSRequest(
            method="POST", url=url, data=body, headers={"content-type": "application/json", "host": "127.0.0.1:1"}
        )
        from botocore.credentials import Credentials as Keys

        SigV4Auth(Keys(keys.access_key, keys.secret_key, keys.session_token), service, "us-east-1").add_auth(request)
        return {name.lower(): str(value) for name, value in request.headers.items()}


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    yield made
    made.clock.stop()


def message(answer: tuple[int, Mapping[str, str], bytes]) -> tuple[int, str]:
    return answer[0], json.loads(answer[2])["message"]


def test_a_signed_request_reaches_the_alias_with_the_documented_event(stand: Stand) -> None:
    headers = {**stand.signed(query="a=1&a=2&b="), "user-agent": "test", "cookie": "one=1; two=2"}
    status, _, _ = stand.send("POST", f"/_api/{stand.id}/models/x/predictions", b"{}", headers, "a=1&a=2&b=")
    assert status == 200
    assert stand.functions.called == [LIVE]
    (event,) = stand.functions.events
    context = event.pop("requestContext")
    sent = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": f"POST {PATH}",
        "rawPath": "/models/x/predictions",
        "rawQueryString": "a=1&a=2&b=",
        "queryStringParameters": {"a": "1,2", "b": ""},
        "pathParameters": {"name": "x"},
        "cookies": ["one=1", "two=2"],
        "body": "{}",
        "isBase64Encoded": False,
    }
    assert sent["content-type"] == "application/json"
    assert "cookie" not in sent
    assert context["http"] == {
        "method": "POST",
        "path": "/models/x/predictions",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert context["authorizer"]["iam"]["accessKey"] == OPERATOR.access_key
    assert (context["stage"], context["apiId"], context["accountId"]) == ("$default", stand.id, "123456789012")


def test_the_prefix_may_already_be_gone_when_the_gateway_knew_the_api(stand: Stand) -> None:
    assert stand.send("POST", "/models/x/predictions", b"{}", stand.signed())[0] == 200


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers: {k: v for k, v in headers.items() if k != "authorization"},
        lambda headers: {**headers, "authorization": headers["authorization"][:-1] + "0"[:1].replace("0", "g")},
        lambda headers: {**headers, "authorization": headers["authorization"].replace("us-east-1", "eu-west-1")},
        lambda headers: {**headers, "x-amz-date": "20200101T000000Z"},
        lambda headers: {**headers, "x-amz-date": "yesterday"},
        lambda headers: {**headers, "content-type": "text/plain"},
        lambda headers: {**headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"},
        lambda headers: {**headers, "x-amz-security-token": "made-up"},
        lambda headers: {**headers, "host": "other"},
    ],
    ids=["none", "broken", "region", "old", "date", "header", "payload", "token", "host"],
)
def test_a_signature_that_does_not_fit_is_forbidden(stand: Stand, spoil: Any) -> None:
    answer = stand.send("POST", "/models/x/predictions", b"{}", spoil(stand.signed()))
    assert message(answer) == (403, "Forbidden")
    assert stand.functions.events == []


def test_another_body_than_the_signed_one_is_forbidden(stand: Stand) -> None:
    assert message(stand.send("POST", "/models/x/predictions", b"[]", stand.signed(b"{}"))) == (403, "Forbidden")


def test_unknown_keys_wrong_secrets_and_other_services_are_forbidden(stand: Stand) -> None:
    for keys, service in (
        (Credentials("AKIAUNKNOWN", OPERATOR.secret_key), "execute-api"),
        (Credentials(OPERATOR.access_key, "wrong"), "execute-api"),
        (OPERATOR, "s3"),
    ):
        headers = stand.signed(keys=keys, service=service)
        assert message(stand.send("POST", "/models/x/predictions", b"{}", headers)) == (403, "Forbidden")


def test_a_role_that_no_policy_lets_call_the_api_is_forbidden(stand: Stand) -> None:
    headers = stand.signed(keys=stand.identity.issue("arn:aws:iam::123456789012:role/job"))
    assert message(stand.send("POST", "/models/x/predictions", b"{}", headers)) == (403, "Forbidden")


def test_a_signature_is_good_by_the_machines_clock_when_the_engines_is_ahead(stand: Stand) -> None:
    headers = stand.signed()
    stand.clock.advance(3600)
    assert stand.send("POST", "/models/x/predictions", b"{}", headers)[0] == 200


def test_a_literal_path_beats_a_variable_one_and_default_takes_the_rest(stand: Stand) -> None:
    assert stand.send("POST", "/models/open/predictions", b"{}")[0] == 200
    assert stand.functions.events[-1]["routeKey"] == "POST /models/open/predictions"
    assert stand.send("GET", "/elsewhere")[0] == 200
    assert stand.functions.events[-1]["routeKey"] == "$default"
    assert "body" not in stand.functions.events[-1]


def test_without_a_default_route_an_unknown_path_is_not_found(stand: Stand) -> None:
    default = next(r for r in stand.client.get_routes(ApiId=stand.id)["Items"] if r["RouteKey"] == "$default")
    stand.client.delete_route(ApiId=stand.id, RouteId=default["RouteId"])
    assert message(stand.send("GET", "/elsewhere")) == (404, "Not Found")


def test_an_api_that_does_not_exist_is_none(stand: Stand) -> None:
    assert stand.door.api("nothere") is None


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"content-type": "application/json; charset=utf-8"}, b'{"a": 1}', ('{"a": 1}', False)),
        ({"content-type": "application/problem+json"}, b"{}", ("{}", False)),
        ({"content-type": "application/json", "content-encoding": "gzip"}, b"\x1f\x8b", ("H4s=", True)),
        ({"content-type": "application/json"}, b"\xff", ("/w==", True)),
        ({"content-type": "application/x-www-form-urlencoded"}, b"{}", ("e30=", True)),
        ({}, b"{}", ("e30=", True)),
    ],
)
def test_a_body_that_is_no_text_travels_as_base64(stand: Stand, headers: Any, body: bytes, expected: Any) -> None:
    stand.send("POST", "/models/open/predictions", body, headers)
    event = stand.functions.events[-1]
    assert (event["body"], event["isBase64Encoded"]) == expected


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"a": 1}, (200, "application/json", b'{"a": 1}')),
        ("text", (200, "application/json", b"text")),
        ([1], (200, "application/json", b"[1]")),
        ({"statusCode": 201}, (201, "text/plain;charset=UTF-8", b"")),
        (
            {"statusCode": 422, "headers": {"Content-Type": "application/problem+json"}, "body": "{}"},
            (422, "application/problem+json", b"{}"),
        ),
        (
            {"statusCode": 200, "body": "AAE=", "isBase64Encoded": True},
            (200, "text/plain;charset=UTF-8", b"\x00\x01"),
        ),
    ],
)
def test_a_functions_answer_becomes_the_response(stand: Stand, payload: Any, expected: Any) -> None:
    stand.functions.payload = payload
    status, headers, body = stand.send("POST", "/models/open/predictions")
    assert (status, headers["content-type"], body) == expected


@pytest.mark.parametrize(
    "payload",
    [
        {"statusCode": "no"},
        {"statusCode": 42},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "headers": {"a": []}},
        {"statusCode": 200, "headers": "text"},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
        {"statusCode": 200, "cookies": ["a=b"]},
    ],
)
def test_an_answer_of_the_wrong_shape_is_an_internal_error(stand: Stand, payload: Any) -> None:
    stand.functions.payload = payload
    assert message(stand.send("POST", "/models/open/predictions")) == (500, "Internal Server Error")


def test_a_function_error_is_an_internal_error_that_tells_nothing(stand: Stand) -> None:
    stand.functions.payload, stand.functions.error = {"errorType": "KeyError", "errorMessage": "secret"}, "Unhandled"
    status, _, body = stand.send("POST", "/models/open/predictions")
    assert (status, body) == (500, b'{"message":"Internal Server Error"}')
    assert json.loads(stand.lines[-1][1])["why"] == "the function failed: KeyError"


def test_an_api_without_permission_on_the_function_is_an_internal_error(stand: Stand) -> None:
    stand.functions.permitted = f"$default/POST{PATH}"
    assert stand.send("POST", "/models/x/predictions", b"{}", stand.signed())[0] == 200
    stand.functions.events.clear()
    assert message(stand.send("POST", "/models/open/predictions")) == (500, "Internal Server Error")
    assert stand.functions.events == []


def test_a_throttled_function_is_unavailable(stand: Stand) -> None:
    stand.functions.fails = ApiError("TooManyRequestsException", "Rate Exceeded.", 429)
    assert message(stand.send("POST", "/models/open/predictions")) == (503, "Service Unavailable")


def test_a_function_that_is_not_there_is_an_internal_error(stand: Stand) -> None:
    stand.functions.fails = ApiError("ResourceNotFoundException", "Function not found", 404)
    assert message(stand.send("POST", "/models/open/predictions")) == (500, "Internal Server Error")


def test_a_function_slower_than_the_integration_is_unavailable(stand: Stand) -> None:
    stand.route("GET /slow", OTHER, "NONE", TimeoutInMillis=50)
    stand.functions.holds = threading.Event()
    assert message(stand.send("GET", "/slow")) == (503, "Service Unavailable")
    stand.functions.holds.set()


def test_a_body_over_ten_megabytes_is_too_large(stand: Stand) -> None:
    answer = stand.send("POST", "/models/open/predictions", b"x" * 10_485_761)
    assert message(answer) == (413, "Request Entity Too Large")


def test_requests_beyond_the_stages_burst_are_refused_until_time_passes(stand: Stand) -> None:
    statuses = [stand.send("POST", "/models/open/predictions")[0] for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    stand.clock.advance(1)
    assert stand.send("POST", "/models/open/predictions")[0] == 200


def test_each_route_has_a_burst_of_its_own(stand: Stand) -> None:
    for _ in range(5):
        stand.send("POST", "/models/open/predictions")
    assert stand.send("POST", "/models/open/predictions")[0] == 429
    assert stand.send("POST", "/somewhere/else")[0] == 200


def test_a_page_that_the_api_names_gets_the_headers_that_its_browser_wants(stand: Stand) -> None:
    page = "http://localhost:3000"
    stand.client.update_api(
        ApiId=stand.id, CorsConfiguration={"AllowOrigins": [page], "AllowMethods": ["POST"], "AllowHeaders": ["x-a"]}
    )
    asked = {"origin": page, "access-control-request-method": "POST"}
    status, headers, _ = stand.send("OPTIONS", "/models/x/predictions", headers=asked)
    assert (status, headers["access-control-allow-headers"]) == (204, "x-a")
    assert stand.functions.called == []
    for path in ("/models/open/predictions", "/models/x/predictions"):  # answered by the function, and refused
        assert stand.send("POST", path, headers={"origin": page})[1]["access-control-allow-origin"] == page


def test_every_request_is_written_to_the_access_log(stand: Stand) -> None:
    stand.send("POST", "/models/open/predictions")
    stand.send("POST", "/models/x/predictions")
    groups, lines = zip(*stand.lines, strict=True)
    assert groups == ("access", "access")
    assert [json.loads(line)["status"] for line in lines] == ["200", "403"]


@pytest.mark.parametrize(
    ("key", "authorization", "settings"),
    [
        ("GET /a", "CUSTOM", {}),
        ("GET /{all+}", "NONE", {}),
        ("GET /a", "NONE", {"PayloadFormatVersion": "1.0"}),
        ("GET /a", "NONE", {"IntegrationType": "HTTP_PROXY"}),
    ],
)
def test_what_the_engine_cannot_serve_is_refused_by_name(
    stand: Stand, key: str, authorization: str, settings: dict[str, str]
) -> None:
    stand.route(key, OTHER, authorization, **settings)
    status, text = message(stand.send("GET", "/a"))
    assert status == 501
    assert key in text


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_line_of_the_readme_is_accepted(stand: Stand, tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, _, content = stand.api.handle("POST", self.path, "", headers, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    stand.functions.payload = {"fine": True}
    url = f"http://127.0.0.1:{server.server_port}/_api/{stand.id}/models/x/predictions"
    keys = f"{OPERATOR.access_key}:{OPERATOR.secret_key}"
    signing = ["--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", keys]
    for extra in ([], ["-H", "content-type: application/json"]):
        ran = subprocess.run(
            ["curl", "-s", "-w", " %{http_code}", *signing, *extra, url, "-d", "{}"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == '{"fine": true} 200'
    server.shutdown()
    server.server_close()
