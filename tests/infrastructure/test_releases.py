"""What a release may do, what an alarm does, and that a rollout fits its machine and its claim."""

import json
from typing import Any

from lifecycle import names
from lifecycle.claims import DEPLOY_LEASE_SECONDS
from lifecycle.rollout import ALL_AT_ONCE, CANARY, Rollout
from stacks.deployment_machine import DeploymentFunctions, deployment_machine
from stacks.functions import PREDICT_SECONDS, PROBE_VERSION
from stacks.rollout_file import LONGEST_SECONDS, CanaryKeys, CanaryRollout, rollout_of
from tests.infrastructure.world import Assembly, flat, listed, statements

STACK = "perennial-dev-churn-serving"
PREDICT = names.predict_function("dev", "churn")


def granted(assembly: Assembly, function: str) -> list[tuple[str, str]]:
    """(action, resource) of everything that a function of the serving stack may do."""
    template = assembly.template(STACK)["Resources"]
    roles = [r for n, r in template.items() if r["Type"] == "AWS::IAM::Role" and n.startswith(f"{function}Role")]
    policies = [r for n, r in template.items() if r["Type"] == "AWS::IAM::Policy" and n.startswith(function)]
    return [
        (action, flat(resource))
        for role in (*roles, *policies)
        for statement in statements(role)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]


def who_may(assembly: Assembly, action: str) -> set[str]:
    functions = ("PlanDeployment", "PublishModel", "ProbeVersion", "ShiftTraffic", "JudgeRollout", "PromoteModel",
                 "WithdrawVersion", "CloseDeployment", "RollBack", "Predict")  # fmt: skip
    return {name for name in functions if action in {one for one, _ in granted(assembly, name)}}


def test_each_step_may_do_what_it_does_and_no_more(assembly: Assembly) -> None:
    assert who_may(assembly, "lambda:UpdateFunctionCode") == {"PublishModel"}
    assert who_may(assembly, "lambda:DeleteFunction") == {"PromoteModel"}
    assert who_may(assembly, "lambda:UpdateAlias") == {
        "PlanDeployment", "ShiftTraffic", "PromoteModel", "WithdrawVersion", "CloseDeployment", "RollBack",
    }  # fmt: skip
    assert who_may(assembly, "cloudwatch:GetMetricData") == {"JudgeRollout"}
    assert who_may(assembly, "dynamodb:PutItem") == {"PlanDeployment", "CloseDeployment"}
    assert who_may(assembly, "events:PutEvents") == {"PromoteModel", "RollBack"}


def test_only_who_asks_versions_may_invoke_the_predict_function(assembly: Assembly) -> None:
    asking = {
        name
        for name in who_may(assembly, "lambda:InvokeFunction")
        if any(action == "lambda:InvokeFunction" and PREDICT in arn for action, arn in granted(assembly, name))
    }
    # a promotion asks which endpoints are still needed, a withdrawal too
    assert asking == {"ProbeVersion", "PromoteModel", "RollBack", "WithdrawVersion"}


def test_the_judge_reads_its_own_models_log_only(assembly: Assembly) -> None:
    reads = [arn for action, arn in granted(assembly, "JudgeRollout") if action == "s3:GetObject"]
    assert [arn.rsplit("/", 2)[1:] for arn in reads] == [["churn", "*"]]
    assert "predictions/churn/" in reads[0]


def test_both_alarms_are_raised_by_failures_and_start_the_rollback(assembly: Assembly) -> None:
    template = assembly.template(STACK)["Resources"]
    alarms = {r["Properties"]["AlarmName"]: r["Properties"] for r in template.values() if r["Type"].endswith("::Alarm")}
    assert set(alarms) == {"perennial-dev-churn-errors", "perennial-dev-churn-failures"}
    own, ours = alarms["perennial-dev-churn-errors"], alarms["perennial-dev-churn-failures"]
    assert (own["Namespace"], own["MetricName"]) == ("AWS/Lambda", "Errors")
    assert {d["Name"]: d["Value"] for d in own["Dimensions"]} == {
        "FunctionName": PREDICT,
        "Resource": f"{PREDICT}:live",
    }
    assert (ours["Namespace"], ours["MetricName"]) == (names.METRIC_NAMESPACE, names.METRIC_REQUESTS_FAILED)
    assert {d["Name"]: d["Value"] for d in ours["Dimensions"]} == {"Stage": "dev", "Model": "churn"}
    assert {alarm["TreatMissingData"] for alarm in alarms.values()} == {"notBreaching"}
    for alarm in alarms.values():  # failures are heard of at any time, not only soon after a release
        assert "Topic" in flat(alarm["AlarmActions"][0])
        assert alarm["OKActions"] == alarm["AlarmActions"]
    [rule] = [
        r["Properties"]
        for r in template.values()
        if r["Type"] == "AWS::Events::Rule" and patterned(r).get("source") == ["aws.cloudwatch"]
    ]
    assert rule["EventPattern"]["detail"] == {"alarmName": list(alarms), "state": {"value": ["ALARM"]}}
    [target] = rule["Targets"]
    assert "RollBack" in flat(target["Arn"])
    assert target["DeadLetterConfig"]


def patterned(rule: dict[str, Any]) -> dict[str, Any]:
    return dict(rule["Properties"].get("EventPattern", {}))


def machine(rollout: Rollout) -> dict[str, Any]:
    arns = {name: f"arn:{name}" for name in DeploymentFunctions.__dataclass_fields__}
    return deployment_machine(DeploymentFunctions(**arns), rollout)


def test_an_execution_outlasts_its_rollout_and_the_claim_outlasts_the_execution() -> None:
    longest = Rollout(steps=(1, 2), step_minutes=240, max_holds=1)
    for rollout in (CANARY, ALL_AT_ONCE, longest):
        limit = machine(rollout)["TimeoutSeconds"]
        assert rollout.longest_seconds < limit < DEPLOY_LEASE_SECONDS
    assert LONGEST_SECONDS + 3600 < DEPLOY_LEASE_SECONDS


def test_every_step_gives_way_before_it_fails() -> None:
    tasks = [state for state in machine(CANARY)["States"].values() if state["Type"] == "Task"]
    assert len(tasks) == 7
    for task in tasks:
        assert [entry["ErrorEquals"] for entry in task["Catch"]] == [["Overtaken"], ["States.ALL"]]
        assert "Overtaken" not in json.dumps(task["Retry"])


def test_a_probe_outlasts_versions_that_hang() -> None:
    assert PROBE_VERSION.seconds > 8 * PREDICT_SECONDS


def test_model_yaml_says_how_a_release_rolls_out() -> None:
    assert rollout_of("canary") == CANARY
    assert rollout_of("all-at-once").steps == ()
    own = CanaryRollout(canary=CanaryKeys(steps=[5, 25], min_rows=500))
    assert rollout_of(own) == Rollout(steps=(5, 25), min_rows=500)
    assert CanaryKeys().rollout == CANARY, "the defaults stand in two places and must agree"
