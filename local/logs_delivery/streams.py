"""Firehose streams: records are gathered by size and time, and delivered to S3 with the stream's own role."""

import gzip
import json
import logging
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from local.api import ApiError, Clients
from local.clock import Clock, Hold
from local.iam.authority import Acting, Authority
from local.keeping import NOWHERE, Keep
from local.logs_delivery.batches import extracted, failed_record, object_name, prefix_at

_MEGABYTE = 1 << 20
# Firehose developer guide, "Data delivery failure handling": S3 is tried for 24 hours, then the data is dropped
_GIVE_UP_SECONDS = 86_400
_PART = "records of delivery streams"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Record:
    arrival: float
    content: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True)
class _Buffer:
    """What waits for delivery, since the moment that the oldest record arrived."""

    since: float
    hold: Hold
    records: list[_Record] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class _Stream:
    """A delivery stream as described by its API."""

    name: str
    arn: str
    version: str
    target: Mapping[str, Any]

    @property
    def bucket(self) -> str:
        return str(self.target["BucketARN"].rpartition(":")[2])

    @property
    def key_arn(self) -> str | None:
        config: Mapping[str, Any] = self.target.get("EncryptionConfiguration", {}).get("KMSEncryptionConfig", {})
        return config.get("AWSKMSKeyARN")


class Streams:
    """All delivery streams; a thread exists only while something waits in a stream."""

    def __init__(self, clients: Clients, clock: Clock, authority: Authority, keep: Keep = NOWHERE) -> None:
        self._authority = authority
        self._keep = keep
        self._clients = clients
        self._clock = clock
        self._lock = threading.Lock()
        self._buffers: dict[str, _Buffer] = {}
        self._threads: set[threading.Thread] = set()
        self._stopped = threading.Event()

    def put(self, arn: str, records: Sequence[bytes]) -> None:
        """Take records for a stream. Raises ClientError when there is no such stream."""
        now = self._clock.now()
        stream, taken = self._described(arn), [_Record(now, record) for record in records]
        for record in taken:
            self._keep.put(_PART, record.id, (arn, record))
        self._add(stream, taken, now)

    def resume(self) -> None:
        """Let the records wait on that an earlier engine had taken and not delivered."""
        for arn, record in self._keep.rows(_PART).values():
            self._add(self._described(arn), [record], record.arrival)

    def _add(self, stream: _Stream, records: Sequence[_Record], since: float) -> None:
        hints, arn = stream.target["BufferingHints"], stream.arn
        with self._lock:
            buffer = self._buffers.get(arn)
            begun = buffer is None
            if buffer is None:
                hold = self._clock.hold(self._clock.now() + hints["IntervalInSeconds"])
                buffer = self._buffers[arn] = _Buffer(since, hold)
            buffer.since = min(buffer.since, since)
            buffer.records += records
            buffer.size += sum(len(record.content) for record in records)
            full = buffer.size >= hints["SizeInMBs"] * _MEGABYTE
            if full:
                del self._buffers[arn]
        if full:
            self._start(self._deliver, arn, buffer)
        elif begun:
            self._start(self._wait, arn, buffer, hints["IntervalInSeconds"])

    def stop(self) -> None:
        """Drop what waits, as the engine's whole state goes."""
        self._stopped.set()
        with self._lock:
            running = list(self._threads)
        for thread in running:
            thread.join()

    def _start(self, work: Any, *given: Any) -> None:
        def run() -> None:
            try:
                work(*given)
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="firehose", daemon=True)
        with self._lock:  # whoever stops us never meets a thread that has not begun
            self._threads.add(thread)
            thread.start()

    def _wait(self, arn: str, buffer: _Buffer, seconds: float) -> None:
        if self._clock.sleep(seconds, self._stopped, buffer.hold):
            buffer.hold.release()
            return
        with self._lock:
            due = self._buffers.get(arn) is buffer
            if due:
                del self._buffers[arn]
        if due:
            self._deliver(arn, buffer)

    def _deliver(self, arn: str, buffer: _Buffer) -> None:
        with buffer.hold:
            try:
                stream = self._described(arn)
                self._write(stream, buffer.records)
                self._drop(buffer)
            except ApiError as error:
                self._failed(arn, buffer, f"S3.{error.code}", error.message)
            except ClientError as error:
                found = error.response["Error"]
                self._failed(arn, buffer, f"S3.{found['Code']}", found["Message"])

    def _drop(self, buffer: _Buffer) -> None:
        for record in buffer.records:
            self._keep.remove(_PART, record.id)

    def _write(self, stream: _Stream, records: Sequence[_Record]) -> None:
        good, bad = [], []
        for record in records:
            try:
                good.append(extracted(record.content))
            except ValueError as error:
                bad.append(failed_record(record.content, record.arrival, self._clock.now(), str(error)))
        since, target = min(record.arrival for record in records), stream.target
        if good:
            name = object_name(stream.name, stream.version, since, ".gz")
            self._store(stream, prefix_at(target["Prefix"], since) + name, gzip.compress(b"".join(good)))
        if bad:
            name = object_name(stream.name, stream.version, since, "")
            prefix = prefix_at(target["ErrorOutputPrefix"], since, "decompression-failed")
            self._store(stream, prefix + name, b"".join(bad))

    def _store(self, stream: _Stream, key: str, body: bytes) -> None:
        role, encryption = stream.target["RoleARN"], {}
        self._authority.with_role(Acting("firehose.amazonaws.com", stream.arn), role, ())
        if stream.key_arn:
            encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": stream.key_arn}
        self._clients("s3", role).put_object(Bucket=stream.bucket, Key=key, Body=body, **encryption)

    def _failed(self, arn: str, buffer: _Buffer, code: str, message: str) -> None:
        _log.warning("%s: %d records not delivered: %s: %s", arn, len(buffer.records), code, message)
        try:
            stream = self._described(arn)
            if self._clock.now() - buffer.since < _GIVE_UP_SECONDS:
                self._add(stream, buffer.records, buffer.since)
            else:
                self._drop(buffer)
            self._tell(stream, code, message)
        except ClientError as lost:
            self._drop(buffer)
            _log.warning("%s is gone, and its records with it: %s", arn, lost)

    def _tell(self, stream: _Stream, code: str, message: str) -> None:
        told = stream.target["CloudWatchLoggingOptions"]
        line = {
            "deliveryStreamARN": stream.arn,
            "destination": stream.target["BucketARN"],
            "deliveryStreamVersionId": int(stream.version),
            "message": message,
            "errorCode": code,
        }
        event = {"timestamp": int(self._clock.now() * 1000), "message": json.dumps(line)}
        place = {"logGroupName": told["LogGroupName"], "logStreamName": told["LogStreamName"]}
        try:
            self._clients("logs", stream.target["RoleARN"]).put_log_events(**place, logEvents=[event])
        except ClientError as refusal:
            _log.warning("%s: its error log takes nothing: %s", stream.arn, refusal)

    def _described(self, arn: str) -> _Stream:
        name = arn.rpartition("/")[2]
        found = self._clients("firehose").describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
        target = found["Destinations"][0]["ExtendedS3DestinationDescription"]
        return _Stream(name, arn, found["VersionId"], target)
