"""Metric filters: log events that hold certain terms, counted as a metric.

Of the patterns the one form that the stacks use: terms in quotes, all of which an event must hold. Source: CloudWatch
Logs user guide, "Filter pattern syntax", matching terms in unstructured log events.
"""

import json
import re
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

from local.api import ApiError, Caller, Operation
from local.cloudwatch.metrics import Metric, Metrics
from local.keeping import NOWHERE, Keep, kept
from local.wire import HttpAnswer, HttpCall

_PUT_EVENTS: Final = "Logs_20140328.PutLogEvents"
_TERMS: Final = re.compile(r'"[^"\\]+"( "[^"\\]+")*')
_KNOWN: Final = {"metricName", "metricNamespace", "metricValue"}


class MetricFilters:
    """The filters of all log groups."""

    def __init__(self, metrics: Metrics, keep: Keep = NOWHERE) -> None:
        self._metrics = metrics
        self._filters: MutableMapping[tuple[str, str], Mapping[str, Any]] = kept(keep, "metric filters")

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return what the gateway routes here."""
        return {
            ("logs", "PutMetricFilter"): self._put,
            ("logs", "DescribeMetricFilters"): self._describe,
            ("logs", "DeleteMetricFilter"): self._delete,
        }

    def __call__(self, call: HttpCall, _: HttpAnswer) -> None:
        """Look at one call that CloudWatch Logs answered with success."""
        if not self._filters or call.headers.get("x-amz-target") != _PUT_EVENTS:
            return
        asked = json.loads(call.body)
        for (group, _name), found in list(self._filters.items()):
            if group != asked["logGroupName"]:
                continue
            terms = _terms(found["filterPattern"])
            (made,) = found["metricTransformations"]
            metric = Metric(made["metricNamespace"], made["metricName"])
            for event in asked["logEvents"]:
                if all(term in event["message"] for term in terms):
                    self._metrics.put(metric, float(made["metricValue"]), event["timestamp"] / 1000)

    def _put(self, asked: dict[str, Any], _: Caller) -> dict[str, Any]:
        made = asked["metricTransformations"]
        if _TERMS.fullmatch(asked["filterPattern"]) is None or len(made) != 1 or set(made[0]) != _KNOWN:
            raise _invalid("The laptop engine counts events that hold quoted terms, as one metric without dimensions.")
        try:
            float(made[0]["metricValue"])
        except ValueError as error:
            raise _invalid(f"Invalid metric transformation: {made[0]['metricValue']}") from error
        self._filters[asked["logGroupName"], asked["filterName"]] = asked
        return {}

    def _describe(self, asked: dict[str, Any], _: Caller) -> dict[str, Any]:
        found = [dict(kept) for (group, _), kept in self._filters.items() if group == asked["logGroupName"]]
        return {"metricFilters": found}

    def _delete(self, asked: dict[str, Any], _: Caller) -> dict[str, Any]:
        if self._filters.pop((asked["logGroupName"], asked["filterName"]), None) is None:
            raise ApiError("ResourceNotFoundException", "The specified metric filter does not exist.")
        return {}


def _terms(pattern: str) -> list[str]:
    return re.findall(r'"([^"]+)"', pattern)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
