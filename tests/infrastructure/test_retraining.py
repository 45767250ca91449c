"""What asks whether a model is trained anew, as the templates say it, and what the one who decides may do."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lifecycle import names
from tests.infrastructure.test_monitoring import synthesized
from tests.infrastructure.world import Assembly, flat, listed, statements

CHURN = names.training_stack("dev", "churn")


def decider_of(template: dict[str, Any]) -> str:
    return str(template["Outputs"][names.OUTPUT_RETRAIN]["Value"]["Ref"])


def asked_by(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rules whose target is the function that decides."""
    name = decider_of(template)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Events::Rule" and any(
            name in flat(target["Arn"]) for target in resource["Properties"]["Targets"]
        ):
            yield resource["Properties"]


def kinds(template: dict[str, Any]) -> set[str]:
    return {r.get("ScheduleExpression") or r["EventPattern"]["detail-type"][0] for r in asked_by(template)}


def allowed(template: dict[str, Any]) -> set[str]:
    roles = [r for n, r in template["Resources"].items() if n.startswith("DecideRetrainingRole")]
    own = [one for role in roles if role["Type"] == "AWS::IAM::Role" for one in statements(role)]
    return {action for one in own for action in listed(one["Action"])}


def test_alarms_that_are_raised_and_each_look_ask(assembly: Assembly) -> None:
    template = assembly.template(CHURN)
    assert kinds(template) == {names.MODEL_MONITORED, names.ALARM_CHANGED}
    (raised,) = [r for r in asked_by(template) if r["EventPattern"]["detail-type"] == [names.ALARM_CHANGED]]
    detail = raised["EventPattern"]["detail"]
    assert detail["state"] == {"value": ["ALARM"]}
    wanted = (names.ALERT_DRIFT, names.ALERT_QUALITY, names.ALERT_SCORES)
    assert sorted(detail["alarmName"]) == sorted(names.alarm("dev", "churn", what) for what in wanted)


def test_who_learns_nothing_from_feedback_may_read_no_labels_and_upload_nothing(assembly: Assembly) -> None:
    actions = allowed(assembly.template(CHURN))
    assert "states:StartExecution" in actions
    assert not actions & {"dynamodb:Query", "s3:DeleteObject", "sagemaker:CreateTrainingJob", "lambda:UpdateAlias"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"on_alarm": False, "every_days": 7}, {names.MODEL_MONITORED, "rate(7 days)"}),
        (
            {"learn_from_feedback": True, "on_upload": False},
            {names.MODEL_MONITORED, names.ALARM_CHANGED, names.VERSION_CUT},
        ),
    ],
)
def test_model_yaml_says_what_else_asks(
    home: Path, copy_model: Callable[[str], Path], tmp_path: Path, said: dict[str, Any], expected: set[str]
) -> None:
    templates = synthesized(home, copy_model, tmp_path / "out", retraining=said)
    template = templates[names.training_stack("dev", "segment")]
    assert kinds(template) == expected
    assert ("s3:DeleteObject" in allowed(template)) == ("learn_from_feedback" in said)
