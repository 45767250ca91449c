"""Where moto's ids come from: one source per thread, which can be seeded so that a call makes the same ids again."""

import os
import random
import threading
from types import SimpleNamespace
from typing import Any

from moto.kms import utils as kms_utils
from moto.moto_api._internal.moto_random import MotoRandom
from moto.s3 import models as s3_models

_own = threading.local()


def seed(number: int) -> None:
    """Let what moto draws in this thread follow from `number`."""
    _own.source = random.Random(number)


def replacements() -> list[tuple[Any, str, Any]]:
    """Return the symbols of moto to change: one source for all threads would give each other's numbers away."""
    seeded = SimpleNamespace(**{**vars(os), "urandom": lambda count: _source().randbytes(count)})
    return [
        (MotoRandom, "random", lambda _: _source().random()),
        (MotoRandom, "getrandbits", lambda _, count: _source().getrandbits(count)),
        # ids of multipart uploads, and the material of keys
        (s3_models, "os", seeded),
        (kms_utils, "os", seeded),
    ]


def _source() -> random.Random:
    if not hasattr(_own, "source"):
        _own.source = random.Random()
    source: random.Random = _own.source
    return source
