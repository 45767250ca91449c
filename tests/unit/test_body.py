"""Bodies of requests, as API Gateway hands them over."""

import base64
import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import names
from lifecycle.body import PARTS, json_of
from lifecycle.problem import Problem


def event(data: bytes, *, coded: bool = True, **headers: str) -> dict:
    body = base64.b64encode(data).decode() if coded else data.decode()
    return {"headers": {k.replace("_", "-"): v for k, v in headers.items()}, "body": body, "isBase64Encoded": coded}


def refused(request: dict) -> Problem:
    with pytest.raises(Problem) as found:
        json_of(request)
    return found.value


@pytest.mark.parametrize("coded", [True, False])
def test_json_is_read_plain_and_in_base64(coded):
    assert json_of(event('{"rows": ["ü"]}'.encode(), coded=coded)) == {"rows": ["ü"]}


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_types_that_are_json_are_read(kind):
    assert json_of(event(b"[1]", content_type=kind)) == [1]


@pytest.mark.parametrize("kind", ["text/csv", "application/x-www-form-urlencoded", "text/json"])
def test_other_types_are_unsupported(kind):
    problem = refused(event(b"[1]", content_type=kind))
    assert problem.status == 415
    assert kind in problem.detail


def test_gzip_is_read_also_in_several_members():
    data = gzip.compress(b"[1, ") + gzip.compress(b"2]")
    assert json_of(event(data, content_encoding="gzip")) == [1, 2]


def test_an_encoding_that_is_not_gzip_is_unsupported():
    assert refused(event(b"[1]", content_encoding="br")).status == 415


def test_a_gzip_bomb_is_too_large_and_never_unpacked():
    bomb = gzip.compress(gzip.compress(bytes(names.BODY_BYTES_UNZIPPED * 50)))
    twice = gzip.decompress(bomb)  # compresses a thousand times
    assert len(twice) < names.BODY_BYTES
    assert refused(event(twice, content_encoding="gzip")).status == 413


def test_a_bomb_of_many_members_is_too_large():
    member = gzip.compress(bytes(names.BODY_BYTES_UNZIPPED // 4))
    assert refused(event(member * 5, content_encoding="gzip")).status == 413


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_gzip_body_that_is_cut_off_is_bad(cut):
    problem = refused(event(gzip.compress(b'{"rows": [{"x": 1}]}')[:-cut], content_encoding="gzip"))
    assert problem.status == 400


def test_a_body_that_only_says_gzip_is_bad():
    assert refused(event(b'{"rows": []}', content_encoding="gzip")).status == 400


@pytest.mark.parametrize("coded", [True, False])
def test_a_body_over_the_limit_is_too_large(coded):
    data = b'"' + b"x" * names.BODY_BYTES + b'"'
    assert refused(event(data, coded=coded)).status == 413


def test_a_body_at_the_limit_is_read():
    data = b'"' + b"x" * (names.BODY_BYTES - 2) + b'"'
    assert len(json_of(event(data))) == names.BODY_BYTES - 2


@pytest.mark.parametrize("body", ["", None])
def test_no_body_is_bad(body):
    assert refused({"headers": {}, "body": body, "isBase64Encoded": False}).status == 400


def test_base64_that_is_none_is_bad():
    assert refused({"headers": {}, "body": "a", "isBase64Encoded": True}).status == 400


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"rows": [', "line 1, column"),
        (b"{'rows': []}", "line 1, column 2"),
        (b'{"rows": [{"x": NaN}]}', "NaN"),
        (b'{"rows": [{"x": -Infinity}]}', "-Infinity"),
        (b'{"x": "\xff"}', "not UTF-8 (byte 7)"),
        (b"1" * 5000, "number"),
        (b"[" * 100_000, "nested"),
        ("\ufeff[]".encode(), "not JSON"),
        (b'{"rows": []} trailing', "not JSON"),
    ],
)
def test_what_is_not_json_is_bad_and_says_where(data, said):
    problem = refused(event(data))
    assert problem.status == 400
    assert said in problem.detail


@pytest.mark.parametrize("part", [b"{},", b"[],", b'"a":1,'])
def test_a_body_of_very_many_parts_is_too_large_whatever_its_bytes(part):
    data = gzip.compress(b"[" + part * (PARTS + 1) + b"0]")
    assert refused(event(data, content_encoding="gzip")).status == 413


@given(data=st.binary(max_size=200), zipped=st.booleans(), coded=st.booleans())
def test_any_bytes_are_a_value_or_a_problem(data, zipped, coded):
    body = base64.b64encode(data).decode() if coded else data.decode("latin-1")
    headers = {"content-encoding": "gzip"} if zipped else {}
    status = 400
    try:
        answer: object = json_of({"headers": headers, "body": body, "isBase64Encoded": coded})
    except Problem as problem:
        answer, status = problem.document(), problem.status
    assert status in (400, 413, 415)
    assert json.dumps(answer)
