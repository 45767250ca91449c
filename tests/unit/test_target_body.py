"""What the one end-to-end body rests on: its refusals, what it may cost, shapes of events, templates beside facts."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.target import asked, on_localstack, shapes, spending
from tests.target.on_aws import JOBS, Allowance
from tests.target.recorder import ACCOUNT, anonymous

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("account", "limit", "said"),
    [
        (None, 5.0, "--account"),
        ("12345", 5.0, "--account"),
        ("123456789012", None, "--limit"),
        ("123456789012", 0.5, "--limit"),
    ],
)
def test_aws_is_refused_without_an_account_and_a_sufficient_limit(
    account: str | None, limit: float | None, said: str
) -> None:
    with pytest.raises(pytest.UsageError, match=said):
        Allowance.of(account, limit)


def test_a_resource_in_name_only_fails_the_lane_unless_its_service_is_known_to_be_missing() -> None:
    planted = {"perennial-dev/Queue": "AWS::SQS::Queue", "perennial-dev/Group": "AWS::SageMaker::ModelPackageGroup"}
    assert on_localstack.unexpected(planted) == {"perennial-dev/Queue": "AWS::SQS::Queue"}


def test_five_dollars_are_enough_for_the_body_as_it_is() -> None:
    assert Allowance.of("123456789012", 5.0).account == "123456789012"


def test_the_worst_case_grows_with_every_minute_and_job() -> None:
    least = spending.worst(JOBS)
    assert spending.worst(spending.Jobs(count=JOBS.count, minutes=JOBS.minutes + 60)) > least
    assert spending.worst(spending.Jobs(count=JOBS.count + 1, minutes=JOBS.minutes)) > least


def test_an_instance_without_a_known_price_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ml\.p5"):
        spending.worst(spending.Jobs(count=1, minutes=1, instance="ml.p5.48xlarge"))


def test_the_command_line_refuses_aws_before_anything_is_made() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--target", "aws", "tests/target"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "name the account that may be used" in ran.stderr


def event(**detail: Any) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "6f1a8c52-0c1f-4d7e-9a43-3d2b1f0e7c55",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-01-31T12:00:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:s3:::bucket"],
        "detail": detail,
    }


STORED = {"from": "the documentation", "optional": ["detail.more"], "event": event(key="a", size=1, tags=["x"])}


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (event(key="b", size=2, tags=["y", "z"]), []),
        (event(key="b", size=2, tags=["y"], more={"left": "out"}), []),
        (event(key="b", tags=["y"]), ["detail.size is missing"]),
        (event(key="b", size="2", tags=["y"]), ["detail.size is text, not number"]),
        (event(key="b", size=2, tags=["y"], new=True), ["detail.new is not in the documentation"]),
        (event(key="b", size=2, tags=["y"]) | {"id": "same"}, ["id is 'same', not a UUID"]),
    ],
)
def test_a_shape_differs_by_what_is_missing_new_or_of_another_kind(found: dict[str, Any], wrong: list[str]) -> None:
    assert shapes.differences(found, STORED) == wrong


def test_every_fixture_has_the_shape_of_itself_and_says_where_it_is_from() -> None:
    for path in shapes.FOLDER.glob("*.json"):
        stored = shapes.read(path)
        assert shapes.fixture(stored["event"]) == path
        assert shapes.differences(stored["event"], stored) == []
        assert stored["from"]
        assert stored["event"]["account"] == ACCOUNT


def test_what_is_recorded_does_not_tell_whose_it_was() -> None:
    told = event(
        requester="111122223333", arn="arn:aws:s3:us-east-1:111122223333:x", **{"source-ip-address": "8.8.8.8"}
    )
    text = str(anonymous(told))
    assert "111122223333" not in text
    assert "8.8.8.8" not in text


def test_a_recorded_event_replaces_the_fixture_of_its_kind_and_keeps_what_is_optional(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes, "FOLDER", tmp_path)
    shapes.write(event(key="a"), "the documentation")
    path = tmp_path / "aws.s3-object-created.json"
    path.write_text(path.read_text().replace('"optional": []', '"optional": ["detail.more"]'))
    assert shapes.write(event(key="b"), "aws") == path
    assert shapes.read(path)["event"]["detail"] == {"key": "b"}
    assert shapes.read(path)["optional"] == ["detail.more"]


PHYSICAL = {"Queue": "https://sqs.us-east-1.amazonaws.com/1/queue-1a", "Bucket": "bucket-2b"}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"VisibilityTimeout": 720}, {"VisibilityTimeout": "720", "More": "1"}),
        ({"Enabled": True}, {"Enabled": "true"}),
        ({"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}, {"Arn": "arn:aws:sqs:us-east-1:1:queue-1a"}),
        ({"Name": [{"Ref": "Bucket"}]}, {"Name": ["bucket-2b"]}),
    ],
)
def test_what_is_there_as_asked_is_no_difference(wanted: Any, found: Any) -> None:
    assert asked.differences(wanted, found, PHYSICAL) == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"VisibilityTimeout": 720}, {"VisibilityTimeout": "30"}),
        ({"VisibilityTimeout": 720}, {}),
        ({"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}, {"Arn": "arn:aws:sqs:us-east-1:1:another"}),
        ({"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}, {"Arn": "unknown"}),
        ({"Name": [{"Ref": "Bucket"}]}, {"Name": []}),
        ({"Role": {"Fn::ImportValue": "role"}}, {}),
    ],
)
def test_what_is_not_there_as_asked_is_a_difference(wanted: Any, found: Any) -> None:
    assert len(asked.differences(wanted, found, PHYSICAL)) == 1
