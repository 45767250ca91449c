"""What moto answers otherwise than AWS, where the closed set meets it; facts about moto are of 5.2.5."""

import hashlib
from collections.abc import Callable
from typing import Any

from moto.s3.models import FakeKey
from moto.sagemaker.models import ModelPackageGroup


def replacements() -> list[tuple[Any, str, Any]]:
    """Return what is changed of moto: owner, name, replacement, each for the reason beside it."""
    return [
        # moto knows who made a group, and leaves it out, though the model requires it
        (ModelPackageGroup, "gen_response_object", _with_maker(ModelPackageGroup.gen_response_object)),
        # moto's ETag is the content's MD5 always; under a customer key it is not (S3 API reference, Object)
        (FakeKey, "etag", property(_under_key(vars(FakeKey)["etag"].fget))),
    ]


def _with_maker(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def gen_response_object(group: Any) -> dict[str, Any]:
        return {**original(group), "CreatedBy": {}}

    return gen_response_object


def _under_key(original: Callable[[Any], str]) -> Callable[[Any], str]:
    def etag(key: Any) -> str:
        plain = original(key)
        if key.encryption != "aws:kms":
            return plain
        parts = plain.strip('"').partition("-")  # of an object in parts their number is told
        text = f"{parts[0]} {key.version_id} {key.last_modified.timestamp()}"
        return f'"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}{parts[1]}{parts[2]}"'

    return etag
