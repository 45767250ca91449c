"""The one port: who is answered, what each kind of path reaches, and what is refused before it is read."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest

from local.gateway import MAX_API_BYTES, Doors, Gateway, foreign
from local.identity import OPERATOR
from tests.local.core_world import REGION, World, world


class Echo:
    """An API that answers what it was asked."""

    def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, Mapping[str, str], bytes]:
        told = {"method": method, "path": path, "query": query, "type": headers.get("content-type"), "size": len(body)}
        return 201, {"Content-Type": "application/json", "X-Own": "yes"}, json.dumps(told).encode()


@pytest.fixture
def engine() -> Iterator[World]:
    with world() as made:
        yield made


@pytest.fixture
def gateway(engine: World) -> Iterator[Gateway]:
    doors = Doors(engine.dispatch, {"abc123": Echo()}.get, engine.clock, lambda: True)
    made = Gateway(doors)
    made.start()
    yield made
    made.stop()


def ask(
    gateway: Gateway, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.fixture
def s3(gateway: Gateway) -> object:
    return boto3.client(
        "s3",
        endpoint_url=gateway.endpoint,
        region_name=REGION,
        aws_access_key_id=OPERATOR.access_key,
        aws_secret_access_key=OPERATOR.secret_key,
    )


def test_any_sdk_can_store_and_read_objects(s3: "boto3.client") -> None:
    s3.create_bucket(Bucket="data")
    key = "incoming/a b+ü%20&=?.csv"
    s3.put_object(Bucket="data", Key=key, Body=b"hello " * 100_000)
    assert s3.get_object(Bucket="data", Key=key)["Body"].read() == b"hello " * 100_000
    assert s3.get_object(Bucket="data", Key=key, Range="bytes=0-4")["Body"].read() == b"hello"
    assert s3.head_object(Bucket="data", Key=key)["ContentLength"] == 600_000
    assert [found["Key"] for found in s3.list_objects_v2(Bucket="data", Prefix="incoming/a b")["Contents"]] == [key]
    s3.delete_object(Bucket="data", Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket="data")


def test_clients_inside_and_outside_see_the_same_state(engine: World, s3: "boto3.client") -> None:
    engine.client("s3").create_bucket(Bucket="inside")
    s3.create_bucket(Bucket="outside")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["inside", "outside"]


def test_many_requests_at_once_are_answered(s3: "boto3.client") -> None:
    s3.create_bucket(Bucket="data")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket="data", Key=str(n), Body=b"x"), range(40)))
    assert s3.list_objects_v2(Bucket="data")["KeyCount"] == 40


def test_one_connection_takes_several_requests(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/_engine/health")
        assert json.loads(connection.getresponse().read()) == {"status": "ok"}
    assert connection.sock is first
    connection.close()


@pytest.mark.parametrize(
    "path", ["/_api/abc123/models/flights?x=1&y=%20", "/_api/abc123", "/_api/abc123/models/a%2Fb?x=1&y=%20"]
)
def test_an_api_is_reached_by_its_path(gateway: Gateway, path: str) -> None:
    headers = {"Content-Type": "application/json"}
    status, answered, body = ask(gateway, "POST", path, b"{}", headers)
    assert (status, answered["X-Own"]) == (201, "yes")
    query = path.partition("?")[2]
    assert json.loads(body) == {
        **{"method": "POST", "path": path.partition("?")[0], "query": query},
        **{"type": "application/json", "size": 2},
    }


def test_an_unknown_api_is_not_found(gateway: Gateway) -> None:
    status, _, body = ask(gateway, "GET", "/_api/nosuch/models")
    assert (status, json.loads(body)) == (404, {"message": "Not Found"})


def test_a_body_over_the_api_limit_is_refused_unread_in_api_gateways_words(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.putrequest("POST", "/_api/abc123/models")
    connection.putheader("Content-Length", str(MAX_API_BYTES + 1))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (413, {"message": "Request Entity Too Large"})
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/_engine/health", "/_api/abc123/", "/data/key"])
def test_foreign_hosts_and_pages_are_refused(gateway: Gateway, path: str, headers: dict[str, str]) -> None:
    assert ask(gateway, "GET", path, headers=headers)[0] == 403


def test_pages_of_this_machine_are_answered(gateway: Gateway) -> None:
    assert ask(gateway, "GET", "/_engine/health", headers={"Origin": "http://localhost:3000"})[0] == 200


@pytest.mark.parametrize("host", ["127.0.0.1:4566", "localhost", "[::1]:80", "abc.execute-api.us-east-1.localhost:1"])
def test_names_of_this_machine_are_no_foreign_hosts(host: str) -> None:
    assert foreign(host, None) is None


@pytest.mark.parametrize("host", ["[::1", "127.0.0.1@evil.example", "notlocalhost", "evil.localhost.example"])
def test_names_that_only_look_like_this_machine_are_foreign(host: str) -> None:
    assert foreign(host, None) is not None


def test_the_clock_can_be_read_and_its_idle_speed_set(engine: World, gateway: Gateway) -> None:
    engine.clock.advance(1000)
    status, _, body = ask(gateway, "GET", "/_engine/clock")
    assert status == 200
    assert json.loads(body)["offset"] >= 1000
    assert ask(gateway, "POST", "/_engine/clock", b'{"idle_speed": 5}')[0] == 200


def test_the_clock_can_be_sent_to_a_named_moment(engine: World, gateway: Gateway) -> None:
    engine.clock.start()
    moment = engine.clock.now() + 86_400
    status, _, body = ask(gateway, "POST", "/_engine/clock", json.dumps({"until": moment}).encode())
    assert status == 200
    assert moment <= json.loads(body)["now"] < moment + 60


WRONG = [
    b"", b"{}", b"nonsense", b'{"idle_speed": 0}', b'{"idle_speed": true}', b"[1]", b'{"until": "noon"}',
    b'{"until": NaN}', b'{"until": 1, "idle_speed": 1}', b'{"speed": 5}',
]  # fmt: skip


@pytest.mark.parametrize("body", WRONG)
def test_a_wrong_clock_setting_is_refused(gateway: Gateway, body: bytes) -> None:
    status, _, answer = ask(gateway, "POST", "/_engine/clock", body)
    assert status == 400
    assert "idle_speed" in json.loads(answer)["message"]


def test_unsigned_requests_to_aws_services_are_refused(gateway: Gateway) -> None:
    status, _, body = ask(gateway, "GET", "/data/key")
    assert status == 403
    assert b"MissingAuthenticationToken" in body


def sent(gateway: Gateway, text: str) -> bytes:
    """Send bytes as they are, and return all that comes until the engine hangs up."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(text.replace("HOST", f"Host: 127.0.0.1:{gateway.port}").encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while part := connection.recv(65_536):
            found += part
        return found


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("GET /_api/abc123/x HTTP/1.0\r\nHOST\r\n\r\n", b"201"),
        ("POST /_api/abc123/x HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"411"),
        ("POST /_api/abc123/x HTTP/1.1\r\nHOST\r\nContent-Length: -1\r\n\r\n", b"411"),
        ("POST /_api/abc123/x HTTP/1.1\r\nHOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", b"411"),
        ("GET /_api/abc123/" + "x" * 70_000 + " HTTP/1.1\r\nHOST\r\n\r\n", b"414"),
        ("GET /_api/abc123/x HTTP/1.1\r\nHOST\r\nX-A: " + "x" * 70_000 + "\r\n\r\n", b"431"),
        ("GET /_api/abc123/x HTTP/9.9\r\nHOST\r\n\r\n", b"505"),
        ("BREW /_api/abc123/x HTTP/1.1\r\nHOST\r\n\r\n", b"501"),
        ("nonsense\r\n\r\n", b"400"),
    ],
)
def test_what_cannot_be_read_is_refused_in_json_or_read(gateway: Gateway, text: str, status: bytes) -> None:
    head, _, body = sent(gateway, text).partition(b"\r\n\r\n")
    assert head.split()[1] == status
    assert b"application/json" in head
    assert isinstance(json.loads(body), dict)


def test_an_answer_to_head_has_no_body(gateway: Gateway) -> None:
    status, headers, body = ask(gateway, "HEAD", "/_api/abc123/x")
    assert (status, body) == (201, b"")
    assert int(headers["Content-Length"]) > 0


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked_before_it_sends(gateway: Gateway) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
        connection.sendall(
            f"POST /_api/abc123/x HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n"
            "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"{}")
        assert connection.recv(100).startswith(b"HTTP/1.1 201 ")
