"""Subscription filters: their API, and what they send on of every log event that CloudWatch Logs takes.

moto keeps log groups and events; filters are the engine's, because moto delivers at once, unfiltered and as nobody.
"""

import json
import logging
import random
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.api import ACCOUNT, ApiError, Caller, Clients, Operation
from local.chaos import Chaos
from local.clock import Clock
from local.iam.authority import Acting, Authority
from local.iam.decision import Need
from local.keeping import NOWHERE, Keep, kept
from local.logs_delivery.batches import CONTROL_TEXT, envelope, matcher
from local.logs_delivery.streams import Streams
from local.wire import HttpAnswer, HttpCall

FILTERS_OF_A_GROUP = 2
_TARGET = "Logs_20140328.PutLogEvents"
_log = logging.getLogger(__name__)
_ACTIONS = ("firehose:PutRecord", "firehose:PutRecordBatch")


@dataclass(frozen=True, slots=True)
class _Filter:
    asked: Mapping[str, Any]
    matches: Callable[[str], bool]


class LogsDelivery:
    """Filters of all log groups, and the streams they send to; with `chaos` some batches are sent twice."""

    def __init__(
        self,
        clients: Clients,
        clock: Clock,
        authority: Authority,
        chaos: Chaos | None = None,
        keep: Keep = NOWHERE,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._authority = authority
        self._region = str(clients("logs").meta.region_name)
        self._chaos = chaos
        self._draw = random.Random(chaos.seed if chaos else 0)
        self._filters: dict[str, dict[str, _Filter]] = {}
        self._asked: MutableMapping[tuple[str, str], Mapping[str, Any]] = kept(keep, "subscription filters")
        for (group, name), asked in self._asked.items():
            self._filters.setdefault(group, {})[name] = _Filter(asked, matcher(asked["filterPattern"]))
        self._streams = Streams(clients, clock, authority, keep)

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return what the gateway routes here; records come from CloudWatch Logs alone."""
        return {
            ("logs", "PutSubscriptionFilter"): self._put,
            ("logs", "DescribeSubscriptionFilters"): self._describe,
            ("logs", "DeleteSubscriptionFilter"): self._delete,
            ("firehose", "PutRecord"): _only_logs,
            ("firehose", "PutRecordBatch"): _only_logs,
        }

    def resume(self) -> None:
        """Let the records wait on that an earlier engine had not delivered."""
        self._streams.resume()

    def stop(self) -> None:
        """End all deliveries."""
        self._streams.stop()

    def __call__(self, call: HttpCall, _: HttpAnswer) -> None:
        """Look at one call that CloudWatch Logs answered with success."""
        if not self._filters or call.headers.get("x-amz-target") != _TARGET:
            return
        asked = json.loads(call.body)
        group, stream = asked["logGroupName"], asked["logStreamName"]
        for name, one in list(self._filters.get(group, {}).items()):
            events = [
                {"id": f"{number:056d}", "timestamp": event["timestamp"], "message": event["message"]}
                for number, event in enumerate(asked["logEvents"])
                if one.matches(event["message"])
            ]
            if events:
                self._send(group, one, envelope("DATA_MESSAGE", group, stream, name, events))

    def _send(self, group: str, through: _Filter, record: bytes) -> None:
        copies = self._chaos.copies(self._draw) if self._chaos else 1
        try:
            self._check(group, through.asked)
            self._streams.put(through.asked["destinationArn"], [record] * copies)
        except (ApiError, ClientError) as error:
            # as on AWS, whoever writes log events never hears of their delivery
            _log.warning("log events are lost on their way to %s: %s", through.asked["destinationArn"], error)

    def _put(self, asked: dict[str, Any], _: Caller) -> dict[str, Any]:
        group, name = asked["logGroupName"], asked["filterName"]
        found = _Filter(asked, matcher(asked["filterPattern"]))
        known = self._of(group)
        if name not in known and len(known) == FILTERS_OF_A_GROUP:
            raise ApiError("LimitExceededException", "Resource limit exceeded.")
        if ":firehose:" not in asked["destinationArn"] or "roleArn" not in asked:
            raise ApiError("InvalidParameterException", "The laptop engine sends to Firehose streams, with a role.")
        try:
            self._test(group, asked)
        except (ApiError, ClientError) as error:
            raise _undeliverable(str(error)) from error
        self._filters.setdefault(group, {})[name] = found
        self._asked[group, name] = asked
        return {}

    def _test(self, group: str, asked: Mapping[str, Any]) -> None:
        """CloudWatch Logs sends a test message when a filter is put, and refuses what it could not deliver to."""
        self._check(group, asked)
        event = {"id": "", "timestamp": int(self._clock.now() * 1000), "message": CONTROL_TEXT}
        record = envelope("CONTROL_MESSAGE", "", "", asked["filterName"], [event])
        self._streams.put(asked["destinationArn"], [record])

    def _check(self, group: str, asked: Mapping[str, Any]) -> None:
        source = f"arn:aws:logs:{self._region}:{ACCOUNT}:log-group:{group}:*"
        needs = [Need(action, asked["destinationArn"]) for action in _ACTIONS]
        self._authority.with_role(Acting("logs.amazonaws.com", source), asked["roleArn"], needs)

    def _describe(self, asked: dict[str, Any], _: Caller) -> dict[str, Any]:
        found = [dict(one.asked) for one in self._of(asked["logGroupName"]).values()]
        return {"subscriptionFilters": found}

    def _delete(self, asked: dict[str, Any], _: Caller) -> dict[str, Any]:
        if self._of(asked["logGroupName"]).pop(asked["filterName"], None) is None:
            raise ApiError("ResourceNotFoundException", "The specified subscription filter does not exist.")
        del self._asked[asked["logGroupName"], asked["filterName"]]
        return {}

    def _of(self, group: str) -> dict[str, _Filter]:
        listed = self._clients("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if all(found["logGroupName"] != group for found in listed):
            raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
        return self._filters.get(group, {})


def _only_logs(_: dict[str, Any], __: Caller) -> dict[str, Any]:
    raise ApiError(
        "InvalidSourceException",
        "Only requests from CloudWatch Logs are supported when CloudWatch Logs decompression is enabled.",
    )


def _undeliverable(why: str) -> ApiError:
    message = f"Could not deliver test message to specified Firehose stream: {why}"
    return ApiError("InvalidParameterException", message)
