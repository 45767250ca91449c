"""Feedback's functions may do what they need for their own model, and only uploads of labels start the reader."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stacks.project import Project
from stacks.synthesis import synthesize
from tests.infrastructure.world import ROOT, Assembly, flat, listed, statements

STACK = "perennial-dev-churn-serving"


def role(assembly: Assembly, title: str) -> list[dict[str, Any]]:
    roles = assembly.template(STACK)["Resources"]
    (found,) = (r for n, r in roles.items() if r["Type"] == "AWS::IAM::Role" and n.startswith(title))
    return list(statements(found))


def actions(granted: list[dict[str, Any]], service: str) -> set[str]:
    found = {action for statement in granted for action in listed(statement["Action"])}
    return {action.removeprefix(f"{service}:") for action in found if action.startswith(f"{service}:")}


@pytest.mark.parametrize("title", ["RecordFeedback", "ReadFeedback"])
def test_labels_of_other_models_are_out_of_reach(assembly: Assembly, title: str) -> None:
    granted = role(assembly, title)
    assert actions(granted, "dynamodb") == {"BatchGetItem", "PutItem"}
    (labels,) = (s for s in granted if "dynamodb:PutItem" in listed(s["Action"]))
    assert "LabelsTable" in flat(labels["Resource"][0])
    assert labels["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["churn#*"]}}


def test_only_the_reader_writes_objects_and_only_reports(assembly: Assembly) -> None:
    assert "PutObject" not in actions(role(assembly, "RecordFeedback"), "s3")
    (writes,) = (s for s in role(assembly, "ReadFeedback") if "s3:PutObject" in listed(s["Action"]))
    assert [flat(resource).rpartition(">/")[2] for resource in listed(writes["Resource"])] == [
        "feedback-reports/churn/*"
    ]


def test_each_model_listens_to_its_own_labels_only(assembly: Assembly) -> None:
    for model in ("churn", "price", "segment"):
        rules = [
            r["Properties"]
            for stack, name, r in assembly.resources("AWS::Events::Rule")
            if stack == f"perennial-dev-{model}-serving" and name.startswith("LabelsUploaded")
        ]
        (rule,) = rules
        assert rule["EventPattern"]["detail"]["object"] == {"key": [{"prefix": f"feedback/{model}/"}]}
        assert rule["EventPattern"]["detail-type"] == ["Object Created"]
        (target,) = rule["Targets"]
        assert flat(target["Arn"]).startswith("<ReadFeedbackFunction")


def test_a_reader_of_files_has_the_layer_that_reads_them(assembly: Assembly) -> None:
    resources = assembly.template(STACK)["Resources"]
    layers = {
        r["Properties"]["Handler"]: [flat(one) for one in r["Properties"]["Layers"]]
        for r in resources.values()
        if r["Type"] == "AWS::Lambda::Function"
    }
    assert any("Tabular" in one for one in layers["lambdas.read_feedback.handler"])
    assert not any("Tabular" in one for one in layers["lambdas.record_feedback.handler"])


def test_without_a_prediction_log_there_is_no_feedback(
    home: Path, copy_model: Callable[[str], Path], tmp_path: Path
) -> None:
    file = copy_model("price") / "model.yaml"
    file.write_text(file.read_text() + "\nmonitoring: {prediction_log: false}\n")
    synthesize(Project(code=ROOT, home=home), stage="dev", outdir=tmp_path / "out")
    template = Assembly(tmp_path / "out").template("perennial-dev-price-serving")
    handlers = [
        r["Properties"]["Handler"] for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"
    ]
    assert not [handler for handler in handlers if "feedback" in handler]
