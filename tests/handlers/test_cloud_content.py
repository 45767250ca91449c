"""Objects whose key says what they hold are read once, as long as what is remembered stays small."""

import boto3
import pytest

from cloud.content import LARGEST, Content
from cloud.objects import Bucket
from lambdas import wiring
from lifecycle.errors import Unavailable

from .calls_made import counted


@pytest.fixture
def bucket() -> Bucket:
    boto3.client("s3").create_bucket(Bucket="data")
    return wiring.bucket("data")


def reads(content: Content, key: str, times: int = 2) -> int:
    """How often an object is fetched when it is read so many times."""
    with counted("s3") as calls:
        for _ in range(times):
            assert content.need(key)
    return len(calls.of("GetObject"))


def test_an_object_is_fetched_once(bucket: Bucket) -> None:
    bucket.write("a", b"12345")
    assert reads(Content(bucket), "a") == 1


def test_a_large_object_is_not_remembered(bucket: Bucket) -> None:
    bucket.write("a", bytes(LARGEST + 1))
    assert reads(Content(bucket), "a") == 2


def test_more_than_may_be_remembered_is_forgotten_together(bucket: Bucket) -> None:
    content = Content(bucket, kept_bytes=10)
    for key in "abc":
        bucket.write(key, b"12345")
        assert content.read(key) == b"12345"
    assert [reads(content, key, 1) for key in "cab"] == [0, 1, 1]


def test_an_object_that_comes_later_is_found(bucket: Bucket) -> None:
    content = Content(bucket)
    assert content.read("a") is None
    with pytest.raises(Unavailable, match="s3://data/a does not exist"):
        content.need("a")
    bucket.write("a", b"")
    assert content.need("a") == b""
