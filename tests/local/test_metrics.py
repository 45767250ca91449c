"""Metrics of the laptop engine: what a call and a log line leave behind, and how it is read."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lifecycle import names
from local.clock import Clock
from local.cloudwatch.alarm_actions import Actions
from local.cloudwatch.metrics import KEPT_SECONDS, MINUTE, Metric, Metrics, NotTakenError
from local.cloudwatch.service import CloudWatch
from local.iam import Authority
from tests.local.functions_world import Lambda, eventually, package, refused, running

CODE = """
import os, time
def handler(event, context):
    if event == "raise": raise ValueError("no")
    if event == "hang": time.sleep(9)
    if event == "exit": os._exit(1)
    if isinstance(event, dict): print(__import__("json").dumps(event))
    return 1
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Lambda]:
    made = running(tmp_path)
    here = next(made)
    actions = Actions(here.clients, Authority(here.clients, "us-east-1", here.functions.policy))
    watch = CloudWatch(actions, here.functions.metrics, here.clock, lambda *_, **__: None, "us-east-1")
    here.dispatcher.register(watch.operations())
    here.dispatcher.observe("logs", watch.log_filters)
    here.create(CODE, Timeout=1)
    yield here
    watch.stop()
    next(made, None)


def ask(engine: Lambda, name: str, stat: str = "Sum", **dimensions: str) -> list[float]:
    """The values of the last hour of engine time in periods of a minute, oldest first."""
    metric = {
        "Namespace": dimensions.pop("namespace", "AWS/Lambda"),
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    now = datetime.fromtimestamp(engine.clock.now(), UTC)
    answer = engine.clients.client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        ScanBy="TimestampAscending",
    )
    (result,) = answer["MetricDataResults"]
    assert len(result["Timestamps"]) == len(result["Values"])
    assert result["StatusCode"] == "Complete"
    return list(result["Values"])


def test_cold_starts_are_counted_by_a_filter_on_the_functions_own_lines(engine: Lambda) -> None:
    logs = engine.clients.client("logs")
    group = "/aws/lambda/f"
    logs.create_log_group(logGroupName=group)
    made = {"metricNamespace": "Perennial", "metricName": "ColdStarts-dev-late", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName=group,
        filterName="cold",
        filterPattern=names.COLD_START_PATTERN,
        metricTransformations=[made],
    )
    for _ in range(3):
        engine.invoke()
    eventually(lambda: ask(engine, "ColdStarts-dev-late", namespace="Perennial"))
    assert sum(ask(engine, "ColdStarts-dev-late", namespace="Perennial")) == 1.0


def test_every_way_a_call_can_fail_is_an_error_and_an_invocation(engine: Lambda) -> None:
    for event in (None, "raise", "hang", "exit"):
        engine.invoke(event)
    engine.client.update_function_code(FunctionName="f", ZipFile=package(code="import nothing_like_this"))
    engine.invoke()
    assert sum(ask(engine, "Invocations", FunctionName="f")) == 5
    assert sum(ask(engine, "Errors", FunctionName="f")) == 4
    assert max(ask(engine, "Duration", "Maximum", FunctionName="f")) >= 1000
    assert sum(ask(engine, "Errors", "SampleCount", FunctionName="f")) == 5
    assert sum(ask(engine, "Throttles", FunctionName="f")) == 0


def test_a_call_of_an_alias_counts_for_function_alias_and_the_version_that_answered(engine: Lambda) -> None:
    engine.publish(CODE)
    engine.client.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    engine.invoke("raise", Qualifier="live")
    engine.invoke("raise", Qualifier="1")
    live = {"FunctionName": "f", "Resource": "f:live"}
    assert ask(engine, "Errors", **live) == [1.0]
    assert ask(engine, "Errors", **live, ExecutedVersion="1") == [1.0]
    assert ask(engine, "Errors", FunctionName="f", Resource="f:1") == [1.0]
    assert ask(engine, "Errors", FunctionName="f", Resource="f:1", ExecutedVersion="1") == []
    assert sum(ask(engine, "Errors", FunctionName="f")) == 2


def test_an_event_is_counted_at_each_attempt(engine: Lambda) -> None:
    engine.invoke("raise", InvocationType="Event")
    assert eventually(lambda: ask(engine, "Errors", FunctionName="f") == [1.0])
    engine.clock.advance(61)
    assert eventually(lambda: sum(ask(engine, "Errors", FunctionName="f")) == 2.0)


def embedded(at: float, **values: Any) -> dict[str, Any]:
    directive = {"Namespace": "Perennial", "Dimensions": [["Stage"], []], "Metrics": [{"Name": "Failed"}]}
    return {"_aws": {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]}, "Stage": "dev", **values}


def test_metrics_in_log_lines_are_metrics(engine: Lambda) -> None:
    engine.invoke(embedded(engine.clock.now(), Failed=2))
    engine.invoke(embedded(engine.clock.now(), Failed=[1, 4.5]))
    assert sum(ask(engine, "Failed", namespace="Perennial", Stage="dev")) == 7.5
    assert max(ask(engine, "Failed", "Maximum", namespace="Perennial")) == 4.5
    assert ask(engine, "Failed", namespace="Perennial", Stage="prod") == []


@pytest.mark.parametrize(
    "line",
    [
        {"_aws": {}},
        {"_aws": 7},
        embedded(0, Failed=1),
        {**embedded(0), "_aws": {"Timestamp": "now", "CloudWatchMetrics": [{}]}},
    ],
)
def test_a_line_that_is_no_valid_document_costs_no_answer(
    engine: Lambda, line: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "local.cloudwatch.sources"):
        assert engine.invoke(line)[0] == 1
    assert ask(engine, "Failed", namespace="Perennial", Stage="dev") == []
    assert "metrics of a log line are lost" in caplog.text or line == {"_aws": {}}


def test_what_cloudwatch_would_not_take_is_refused() -> None:
    clock = Clock()
    metrics, metric, now = Metrics(clock), Metric("N", "M"), clock.now()
    metrics.put(metric, 1, now - 13.9 * 86_400)
    metrics.put(metric, 1, now + 1.9 * 3_600)
    for at in (now - 14.1 * 86_400, now + 2.1 * 3_600):
        with pytest.raises(NotTakenError, match="two weeks"):
            metrics.put(metric, 1, at)
    with pytest.raises(NotTakenError, match="nan"):
        metrics.put(metric, float("nan"), now)


def test_memory_is_bounded_by_the_minutes_that_are_kept() -> None:
    clock = Clock()
    metrics, metric = Metrics(clock), Metric("N", "M")
    first = int(clock.now()) // MINUTE * MINUTE
    metrics.put(metric, 7, clock.now())
    for _ in range(1000):
        metrics.put(metric, 1, clock.now())
    assert metrics.values(metric, first, first + 2 * MINUTE).total == 1007
    clock.advance(KEPT_SECONDS + MINUTE)
    metrics.put(metric, 1, clock.now())
    assert metrics.values(metric, first, first + 2 * MINUTE) is None
    clock.stop()


def query(**changes: Any) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    return {"Id": "m", "MetricStat": stat | changes}


def test_points_are_newest_first_and_periods_may_span_minutes(engine: Lambda) -> None:
    start = int(engine.clock.now()) // 60 * 60
    for minute in (0, 1, 5):
        engine.functions.metrics.put(Metric("N", "M"), 10 + minute, start + minute * 60 + 30)
    answer = engine.clients.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query(), query(Period=300, Stat="Average") | {"Id": "wide", "Label": "wide one"}],
        StartTime=start + 20,
        EndTime=start + 600,
    )
    narrow, wide = answer["MetricDataResults"]
    assert narrow["Values"] == [15.0, 11.0, 10.0]
    assert [at.timestamp() - start for at in narrow["Timestamps"]] == [300, 60, 0]
    assert (wide["Values"], wide["Label"]) == ([15.0, 10.5], "wide one")


@pytest.mark.parametrize(
    ("queries", "named"),
    [
        ([{"Id": "e", "Expression": "m1 / m2"}], "Expression"),
        ([query(Stat="p99")], "p99"),
        ([query(Period=30)], "Period 30"),
        ([query(Unit="Count")], "Unit"),
        ([query() | {"Id": "M"}], "Id"),
        ([query(), query()], "Id of its own"),
    ],
)
def test_queries_that_the_engine_cannot_answer_are_refused_by_name(
    engine: Lambda, queries: list[dict[str, Any]], named: str
) -> None:
    client = engine.clients.client("cloudwatch")
    with pytest.raises(ClientError, match=named) as caught:
        client.get_metric_data(MetricDataQueries=queries, StartTime=0, EndTime=600)
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_what_the_engine_has_no_part_for_is_refused(engine: Lambda) -> None:
    assert refused(engine.clients.client("cloudwatch").list_metrics) == "InvalidAction"
