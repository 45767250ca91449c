"""Alarms of the laptop engine, through a client: evaluated on engine time, heard of by events, on change only."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloudwatch.alarm_actions import Actions
from local.cloudwatch.metrics import Metric, Metrics
from local.cloudwatch.service import CloudWatch
from tests.local.core_world import REGION, World, eventually, world

ERRORS = Metric("AWS/Lambda", "Errors", frozenset({("FunctionName", "f")}))
ASKED: dict[str, Any] = {
    "AlarmName": "errors",
    "AlarmDescription": "f fails",
    "Namespace": "AWS/Lambda",
    "MetricName": "Errors",
    "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 2,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "TreatMissingData": "notBreaching",
}
PATTERN = {"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"]}


@dataclass
class Watched:
    """An engine with metrics and alarms, and a queue that hears of every change."""

    engine: World
    metrics: Metrics
    url: str
    heard: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        return self.engine.client("cloudwatch")

    def put(self, **changes: Any) -> None:
        self.client.put_metric_alarm(**ASKED | changes)

    def fail(self, times: int) -> None:
        """As many errors in the minute that begins now, whatever the second."""
        clock = self.engine.clock
        clock.advance(60 - clock.now() % 60 + 1)
        for _ in range(times):
            self.metrics.put(ERRORS, 1, clock.now())

    def state(self) -> str:
        return str(self.client.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]["StateValue"])

    def becomes(self, state: str) -> None:
        """Let single minutes pass until the alarm is in `state`, at most ten."""
        for _ in range(10):
            if self.state() == state:
                return
            self.engine.clock.advance(60)
            time.sleep(0.15)
        raise AssertionError(f"{self.state()}, not {state}")

    def changes(self, count: int) -> list[dict[str, Any]]:
        """All events so far, once there are `count`; each once, for the queue shows them again as time passes."""

        def receive() -> list[dict[str, Any]] | None:
            for message in self.engine.received(self.url):
                event = json.loads(message["Body"])
                self.heard[event["id"]] = event
            return list(self.heard.values()) if len(self.heard) >= count else None

        return sorted(eventually(receive, f"{count} events"), key=lambda event: event["detail"]["state"]["timestamp"])


@pytest.fixture
def watched() -> Iterator[Watched]:
    with world() as engine:
        metrics = Metrics(engine.clock)
        actions = Actions(engine.clients, engine.authority)
        watch = CloudWatch(actions, metrics, engine.clock, engine.bus.emit, REGION)
        engine.dispatch.register(watch.operations())
        url, arn = engine.queue("changes")
        engine.rule(PATTERN, arn)
        yield Watched(engine, metrics, url)
        watch.stop()


def test_an_alarm_begins_without_data_and_says_so(watched: Watched) -> None:
    watched.put()
    (found,) = watched.client.describe_alarms(AlarmNames=["errors"])["MetricAlarms"]
    assert found["StateValue"] == "INSUFFICIENT_DATA"
    assert found["AlarmArn"] == "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
    assert {name: found[name] for name in ASKED} == ASKED
    assert found["DatapointsToAlarm"] == 1
    assert found["StateReason"] == "Unchecked: Initial alarm creation"


def test_states_follow_the_data_and_each_change_is_one_event(watched: Watched) -> None:
    watched.put()
    watched.becomes("OK")
    watched.fail(3)
    watched.becomes("ALARM")
    watched.fail(3)
    watched.engine.clock.advance(60)
    time.sleep(0.2)
    assert watched.state() == "ALARM"
    watched.becomes("OK")
    first, alarm, ok = watched.changes(3)
    time.sleep(0.2)
    assert len(watched.changes(3)) == 3
    assert first["detail"]["previousState"]["value"] == "INSUFFICIENT_DATA"
    assert ok["detail"]["state"]["value"] == "OK"
    assert alarm["resources"] == ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"]
    detail = alarm["detail"]
    assert set(detail) == {"alarmName", "configuration", "previousState", "state"}
    assert (detail["alarmName"], detail["state"]["value"], detail["previousState"]["value"]) == (
        "errors",
        "ALARM",
        "OK",
    )
    assert set(detail["state"]) == {"value", "reason", "reasonData", "timestamp"}
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [3.0]
    assert detail["configuration"]["description"] == "f fails"
    (metric,) = detail["configuration"]["metrics"]
    assert metric["returnData"] is True
    assert metric["metricStat"] == {
        "metric": {"namespace": "AWS/Lambda", "name": "Errors", "dimensions": {"FunctionName": "f"}},
        "period": 60,
        "stat": "Sum",
    }


def test_values_below_the_threshold_or_of_other_functions_do_not_alarm(watched: Watched) -> None:
    watched.put()
    watched.becomes("OK")
    watched.fail(1)
    other = Metric("AWS/Lambda", "Errors", frozenset({("FunctionName", "g")}))
    for _ in range(9):
        watched.metrics.put(other, 1, watched.engine.clock.now())
    for _ in range(4):
        watched.engine.clock.advance(60)
        time.sleep(0.1)
    assert watched.state() == "OK"
    assert len(watched.changes(1)) == 1


def test_every_minute_is_judged_however_far_time_jumps(watched: Watched) -> None:
    watched.put()
    watched.becomes("OK")
    watched.fail(3)
    watched.engine.clock.advance(3 * 86_400)
    changes = watched.changes(3)
    assert [one["detail"]["state"]["value"] for one in changes] == ["OK", "ALARM", "OK"]
    assert watched.state() == "OK"


def test_an_alarm_that_rests_lets_idle_time_run_and_a_wakened_one_stops_it_in_time(watched: Watched) -> None:
    watched.put()
    watched.becomes("OK")
    clock = watched.engine.clock
    clock.set_idle_speed(50_000)
    clock.start()
    before = clock.now()
    assert eventually(lambda: clock.now() > before + 86_400, "a day of engine time")
    with clock.hold():
        watched.fail(3)
        failed = clock.now()
    changes = watched.changes(3)
    clock.set_idle_speed(1)
    assert [one["detail"]["state"]["value"] for one in changes] == ["OK", "ALARM", "OK"]
    at = [datetime.fromisoformat(one["detail"]["state"]["timestamp"]).timestamp() for one in changes]
    # the end of the minute with the errors, and the end of the first one that does not look back on it any more
    assert at[1] == failed // 60 * 60 + 60
    assert at[2] == at[1] + 3 * 60


def test_an_alarm_can_be_changed_and_deleted(watched: Watched) -> None:
    watched.put(Tags=[{"Key": "stage", "Value": "dev"}])
    watched.becomes("OK")
    watched.put(Threshold=100)
    (found,) = watched.client.describe_alarms()["MetricAlarms"]
    assert (found["Threshold"], found["StateValue"]) == (100.0, "OK")
    tags = watched.client.list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    assert tags == [{"Key": "stage", "Value": "dev"}]
    watched.client.delete_alarms(AlarmNames=["errors"])
    assert watched.client.describe_alarms(AlarmNames=["errors"])["MetricAlarms"] == []
    with pytest.raises(ClientError, match="errors"):
        watched.client.delete_alarms(AlarmNames=["errors"])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"AlarmActions": ["arn:aws:automate:us-east-1:ec2:stop"]}, "topics, not arn:aws:automate"),
        ({"OKActions": ["arn:aws:lambda:us-east-1:123456789012:function:f"]}, "topics, not arn:aws:lambda"),
        ({"InsufficientDataActions": ["arn:aws:sns:us-east-1:123456789012:t"]}, "InsufficientDataActions"),
        ({"ExtendedStatistic": "p99"}, "ExtendedStatistic"),
        ({"Metrics": []}, "Metrics"),
        ({"Unit": "Count"}, "Unit"),
        ({"Period": 30}, "Period 30"),
        ({"EvaluationPeriods": 1441}, "more than 86400 seconds"),
        ({"Period": 3600, "EvaluationPeriods": 169}, "more than 604800 seconds"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm 2"),
        ({"TreatMissingData": "never"}, "TreatMissingData never"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "ComparisonOperator"),
    ],
)
def test_what_cloudwatch_or_the_engine_cannot_watch_is_refused_by_name(
    watched: Watched, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(ClientError, match=named) as caught:
        watched.put(**change)
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def topic(watched: Watched, *principals: str, key: str = "") -> tuple[str, str]:
    """A topic whose policy lets services publish, and the queue where its messages arrive."""
    sns, (url, arn) = watched.engine.client("sns"), watched.engine.queue("told")
    made = str(sns.create_topic(Name="notices", Attributes={"KmsMasterKeyId": key} if key else {})["TopicArn"])
    allowed = {"Effect": "Allow", "Principal": {"Service": list(principals)}, "Action": "sns:Publish", "Resource": made}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sns.set_topic_attributes(TopicArn=made, AttributeName="Policy", AttributeValue=policy)
    sns.subscribe(TopicArn=made, Protocol="sqs", Endpoint=arn)
    return made, url


def told_by(watched: Watched, url: str) -> list[dict[str, Any]]:
    """The messages that a topic's queue holds, the first one first."""
    return [json.loads(json.loads(message["Body"])["Message"]) for message in watched.engine.received(url)]


def changes_of(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["OldStateValue"], one["NewStateValue"]) for one in told]


def test_a_topic_is_told_of_each_change_once_and_of_the_recovery(watched: Watched) -> None:
    arn, url = topic(watched, "cloudwatch.amazonaws.com")
    watched.put(AlarmActions=[arn], OKActions=[arn])
    watched.becomes("OK")
    watched.fail(3)
    watched.becomes("ALARM")
    watched.fail(5)
    watched.engine.clock.advance(60)
    time.sleep(0.2)
    assert watched.state() == "ALARM", "it stays bad, and nobody is told again"
    watched.becomes("OK")
    told = told_by(watched, url)
    assert changes_of(told) == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "OK")]
    assert told[1]["AlarmName"] == "errors"
    assert told[1]["Trigger"]["MetricName"] == "Errors"
    assert "Threshold Crossed" in told[1]["NewStateReason"]


def test_a_topic_that_lets_no_alarm_publish_hears_nothing(watched: Watched) -> None:
    arn, url = topic(watched, "events.amazonaws.com")
    watched.put(AlarmActions=[arn], OKActions=[arn])
    watched.becomes("OK")
    assert watched.engine.received(url) == []


def key_for(watched: Watched, *actions: str) -> str:
    """A key whose policy lets alarms do these things with it."""
    root = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    service = {"Service": "cloudwatch.amazonaws.com"}
    alarms = [{"Effect": "Allow", "Principal": service, "Action": list(actions), "Resource": "*"}] if actions else []
    policy = json.dumps({"Version": "2012-10-17", "Statement": [root, *alarms]})
    return str(watched.engine.client("kms").create_key(Policy=policy)["KeyMetadata"]["KeyId"])


@pytest.mark.parametrize(
    ("actions", "heard"),
    [(("kms:Decrypt", "kms:GenerateDataKey*"), 1), (("kms:Decrypt",), 0), ((), 0)],
    ids=["whole", "half", "none"],
)
def test_an_encrypted_topic_is_told_only_with_its_key(watched: Watched, actions: tuple[str, ...], heard: int) -> None:
    arn, url = topic(watched, "cloudwatch.amazonaws.com", key=key_for(watched, *actions))
    watched.put(AlarmActions=[arn], OKActions=[arn])
    watched.becomes("OK")
    assert len(watched.engine.received(url)) == heard


def test_an_alarm_whose_data_end_has_insufficient_data_again_and_tells_nobody_of_it(watched: Watched) -> None:
    arn, url = topic(watched, "cloudwatch.amazonaws.com")
    watched.put(AlarmActions=[arn], OKActions=[arn], TreatMissingData="missing")
    watched.fail(3)
    watched.becomes("ALARM")
    watched.becomes("INSUFFICIENT_DATA")
    assert changes_of(told_by(watched, url)) == [("INSUFFICIENT_DATA", "ALARM")]
    assert [one["detail"]["state"]["value"] for one in watched.changes(2)] == ["ALARM", "INSUFFICIENT_DATA"]


def test_a_judged_value_holds_until_the_next_and_is_told_once(watched: Watched) -> None:
    arn, url = topic(watched, "cloudwatch.amazonaws.com")
    judged = {"Period": 300, "EvaluationPeriods": 1, "TreatMissingData": "ignore", "Threshold": 1.0}
    judged |= {"AlarmActions": [arn], "OKActions": [arn]}
    watched.put(**judged, Namespace="Perennial", MetricName="FeaturesDrifted", Dimensions=[], Statistic="Maximum")

    def look(drifted: float, worst: float) -> None:
        at = datetime.fromtimestamp(watched.engine.clock.now(), UTC)
        data = [{"MetricName": "FeaturesDrifted", "Timestamp": at, **values(300, drifted, 0.0, worst)}]
        watched.client.put_metric_data(Namespace="Perennial", MetricData=data)

    look(2, 7.5)
    watched.becomes("ALARM")
    for _ in range(4):
        watched.engine.clock.advance(3_000)
    assert watched.state() == "ALARM", "hours without a look change nothing"
    look(5, 40.0)
    watched.engine.clock.advance(3_600)
    time.sleep(0.15)
    look(0, 0.2)
    watched.becomes("OK")
    told = told_by(watched, url)
    assert changes_of(told) == [("INSUFFICIENT_DATA", "ALARM"), ("ALARM", "OK")]
    assert "[7.5 " in told[0]["NewStateReason"]


def test_alarms_of_alarms_are_refused_by_name(watched: Watched) -> None:
    with pytest.raises(ClientError, match="no monitoring:PutCompositeAlarm"):
        watched.client.put_composite_alarm(AlarmName="both", AlarmRule="ALARM(errors)")


def values(count: float, total: float, least: float, most: float) -> dict[str, Any]:
    return {"StatisticValues": {"SampleCount": count, "Sum": total, "Minimum": least, "Maximum": most}}


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({"Value": 1.0, "Timestamp": datetime(2013, 4, 1, tzinfo=UTC)}, "InvalidParameterValue"),
        ({"Value": 1.0, **values(1, 1, 1, 1)}, "InvalidParameterCombination"),
        ({}, "InvalidParameterCombination"),
        (values(0, 0, 0, 0), "InvalidParameterValue"),
        (values(1, 0, 2, 1), "InvalidParameterValue"),
        ({"Value": float("inf")}, "InvalidParameterValue"),
        ({"Values": [1.0], "Counts": [1.0]}, "ValidationError"),
    ],
)
def test_metrics_that_cloudwatch_does_not_take_are_refused(watched: Watched, datum: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        watched.client.put_metric_data(Namespace="Perennial", MetricData=[{"MetricName": "m", **datum}])
    assert refused.value.response["Error"]["Code"] == code


def test_a_statistic_set_is_its_sum_count_and_extremes(watched: Watched) -> None:
    data = [{"MetricName": "Quality", **values(4, 2, 0.1, 0.9)}]
    watched.client.put_metric_data(Namespace="Perennial", MetricData=data)
    now = int(watched.engine.clock.now()) // 60 * 60
    kept = watched.metrics.values(Metric("Perennial", "Quality"), now - 60, now + 120)
    assert kept is not None
    assert [kept.statistic(name) for name in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")] == [
        4, 2, 0.5, 0.1, 0.9,
    ]  # fmt: skip
