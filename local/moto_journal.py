"""moto's state on disk: the latest snapshot of all services, and every call that changed one since, in order.

A call is journalled with engine time and a seed while its service is still entered, so that replaying it (below guards
and observers: it was allowed and told once) makes the same ids and times. Facts about moto are of 5.2.5.
"""

import io
import pickle
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, get_args

import time_machine
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from moto.backends import get_backend
from moto.core.base_backend import BackendDict, BaseBackend
from moto.s3.models import FakeKey, s3_backends
from moto.s3.utils import _VersionedKeyStore
from moto.sqs.models import sqs_backends

from local import moto_chance, moto_state
from local.api import ACCOUNT
from local.data_directory import DataDirectory
from local.moto_changes import Begun
from local.service_models import BOTOCORE_NAMES
from local.wire import HttpAnswer, HttpCall, operation_of

SERVICES = ("apigatewayv2", "dynamodb", "events", "firehose", "iam", "kms", "logs", "s3", "sagemaker", "sns", "sqs")
LARGE_BYTES = 1 << 22
"""Objects of this size and more have a file of their own: they would be copied with each snapshot."""
_WHOLE = "state of "
READS = re.compile(
    "Get|Head|List|Describe|Query|Scan|BatchGet|TransactGet|Filter|Search|Simulate|Encrypt|Decrypt|Generate"
)


class Journal:
    """What `moto_state` tells of every call."""

    def __init__(self, directory: DataDirectory) -> None:
        self._directory = directory
        self._large: set[str] = set()

    def begin(self, service: str, call: HttpCall) -> Begun | None:
        """Seed what the call draws; None for a call that changes nothing."""
        if service not in SERVICES or not _changes(service, call):
            return None
        seed = secrets.randbits(63)
        moto_chance.seed(seed)
        return Begun(seed, time.time())

    def add(self, service: str, region: str, begun: Begun, call: HttpCall, answer: HttpAnswer) -> None:
        """Keep a call that was answered with success; its service is entered."""
        at, now = begun.at, time.time()
        if call.headers.get("x-amz-target") == "AmazonSQS.ReceiveMessage":
            if b'"Messages"' not in answer.body:
                return
            at = now  # a message may have come while somebody waited for it
        if service == "s3" and int(at) != int(now):
            # which of the two seconds an object was stored in, only the state itself tells
            self.keep_whole(service)
            return
        body: bytes | tuple[str] = call.body
        if len(call.body) >= LARGE_BYTES:
            with suppress(OSError):  # without room for a file it goes into its row, which is owed like others
                name = self._directory.store(call.body)
                self._large.add(name)
                body = (name,)
        row = (region, call.method, call.path, call.query, dict(call.headers), body)
        self._directory.append(service, at, begun.seed, pickle.dumps(row))

    def keep_whole(self, service: str) -> None:
        """Keep all of a small service's state, changed without a call; it is entered."""
        self._directory.append(_WHOLE + service, time.time(), 0, self._pickled([service]))

    def snapshot(self) -> None:
        """Put all state in place of the journal; services are entered one after the other and left together."""
        with self._directory.whole, ExitStack() as entered:
            for service in SERVICES:
                entered.enter_context(moto_state.lock_of(service))
            self._large = set()
            self._directory.snapshot(self._pickled(SERVICES))
            self._directory.keep_only(self._large)

    def restore(self) -> float:
        """Bring moto to where it was, and return the engine time of the last call (0.0 without one).

        Messages that somebody had received are visible again: whoever had them is gone.
        """
        at = 0.0
        if state := self._directory.fact("moto"):
            self._load(state)
        with time_machine.travel(0, tick=False) as traveller:
            for service, at, seed, call in self._directory.journal():
                traveller.move_to(at, tick=False)
                if service.startswith(_WHOLE):
                    self._load(call)
                else:
                    self._replay(service, seed, call)
        for queue in (q for backend in sqs_backends[ACCOUNT].values() for q in backend.queues.values()):
            for message in queue._messages:
                message.visible_at = 0
        return at

    def _replay(self, service: str, seed: int, row: bytes) -> None:
        region, method, path, query, headers, body = pickle.loads(row)
        if isinstance(body, tuple):
            self._large.add(body[0])
            body = self._directory.object(body[0]).read_bytes()
        moto_chance.seed(seed)
        moto_state.answer(service, region, HttpCall(method, path, query, headers, body))

    def _pickled(self, services: tuple[str, ...] | list[str]) -> bytes:
        kept = {
            name: {region: vars(backend) for region, backend in _backends(name)[ACCOUNT].items()} for name in services
        }
        file = io.BytesIO()
        _Pickler(file, self._store).dump((kept, dict(s3_backends.bucket_accounts)))
        return file.getvalue()

    def _load(self, state: bytes) -> None:
        services, buckets = _Unpickler(io.BytesIO(state), self._open).load()
        for name, regions in services.items():
            for region, members in regions.items():
                vars(_backends(name)[ACCOUNT][region]).update(members)
        s3_backends.bucket_accounts.update(buckets)

    def _store(self, key: Any) -> str:
        name = self._directory.store(key.value)
        self._large.add(name)
        return name

    def _open(self, name: str) -> Any:
        self._large.add(name)
        return self._directory.object(name).open("rb")


def _changes(service: str, call: HttpCall) -> bool:
    if service == "s3":
        return call.method in ("PUT", "POST", "DELETE")
    return READS.match(operation_of(call, service) or "Get") is None


def _backends(service: str) -> Any:
    return get_backend(BOTOCORE_NAMES.get(service, service))  # type: ignore[call-overload]


class _Pickler(pickle.Pickler):
    """Backends refer to each other by name; locks are made anew; large objects are files."""

    def __init__(self, file: io.BytesIO, store: Callable[[Any], str]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._store = store
        self._names = {
            id(backend): (every.service_name, account, region)
            for every in BackendDict._instances  # type: ignore[misc]
            for account, region, backend in every.iter_backends()
        }

    def persistent_id(self, found: Any) -> Any:
        if isinstance(found, _File):
            return ("object", found.name)
        return self._names.get(id(found)) if isinstance(found, BaseBackend) else None

    def reducer_override(self, found: Any) -> Any:
        if isinstance(found, (_LOCK, _RLOCK, threading.Condition)):
            return type(found) if isinstance(found, threading.Condition) else _MAKERS[type(found)], ()
        if isinstance(found, get_args(PrivateKeyTypes)):
            form = Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
            return _private_key, (found.private_bytes(*form),)
        if isinstance(found, FakeKey):
            members = {name: value for name, value in vars(found).items() if name not in ("_value_buffer", "lock")}
            if found._value_buffer.closed:  # a part of an upload that is complete
                return _stored, (type(found), members, b"")
            content = _File(self._store(found)) if found.size >= LARGE_BYTES else found.value
            return _stored, (type(found), members, content)
        if isinstance(found, _VersionedKeyStore):
            return _versions, (list(found.lists()),)  # as a mapping it shows the newest version only
        return NotImplemented


@dataclass(frozen=True, slots=True)
class _File:
    """A large object's file by its name."""

    name: str


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, opened: Callable[[str], Any]) -> None:
        super().__init__(file)
        self._opened = opened

    def persistent_load(self, name: Any) -> Any:
        if name[0] == "object":
            return self._opened(name[1])
        service, account, region = name
        return get_backend(service)[account][region]


def _private_key(content: bytes) -> Any:
    return load_der_private_key(content, None)


def _stored(cls: Any, members: dict[str, Any], content: Any) -> Any:
    key = cls.__new__(cls)
    file = content
    if isinstance(content, bytes):
        file = tempfile.SpooledTemporaryFile(LARGE_BYTES)  # noqa: SIM115 - closed by the object
        file.write(content)
    # beside moto's own way, which would forget the ETags of multipart uploads
    vars(key).update({**members, "_value_buffer": file, "lock": threading.Lock()})
    return key


def _versions(lists: list[tuple[str, list[Any]]]) -> Any:
    store = _VersionedKeyStore()
    for key, versions in lists:
        store.setlist(key, versions)
    return store


_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())
_MAKERS: dict[type, Any] = {_LOCK: threading.Lock, _RLOCK: threading.RLock}
