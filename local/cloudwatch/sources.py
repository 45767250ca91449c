"""Invocations and log lines -> metrics: Lambda's own, and those that a function prints.

Sources: AWS Lambda developer guide, "Types of metrics for Lambda functions" and "Dimensions"; CloudWatch user guide,
"Specification: Embedded metric format".
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from local.cloudwatch.metrics import Metric, Metrics

LAMBDA = "AWS/Lambda"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What was called: a function, the qualifier it was called by, and the version that answered an alias's call."""

    function: str
    qualifier: str | None = None
    executed_version: str | None = None

    def dimensions(self) -> Iterator[frozenset[tuple[str, str]]]:
        """Yield the dimensions under which Lambda counts a call, one set per metric."""
        known = [("FunctionName", self.function)]
        yield frozenset(known)
        if self.qualifier:
            known.append(("Resource", f"{self.function}:{self.qualifier}"))
            yield frozenset(known)
        if self.executed_version:
            known.append(("ExecutedVersion", self.executed_version))
            yield frozenset(known)


def count_call(metrics: Metrics, called: Called, at: float, *, failed: bool, seconds: float) -> None:
    """Count one invocation that began at engine time `at`; Lambda's `Duration` is in milliseconds."""
    values = {"Invocations": 1.0, "Errors": float(failed), "Throttles": 0.0, "Duration": seconds * 1000}
    _put_all(metrics, called, values, at)


def count_throttle(metrics: Metrics, called: Called, at: float) -> None:
    """Count a call that Lambda turned away; it is no invocation and no error."""
    _put_all(metrics, called, {"Throttles": 1.0}, at)


def _put_all(metrics: Metrics, called: Called, values: dict[str, float], at: float) -> None:
    for dimensions in called.dimensions():
        for name, value in values.items():
            metrics.put(Metric(LAMBDA, name, dimensions), value, at)


def count_printed(metrics: Metrics, lines: Iterable[str]) -> None:
    """Take the metrics that log lines hold; as CloudWatch does, what is no valid document is only logged."""
    for line in lines:
        if line.startswith("{") and '"_aws"' in line:
            try:
                for metric, value, at in _embedded(json.loads(line)):
                    metrics.put(metric, value, at)
            except (ValueError, TypeError, KeyError, AttributeError) as fault:
                _log.warning("metrics of a log line are lost: %s: %s", type(fault).__name__, fault)


def _embedded(document: dict[str, Any]) -> Iterator[tuple[Metric, float, float]]:
    described = document["_aws"]
    at = described["Timestamp"] / 1000
    for directive in described["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = frozenset((name, str(document[name])) for name in names)
            for metric in directive["Metrics"]:
                found = document[metric["Name"]]
                for value in found if isinstance(found, list) else [found]:
                    yield Metric(directive["Namespace"], metric["Name"], dimensions), float(value), at
