"""The default event bus: an event + the rules in moto's state -> deliveries to queues, functions and state machines.

Delivery is asynchronous, at least once and unordered, as EventBridge says of itself; `local.chaos` makes a test of it.
"""

import heapq
import itertools
import json
import logging
import random
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local.api import ACCOUNT, ApiError, Caller, Operation
from local.chaos import Chaos
from local.clients import Clients
from local.clock import Clock, Hold
from local.event_entries import check, refusal
from local.event_targets import FINAL_ERRORS, Sender
from local.iam import Authority
from local.input_transformer import target_input
from local.keeping import NOWHERE, Keep
from local.moto_state import Rule, enabled_rules

# EventBridge's defaults: user guide, "How EventBridge retries delivering events"
DEFAULT_ATTEMPTS = 185
DEFAULT_AGE_SECONDS = 86_400
_LOOK_SECONDS = 0.02  # of machine time, while something waits for engine time to pass

_PART = "deliveries"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one target; `attempt` counts the failures so far."""

    rule: Rule
    target: Mapping[str, Any]
    event: Mapping[str, Any]
    since: float
    attempt: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(order=True, slots=True)
class _Due:
    at: float
    number: int
    delivery: Delivery = field(compare=False)
    hold: Hold = field(compare=False)


class Bus:
    """The account's default event bus. `watch` is shown every event, and whether a rule took it."""

    def __init__(
        self,
        clients: Clients,
        clock: Clock,
        authority: Authority,
        chaos: Chaos | None = None,
        keep: Keep = NOWHERE,
    ) -> None:
        self._clients = clients
        self._authority = authority
        self._keep = keep
        self._clock = clock
        self._chaos = chaos
        self._draw = random.Random(chaos.seed if chaos else 0)
        self._numbers = itertools.count()
        self._due: list[_Due] = []
        self._changed = threading.Condition()
        self._stopped = False
        self.watch: Callable[[Mapping[str, Any], bool], object] = lambda *_: None
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="event-delivery")
        self._thread = threading.Thread(target=self._run, name="event-bus", daemon=True)
        self._thread.start()

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return the operations that the bus answers instead of moto."""
        return {("events", "PutEvents"): self._put_events}

    def emit(self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
        """Put an event of an AWS service on the bus (`local.api.Emit`)."""
        self._publish(source, detail_type, detail, resources)

    def stop(self) -> None:
        """Drop what waits, and let what runs end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def resume(self) -> None:
        """Deliver what an earlier engine had not delivered, once more where it was about to."""
        with self._changed:
            for delivery in self._keep.rows(_PART).values():
                self._push(self._clock.now(), delivery)
            self._changed.notify_all()

    def fire(self, rule: Rule) -> None:
        """Send a scheduled rule's event to its targets."""
        now = self._clock.now()
        event = self._event("aws.events", "Scheduled Event", {}, [rule.arn], now)
        for target in rule.targets:
            self._schedule(Delivery(rule, target, event, now))

    def _publish(self, source: str, detail_type: str, detail: Any, resources: Sequence[str] = ()) -> str:
        now = self._clock.now()
        event = self._event(source, detail_type, detail, resources, now)
        if self._chaos and self._chaos.loses(source, self._draw):
            _log.warning("chaos: the event %s of %s never comes", event["id"], ", ".join(resources) or source)
            return str(event["id"])
        taken = [rule for rule in enabled_rules(self._clients.region) if rule.matches(event)]
        self.watch(event, bool(taken))
        for rule in taken:
            for target in rule.targets:
                self._schedule(Delivery(rule, target, event, now))
        return str(event["id"])

    def _event(
        self, source: str, detail_type: str, detail: Any, resources: Sequence[str], now: float
    ) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._clients.region,
            "resources": list(resources),
            "detail": json.loads(json.dumps(detail, default=_timestamp)),
        }

    def _schedule(self, delivery: Delivery) -> None:
        self._keep.put(_PART, delivery.id, replace(delivery, rule=replace(delivery.rule, pattern=None)))
        with self._changed:
            for delay in self._chaos.delays(self._draw) if self._chaos else [0.0]:
                self._push(self._clock.now() + delay, delivery)
            self._changed.notify_all()

    def _push(self, at: float, delivery: Delivery) -> None:
        heapq.heappush(self._due, _Due(at, next(self._numbers), delivery, self._clock.hold(at)))

    def _run(self) -> None:
        with self._changed:
            while not self._stopped:
                if not self._due:
                    self._changed.wait()
                elif self._due[0].at > self._clock.now():
                    self._changed.wait(_LOOK_SECONDS)
                else:
                    self._pool.submit(self._deliver, heapq.heappop(self._due))

    def _deliver(self, due: _Due) -> None:
        delivery, rule = due.delivery, due.delivery.rule
        try:
            text = target_input(delivery.target, delivery.event, (rule.name, rule.arn))
            Sender(self._clients, self._authority, rule.arn).send(delivery.target, text)
            self._keep.remove(_PART, delivery.id)
        except ApiError as refused:
            self._failed(delivery, refused.code, refused.message)
        except ClientError as refused:
            self._failed(delivery, refused.response["Error"]["Code"], refused.response["Error"]["Message"])
        except Exception as fault:  # noqa: BLE001 - the outermost frame of a delivery: logged and dead-lettered
            _log.exception("delivery failed: rule %s", rule.name)
            self._failed(delivery, "INTERNAL_ERROR", f"{type(fault).__name__}: {fault}")
        finally:
            due.hold.release()

    def _failed(self, delivery: Delivery, code: str, message: str) -> None:
        policy = delivery.target.get("RetryPolicy", {})
        age = self._clock.now() - delivery.since
        why = None
        if code not in FINAL_ERRORS:
            if delivery.attempt >= policy.get("MaximumRetryAttempts", DEFAULT_ATTEMPTS):
                why = "MaximumRetryAttempts"
            elif age >= policy.get("MaximumEventAgeInSeconds", DEFAULT_AGE_SECONDS):
                why = "MaximumEventAgeInSeconds"
            else:
                self._retry(delivery)
                return
        self._keep.remove(_PART, delivery.id)
        arn = delivery.target["Arn"]
        _log.error("event %s not delivered to %s: %s: %s", delivery.event["id"], arn, code, message)
        if queue := delivery.target.get("DeadLetterConfig", {}).get("Arn"):
            told = {"ERROR_CODE": code, "ERROR_MESSAGE": message, "RETRY_ATTEMPTS": str(delivery.attempt)}
            told |= {"RULE_ARN": delivery.rule.arn, "TARGET_ARN": arn}
            told |= {"EXHAUSTED_RETRY_CONDITION": why} if why else {}
            try:
                Sender(self._clients, self._authority, delivery.rule.arn).dead_letter(queue, delivery.event, told)
            except (ApiError, ClientError) as refused:
                # as on AWS: without a queue that takes it the event is lost
                _log.error("event %s is lost: %s", delivery.event["id"], refused)

    def _retry(self, delivery: Delivery) -> None:
        wait = min(2.0**delivery.attempt, 600.0) * self._draw.uniform(0.5, 1.0)
        with self._changed:
            again = replace(delivery, attempt=delivery.attempt + 1)
            self._push(self._clock.now() + wait, again)
            self._changed.notify_all()

    def _put_events(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        entries = parameters["Entries"]
        check(entries)
        answers = [self._put(entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}

    def _put(self, entry: Mapping[str, Any]) -> dict[str, str]:
        if wrong := refusal(entry):
            return wrong
        detail = json.loads(entry["Detail"])
        return {"EventId": self._publish(entry["Source"], entry["DetailType"], detail, entry.get("Resources", ()))}


def _timestamp(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"an event's detail cannot hold a {type(value).__name__}")
