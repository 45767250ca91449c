"""What watches a model: how much of it there is, whom it tells, and what it may do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lifecycle import names
from stacks.closers import LOOK
from stacks.monitoring_stack import schedule
from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import ROOT, Assembly, flat, listed, statements

STACK = names.monitoring_stack("dev", "churn")  # a model of 300 columns
MODEL_STACKS = (names.training_stack("dev", "churn"), names.serving_stack("dev", "churn"), STACK)


def of_model(assembly: Assembly, kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for stack, name, one in assembly.resources(kind) if stack in MODEL_STACKS}


def types(assembly: Assembly) -> set[str]:
    return {one["Type"] for template in assembly.templates.values() for one in template["Resources"].values()}


def plotted(assembly: Assembly) -> list[list[Any]]:
    """Every line of the dashboard: namespace, metric, dimension, value, ..., settings."""
    (board,) = of_model(assembly, "AWS::CloudWatch::Dashboard").values()
    body = json.loads(flat(board["DashboardBody"]))
    return [line for widget in body["widgets"] for line in widget["properties"]["metrics"]]


def custom_metrics(assembly: Assembly) -> set[str]:
    found = {
        a["MetricName"] for a in of_model(assembly, "AWS::CloudWatch::Alarm").values() if a["Namespace"] == "Perennial"
    }
    found |= {line[1] for line in plotted(assembly) if line[0] == "Perennial"}
    for one in of_model(assembly, "AWS::Logs::MetricFilter").values():
        found |= {made["MetricName"] for made in one["MetricTransformations"]}
    return found


def test_three_hundred_columns_make_ten_metrics_and_no_more_than_eight_alarms(assembly: Assembly) -> None:
    codes = [one["Code"] for name, one in of_model(assembly, "AWS::Lambda::Function").items() if "Monitor" in name]
    (spec,) = assembly.asset(STACK, codes[0]["S3Key"]).glob("spec-*.json")
    assert len(json.loads(spec.read_text())["contract"]["columns"]) >= 300
    assert custom_metrics(assembly) == {
        "FeaturesDrifted", "WorstMissing", "ScoreDrift", "Quality", "QualityDrop", "EstimatedQuality", "LabelCoverage",
        "Staleness", "RequestsFailed", "ColdStarts-dev-churn",
    }  # fmt: skip
    assert len(custom_metrics(assembly)) == 10
    assert len(of_model(assembly, "AWS::CloudWatch::Alarm")) <= 8


def test_no_metric_has_a_version_or_a_column_as_its_dimension(assembly: Assembly) -> None:
    named = [d["Name"] for a in of_model(assembly, "AWS::CloudWatch::Alarm").values() for d in a["Dimensions"]]
    for line in plotted(assembly):
        named += [word for word in line[2:-1:2] if isinstance(word, str)]
    assert set(named) == {"Stage", "Model", "FunctionName", "Resource"}


def test_each_alert_is_an_alarm_that_tells_people_when_it_begins_and_ends(assembly: Assembly) -> None:
    alarms = {flat(a["AlarmName"]): a for a in of_model(assembly, "AWS::CloudWatch::Alarm").values()}
    assert set(alarms) == {
        names.alarm("dev", "churn", what) for what in (*names.ALERTS, "monitor", "errors", "failures")
    }
    for what in (*names.ALERTS, "monitor"):
        alarm = alarms[names.alarm("dev", "churn", what)]
        assert "Topic" in flat(alarm["AlarmActions"][0])
        assert alarm["OKActions"] == alarm["AlarmActions"]
        assert alarm["Period"] * alarm["EvaluationPeriods"] <= (604_800 if alarm["Period"] >= 3600 else 86_400)
    judged = alarms[names.alarm("dev", "churn", names.ALERT_DRIFT)]
    assert judged["TreatMissingData"] == "ignore", "what was judged holds until the next look"
    assert "perennial monitor churn" in judged["AlarmDescription"]


def test_alarms_watch_one_metric_by_a_plain_statistic_and_nothing_else(assembly: Assembly) -> None:
    kinds = {kind for kind in types(assembly) if kind.startswith("AWS::CloudWatch::")}
    assert kinds == {"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"}, "none are composite, none learn a band"
    for alarm in of_model(assembly, "AWS::CloudWatch::Alarm").values():
        assert {"Metrics", "ExtendedStatistic", "ThresholdMetricId", "Unit"}.isdisjoint(alarm)
        assert alarm["Statistic"] in ("Maximum", "Sum")


def test_alarms_may_publish_to_the_topic_and_use_its_key(assembly: Assembly) -> None:
    shared = assembly.template(names.shared_stack("dev"))["Resources"].values()
    (policy,) = [r["Properties"]["PolicyDocument"] for r in shared if r["Type"] == "AWS::SNS::TopicPolicy"]
    (key,) = [r["Properties"]["KeyPolicy"] for r in shared if r["Type"] == "AWS::KMS::Key"]
    for document, action in ((policy, "sns:Publish"), (key, "kms:GenerateDataKey*")):
        allowed = [s for s in document["Statement"] if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
        assert [action in listed(s["Action"]) for s in allowed] == [True]


def test_the_monitor_puts_metrics_into_our_namespace_and_writes_its_own_folder_only(assembly: Assembly) -> None:
    resources = assembly.template(STACK)["Resources"]
    (role,) = [r for n, r in resources.items() if r["Type"] == "AWS::IAM::Role" and n.startswith("MonitorModelRole")]
    allowed = list(statements(role))
    (metrics,) = [s for s in allowed if "cloudwatch:PutMetricData" in listed(s["Action"])]
    assert metrics["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Perennial"}}
    written = [flat(r) for s in allowed if "s3:PutObject" in listed(s["Action"]) for r in listed(s["Resource"])]
    assert len(written) == 1
    assert written[0].endswith("/monitoring/churn/*")
    assert not [s for s in allowed if "lambda:UpdateAlias" in listed(s["Action"])]


def test_looks_follow_the_schedule_of_model_yaml(assembly: Assembly) -> None:
    rules = of_model(assembly, "AWS::Events::Rule").values()
    found = sorted(r["ScheduleExpression"] for r in rules if "ScheduleExpression" in r)
    assert found == ["rate(1 hour)", LOOK, LOOK], "its own, and those for what no event tells"
    assert (schedule(1440), schedule(90)) == ("rate(24 hours)", "rate(90 minutes)")


def synthesized(
    home: Path, copy_model: Callable[[str], Path], into: Path, **changes: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    file = copy_model("segment") / "model.yaml"
    written = yaml.safe_load(file.read_text())
    for key, value in changes.items():
        written[key] = {**written.get(key, {}), **value}
    file.write_text(yaml.safe_dump(written, sort_keys=False))
    synthesize(Project(code=ROOT, home=home), stage="dev", outdir=into)
    return Assembly(into).templates


def test_dashboard_and_alarm_speak_in_the_owners_money(assembly: Assembly) -> None:
    (board,) = of_model(assembly, "AWS::CloudWatch::Dashboard").values()
    titles = [widget["properties"]["title"] for widget in json.loads(flat(board["DashboardBody"]))["widgets"]]
    assert "Quality: money_score, EUR a row" in titles
    told = [one["AlarmDescription"] for one in of_model(assembly, "AWS::CloudWatch::Alarm").values()]
    assert "churn: the answers are worse than on the holdout (money_score, EUR a row)" in [
        text.partition(". ")[0] for text in told
    ]


def test_a_model_without_a_log_is_not_watched(home: Path, copy_model: Callable[[str], Path], tmp_path: Path) -> None:
    templates = synthesized(home, copy_model, tmp_path / "out", monitoring={"prediction_log": False})
    assert names.monitoring_stack("dev", "segment") not in templates


def test_who_does_not_go_back_judges_nothing(home: Path, copy_model: Callable[[str], Path], tmp_path: Path) -> None:
    templates = synthesized(home, copy_model, tmp_path / "out", retraining={"go_back": False})
    resources = templates[names.monitoring_stack("dev", "segment")]["Resources"]
    assert not [name for name in resources if name.startswith("JudgeLive")]
