"""`perennial monitor` against AWS as moto plays it."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli import monitoring
from cli.main import run
from cli.sparkline import sparkline
from cloud.alarms import Alarms
from cloud.ledger import LedgerTable
from lifecycle import keys, ledger, names
from lifecycle.ledger import Entry
from tests import windows
from tests.handlers.deployed_stacks import stack

REGION = "us-east-1"


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ledger_table: str) -> Path:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "stages.yaml").write_text("test: {region: us-east-1}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    s3().create_bucket(Bucket="artifacts")
    stack("perennial-test-shared", {"ArtifactBucket": "artifacts", "LedgerTable": ledger_table})
    return tmp_path


def watch() -> None:
    stack("perennial-test-flights-monitoring", {names.OUTPUT_MONITOR: "monitor"})


def s3() -> Any:
    return boto3.client("s3", REGION)


def store(window: dict[str, Any]) -> None:
    """Write a window as the monitor function does, and as the newest."""
    stamp = window["at"][:16].replace(":", "")
    for name in (f"windows/{stamp}.json", "latest.json"):
        s3().put_object(Bucket="artifacts", Key=keys.monitoring("flights", name), Body=json.dumps(window))


def alarm(what: str, state: str) -> None:
    cloudwatch, name = boto3.client("cloudwatch", REGION), names.alarm("test", "flights", what)
    cloudwatch.put_metric_alarm(
        AlarmName=name, Namespace="Perennial", MetricName="WorstDrift", Statistic="Maximum", Period=60, Threshold=1,
        EvaluationPeriods=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="told")


def decide(at: str, decision: str, reason: str, until: str | None = None) -> None:
    detail = {"decision": decision, "reason": reason, "until": until}
    entry = Entry(subject=ledger.model("flights"), kind=ledger.RETRAINING_DECIDED, id=at, at=at, detail=detail)
    LedgerTable(boto3.client("dynamodb", REGION), "ledger").append(entry)


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        run([*arguments])
    return int(end.value.code or 0)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert ended("monitor", "flights", *arguments) == 0
    return capsys.readouterr().out


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert ended(*arguments) in (1, 2, 3)
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return " ".join(said.err.split())


def test_an_alert_is_told_first_with_its_features_alarms_and_report(deployed, capsys):
    store(windows.drifted())
    alarm("drift", "ALARM")
    alarm("quality", "OK")
    said = shown(capsys)
    assert all(len(line) <= 100 for line in said.splitlines())
    words = " ".join(said.split())
    for text in (
        "flights ▲ alert", "4 of 300 features have drifted", "a new run waits until 2026-11-22 05:00 UTC",
        "drift ALARM since", "quality ok since", "61 %", "drifted,",
        "log_loss 0.468 (0.457 to 0.479), measured on labels; 0.408 on the holdout", "24,310",
    ):  # fmt: skip
        assert text in words, text
    path = deployed / ".perennial/reports/monitoring/flights/2026-11-21T1012.html"
    assert "a new run waits" in path.read_text()
    assert str(path.relative_to(deployed)) in words


def test_a_quiet_window_has_no_table_and_says_that_nothing_is_wrong(deployed, capsys):
    store(windows.window())
    said = " ".join(shown(capsys).split())
    assert "flights ● ok Nothing is wrong" in said
    assert "severity" not in said
    assert "alarms none is deployed" in said


def test_every_kind_of_window_reads_at_a_hundred_columns(deployed, capsys):
    for window in (windows.not_judged(), windows.few(), windows.regression(), windows.money(), windows.estimated()):
        store(window | {"model": "flights"})
        said = shown(capsys)
        assert all(len(line) <= 100 for line in said.splitlines())
        assert "None" not in said


def test_machines_read_window_alarms_and_the_reports_path(deployed, capsys):
    store(windows.money())
    alarm("monitor", "INSUFFICIENT_DATA")
    found = json.loads(shown(capsys, "--json"))
    assert found["window"]["quality"]["money"]["unit"] == "EUR"
    assert [(one["what"], one["value"]) for one in found["alarms"]] == [("monitor", "INSUFFICIENT_DATA")]
    assert Path(found["report"]).is_file()


def test_the_decision_that_followed_the_window_is_shown_in_terminal_and_report(deployed, capsys):
    store(windows.window(alerts=["drift"]))
    assert "the decision about a new run follows" in shown(capsys)
    decide("2026-11-21T09:00:00Z", "start", "an old one")
    assert "an old one" not in shown(capsys)
    decide(windows.iso(-0.3), "start", "two features drifted")
    said = shown(capsys)
    assert "a new run was started: two features drifted" in said
    (report,) = deployed.glob(".perennial/reports/monitoring/flights/*.html")
    assert "two features drifted" in report.read_text()


def test_a_wait_that_still_holds_is_shown_though_it_is_older_than_the_window(deployed, capsys):
    store(windows.window(alerts=["drift"]))
    decide(windows.iso(3), "wait", "cooldown", windows.iso(-20))
    assert "a new run waits until 2026-11-22 06:00 UTC: cooldown" in shown(capsys)


def test_an_older_window_is_found_by_time(deployed, capsys):
    watch()
    for hours in (0, 5, 30):
        store(windows.window(at=windows.iso(hours), notes=[f"{hours} hours ago"]))
    assert "5 hours ago" in shown(capsys, "--window", "2026-11-21T09:59:00Z")
    assert "30 hours ago" in shown(capsys, "--window", windows.iso(29))
    assert "nobody looked at flights by" in error_of(capsys, "monitor", "flights", "--window", "2020-01-01")
    assert "is no time" in error_of(capsys, "monitor", "flights", "--window", "yesterday")


def test_without_a_window_it_says_what_to_do(deployed, capsys):
    watch()
    assert "perennial monitor flights --now" in error_of(capsys, "monitor", "flights")


def test_a_model_without_monitoring_or_without_a_stack_is_told_apart(deployed, capsys):
    stack("perennial-test-early-training", {"Dataset": "early"})
    for arguments in (("monitor", "early"), ("monitor", "early", "--now")):
        assert "prediction_log: false" in error_of(capsys, *arguments)
    assert "Models there: early." in error_of(capsys, "monitor", "wrong")


def test_a_window_of_another_schema_is_not_guessed_at(deployed, capsys):
    store(windows.window(schema=2))
    assert "has schema 2, this command reads 1" in error_of(capsys, "monitor", "flights")


def test_looking_now_needs_no_time_and_says_when_the_function_is_missing(deployed, capsys):
    watch()
    assert "exclude each other" in error_of(capsys, "monitor", "flights", "--now", "--window", "2h")
    assert "failed: it does not exist. See: perennial logs" in error_of(capsys, "monitor", "flights", "--now")


def test_the_report_is_opened_on_demand_and_a_machine_without_browser_is_no_fault(deployed, capsys, monkeypatch):
    store(windows.window())
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)))
    assert "There is no browser here" in shown(capsys, "--open")
    assert opened[0].startswith("file:///")
    assert opened[0].endswith(".perennial/reports/monitoring/flights/2026-11-21T1012.html")


def test_looks_that_fail_are_told_beside_a_window_that_may_be_old(deployed, capsys):
    store(windows.window())
    alarm("monitor", "OK")
    assert "may be old" not in shown(capsys)
    alarm("monitor", "ALARM")
    assert "The looks themselves fail: what stands here may be old" in shown(capsys)


def test_square_brackets_in_names_are_no_markup(deployed, capsys):
    window = windows.window(notes=["[bold]note[/bold]"], alerts=["drift"])
    window["drift"]["features"][0] = windows.feature("[red]x[/red]", 2.0)
    window["drift"]["drifted"] = ["[red]x[/red]"]
    store(window)
    said = shown(capsys)
    assert said.count("[red]x[/red]") == 2
    assert "[bold]note[/bold]" in said


def test_alarms_come_in_the_order_asked_for_and_those_that_do_not_exist_are_left_out():
    alarm("drift", "OK")
    alarm("errors", "ALARM")
    wanted = [names.alarm("test", "flights", what) for what in ("errors", "scores", "drift")]
    found = Alarms(boto3.client("cloudwatch", REGION)).states(wanted)
    assert [(one.name, one.value) for one in found] == [(wanted[0], "ALARM"), (wanted[2], "OK")]
    assert found[0].reason == "told"
    assert Alarms(boto3.client("cloudwatch", REGION)).states([]) == []


def test_a_decision_before_the_window_changes_a_quiet_one_no_more():
    quiet = windows.window()
    past = {"at": windows.iso(5), "decision": "wait", "reason": "cooldown", "until": None}
    assert monitoring.with_decision(quiet, past) == quiet
    assert monitoring.with_decision(quiet, None) == quiet


def test_a_sparkline_keeps_the_newest_values_and_shows_gaps():
    assert sparkline([0.0, 1.0, None, 0.5], width=3) == "█·▁"
    assert sparkline([0.0, 0.5], scale=(1.0,)) == "▁▅"
    assert sparkline([]) == ""
    assert sparkline([float("nan"), 2.0]) == "·▁"
