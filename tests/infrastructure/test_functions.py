"""Functions get what their settings ask for, fit Lambda's limits, and the live alias is never touched by a deploy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifecycle import names, settings
from lifecycle.names import ENVIRONMENT_BYTES
from stacks.constructs.function import POWERTOOLS
from stacks.functions import CUT_VERSION
from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import FIXTURES, ROOT, Assembly, flat

SETTINGS = {
    "cut_version": settings.CutVersion,
    "record_event": settings.RecordEvent,
    "refuse_route": settings.Settings,
    "describe_api": settings.DescribeApi,
    "start_run": settings.StartRun,
    "profile_objects": settings.Run,
    "validate_version": settings.Run,
    "replay_candidate": settings.Run,
    "register_model": settings.RegisterModel,
    "close_run": settings.CloseRun,
    "plan_deployment": settings.Deploy,
    "promote_model": settings.Deploy,
    "close_deployment": settings.Deploy,
    "probe_version": settings.Deploy,
    "shift_traffic": settings.Deploy,
    "judge_rollout": settings.JudgeRollout,
    "publish_model": settings.PublishModel,
    "withdraw_version": settings.Deploy,
    "roll_back": settings.Deploy,
    "predict": settings.Predict,
    "record_feedback": settings.RecordFeedback,
    "read_feedback": settings.ReadFeedback,
    "monitor_model": settings.Monitor,
    "judge_live": settings.JudgeLive,
    "decide_retraining": settings.Retrain,
}


def functions(assembly: Assembly) -> list[tuple[str, dict[str, Any]]]:
    return [
        (function["Properties"]["Handler"].split(".")[1], function["Properties"])
        for _, _, function in assembly.resources("AWS::Lambda::Function")
    ]


def test_every_function_has_the_variables_of_its_settings_and_no_others(assembly: Assembly) -> None:
    assert {module for module, _ in functions(assembly)} == set(SETTINGS)
    for module, properties in functions(assembly):
        wanted = {name.upper() for name in SETTINGS[module].__dataclass_fields__}
        assert set(properties["Environment"]["Variables"]) == wanted | set(POWERTOOLS), module


def test_environments_fit_lambda_with_room_for_long_names(assembly: Assembly) -> None:
    for module, properties in functions(assembly):
        size = sum(
            len(name) + max(len(flat(value)), 128) for name, value in properties["Environment"]["Variables"].items()
        )
        assert size < ENVIRONMENT_BYTES, module


def test_every_handler_is_a_function_of_its_own_package(assembly: Assembly) -> None:
    for stack, _, function in assembly.resources("AWS::Lambda::Function"):
        properties = function["Properties"]
        package, module, name = properties["Handler"].split(".")
        source = assembly.asset(stack, properties["Code"]["S3Key"]) / package / f"{module}.py"
        assert f"def {name}(" in source.read_text()


def test_all_functions_run_what_the_training_image_runs(assembly: Assembly) -> None:
    for module, properties in functions(assembly):
        assert (properties["Runtime"], properties["Architectures"]) == ("python3.12", ["x86_64"]), module
        assert properties["LoggingConfig"]["LogFormat"] == "Text"


def test_a_slow_look_is_not_seen_twice(assembly: Assembly) -> None:
    """AWS advises a visibility of six times the function's time-out."""
    queues = [queue["Properties"] for _, _, queue in assembly.resources("AWS::SQS::Queue")]
    (looks,) = [queue for queue in queues if "RedrivePolicy" in queue]
    assert looks["VisibilityTimeout"] >= 6 * CUT_VERSION.seconds
    assert "DelaySeconds" not in looks, "a _READY object cuts at once"
    assert looks["RedrivePolicy"]["maxReceiveCount"] * 10 > 3600, (
        "a message that waits ten seconds each time lasts an hour"
    )
    ((_, _, mapping),) = assembly.resources("AWS::Lambda::EventSourceMapping")
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_the_api_calls_the_alias_and_waits_less_than_the_gateway(assembly: Assembly) -> None:
    template = assembly.template("perennial-dev-churn-serving")
    (alias,) = [name for name, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::Alias"]
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::ApiGatewayV2::Integration":
            called = flat(resource["Properties"]["IntegrationUri"])
            assert called == f"<{alias}>" or called.startswith("<RecordFeedbackFunction")
            assert resource["Properties"]["PayloadFormatVersion"] == "2.0"
            assert resource["Properties"]["TimeoutInMillis"] <= 29_000
    (predict,) = [
        p for module, p in functions(assembly) if p.get("FunctionName") == names.predict_function("dev", "churn")
    ]
    assert predict["Timeout"] <= 29
    assert predict["MemorySize"] == 1024, "as model.yaml says"


def test_first_version_and_alias_are_constant(assembly: Assembly) -> None:
    template = assembly.template("perennial-dev-price-serving")
    found = {
        name: r
        for name, r in template["Resources"].items()
        if r["Type"] in ("AWS::Lambda::Version", "AWS::Lambda::Alias")
    }
    assert found == {
        "FirstVersion": {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "PredictFunction8CC5C55C"}},
        },
        "Live": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "Name": "live",
                "FunctionName": {"Ref": "PredictFunction8CC5C55C"},
                "FunctionVersion": {"Fn::GetAtt": ["FirstVersion", "Version"]},
            },
        },
    }


def test_new_code_changes_nothing_of_predict_but_its_code_key(
    home: Path, copy_model: Callable[[str], Path], tmp_path: Path
) -> None:
    features = copy_model("churn") / "features.py"
    synthesize(Project(code=ROOT, home=home), stage="dev", outdir=tmp_path / "before")
    features.write_bytes(features.read_bytes() + b"\n# changed\n")
    synthesize(Project(code=ROOT, home=home), stage="dev", outdir=tmp_path / "after")
    stack = "perennial-dev-churn-serving"
    before, after = (Assembly(tmp_path / name).template(stack)["Resources"] for name in ("before", "after"))
    changed = {name for name in before if before[name] != after[name]}
    assert set(before) == set(after)
    kinds = {before[name]["Type"] for name in changed}
    assert kinds == {"AWS::Lambda::Function", "AWS::IAM::Role"}
    for name in changed:
        was, now = before[name]["Properties"], after[name]["Properties"]
        if before[name]["Type"] == "AWS::IAM::Role":
            assert name.startswith("PublishModel"), "it may read the predict function's new package instead of the old"
        elif was.get("FunctionName") == names.predict_function("dev", "churn"):
            assert {key for key in was if was[key] != now[key]} == {"Code"}


def test_functions_that_events_start_hand_over_what_fails(assembly: Assembly) -> None:
    configured = list(assembly.resources("AWS::Lambda::EventInvokeConfig"))
    assert len(configured) == 3 * 7
    for _, _, config in configured:
        assert "Undelivered" in flat(config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"])


def test_every_rule_has_a_dead_letter_queue(assembly: Assembly) -> None:
    rules = list(assembly.resources("AWS::Events::Rule"))
    # uploads; per model: run ended, approved, updated, ended, alarmed, labels, schedule, judged, looked, raised,
    # and each machine looked at weekly; two on upload
    assert len(rules) == 1 + 3 * (1 + 5 + 4 + 2) + 2
    for stack, name, rule in rules:
        for target in rule["Properties"]["Targets"]:
            assert target["DeadLetterConfig"]["Arn"], (stack, name)


def test_uploads_and_nothing_else_reach_the_look_queue(assembly: Assembly) -> None:
    (rule,) = [r for stack, _, r in assembly.resources("AWS::Events::Rule") if stack == "perennial-dev-shared"]
    detail = rule["Properties"]["EventPattern"]["detail"]
    assert detail["object"] == {"key": [{"prefix": "incoming/"}]}
    (target,) = rule["Properties"]["Targets"]
    assert target["InputTransformer"] == {
        "InputPathsMap": {"key": "$.detail.object.key"},
        "InputTemplate": '{"key": <key>}',
    }
    (bucket,) = [
        r["Properties"]
        for _, name, r in assembly.resources("AWS::S3::Bucket")
        if {"Ref": name} == detail["bucket"]["name"][0]
    ]
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_stacks_whose_names_begin_alike_do_not_start_each_others_deployment(assembly: Assembly) -> None:
    rules = [
        r["Properties"]["EventPattern"]
        for stack, _, r in assembly.resources("AWS::Events::Rule")
        if stack == "perennial-dev-churn-serving" and "EventPattern" in r["Properties"]
    ]
    (detail,) = [rule["detail"] for rule in rules if rule["source"] == ["aws.cloudformation"]]
    exact, beginning = detail["stack-id"]
    assert flat(exact).endswith(":stack/perennial-dev-churn-serving")
    assert flat(beginning["prefix"]).endswith(":stack/perennial-dev-churn-serving/")
    assert detail["status-details"] == {"status": ["UPDATE_COMPLETE"]}


def test_claims_never_expire_by_themselves(assembly: Assembly) -> None:
    tables = [table["Properties"] for _, _, table in assembly.resources("AWS::DynamoDB::Table")]
    assert len(tables) == 3
    for table in tables:
        assert "TimeToLiveSpecification" not in table
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_fixture_models_are_the_ones_that_are_deployed(assembly: Assembly) -> None:
    models = {path.parent.name for path in FIXTURES.glob("models/*/model.yaml")}
    groups = {
        group["Properties"]["ModelPackageGroupName"]
        for _, _, group in assembly.resources("AWS::SageMaker::ModelPackageGroup")
    }
    assert groups == {f"perennial-dev-{model}" for model in models}
