"""A window's page and words: what is wrong comes first, nothing is invented, hostile names stay text."""

import copy
import html
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import monitor_page, simulation_page
from lifecycle import monitor_words as words
from tests import windows

HOSTILE = "</title><script>alert('x')</script><img src=x onerror=alert(1)>\"'&"
KINDS = ("window", "drifted", "not_judged", "few", "regression", "money", "estimated")


class Markup(HTMLParser):
    """Collects the text and checks that what is opened is closed."""

    VOID = frozenset({"meta", "path", "circle", "rect", "line", "polyline", "polygon"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.pieces: list[str] = []
        self.feed(page)
        assert self.open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") or name in ("src", "href", "style") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.pieces.append(data)


def shown(window: dict[str, Any]) -> str:
    return Markup(monitor_page.page(window)).text


@pytest.mark.parametrize("kind", KINDS)
def test_every_window_becomes_well_formed_markup_without_scripts_links_or_outside_resources(kind: str) -> None:
    page = monitor_page.page(getattr(windows, kind)())
    tags = Markup(page).tags
    assert not {"script", "link", "iframe", "img", "a"} & set(tags)
    assert "://" not in page
    assert "default-src 'none'" in html.unescape(page)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_thing_on_a_page_is_what_is_wrong_and_what_happens_next(kind: str) -> None:
    window = getattr(windows, kind)()
    text = shown(window)
    first = text.index(words.wrong(window))
    assert first < text.index(words.next_step(window)) < text.index("Figures")


def test_a_page_of_three_hundred_features_has_each_of_them_and_at_most_half_a_megabyte() -> None:
    page = monitor_page.page(windows.drifted(300))
    assert len(page.encode()) <= 500_000
    assert all(f"sensor_{i:03}" in page for i in range(293))


def test_values_of_any_length_leave_the_page_small() -> None:
    window = windows.drifted(300)
    for parts in window["distributions"]["features"].values():
        parts["labels"] = [label + "x" * 20_000 for label in parts["labels"]]
    window["slices"][0]["value"] = "y" * 20_000
    assert len(monitor_page.page(window).encode()) <= 500_000


def test_the_worst_feature_comes_first_with_all_its_figures() -> None:
    text = shown(windows.drifted())
    table = text[text.index("Drift feature") :]
    names = ("answers of the model", "air_time_since", "origin", "dep_delay", "wind_gust", "humidity", "sensor_000")
    places = [table.index(name) for name in names]
    assert places == sorted(places)
    row = table[places[3] : places[4]]
    for figure in ("▲ drifted", "2.2", "0.224", "1e-12", "3e-10", "2 %", "61 %", "5 %", "0.0123", "2026-11-21 07:00"):
        assert figure in row
    assert "▲ drifted, fading" in table
    assert "△ shifted, unconfirmed" in table
    assert "not used by the model" in table
    assert "moves on by nature" in table


def test_an_estimate_is_called_an_estimate_wherever_it_stands() -> None:
    text = shown(windows.estimated())
    assert "log_loss (estimate) 0.431 estimate, not measured" in text
    assert "is only estimated" in text
    assert "estimated from the model's own" in words.quality(windows.estimated())


def test_a_window_that_was_not_judged_shows_no_verdict_on_drift() -> None:
    text = shown(windows.not_judged())
    assert "Nothing was judged: no model is live yet" in text
    assert "No version, stage dev" in text
    assert "features drifted" not in text
    assert "worst drift" not in text


def test_too_few_rows_end_no_alert_and_call_no_feature_as_before() -> None:
    text = shown(windows.few())
    assert "1 of 2 features has drifted (distance); this window itself was not judged: 120 rows in the window" in text
    assert "▲ drifted, not judged now" in text
    assert "origin not judged" in text
    assert "as before" not in text


def test_a_change_of_version_is_marked_in_what_happened_over_time() -> None:
    page = monitor_page.page(windows.window())
    assert page.count("<title>version 3</title>") == 2


def test_money_is_shown_per_row_and_in_total_with_its_unit() -> None:
    text = shown(windows.money())
    assert "money a row 1.27 EUR" in text
    assert "money in the window 19,075 EUR" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Nothing is wrong"),
        ({"alerts": ["stale"]}, "No prediction has been logged for too long."),
        ({"alerts": ["stale"], "judged": False, "notes": ["no rows"]}, "this window itself was not judged: no rows."),
        ({"alerts": ["quality"]}, "Quality is significantly worse: log_loss 0.412 instead of 0.408"),
        ({"alerts": ["quality"], "quality": None}, "Quality is significantly worse than on the holdout."),
        (
            {"alerts": ["quality"], "quality": windows.estimated()["quality"]},
            "Quality is significantly worse than on the holdout.",
        ),
        ({"alerts": ["scores"]}, "The model's answers have shifted."),
        ({"quality": None}, "How good the answers are is not known"),
        ({"judged": False, "rows": 3}, "Nothing was judged: 3 rows came in, too few."),
    ],
)
def test_one_sentence_says_what_is_wrong(changes: dict[str, Any], said: str) -> None:
    assert said in words.wrong(windows.window(**changes))


def test_a_shift_that_is_not_confirmed_is_no_alert_and_is_named() -> None:
    window = windows.window()
    window["drift"]["features"][2] = windows.feature("carrier", 1.5, drifted=False)
    assert words.wrong(window).startswith("No alert. carrier shifted in this window")
    assert words.tone(window) == "good"


@pytest.mark.parametrize(
    ("decided", "said"),
    [
        ({"decision": "start", "reason": "drift", "until": None}, "a new run was started: drift."),
        ({"decision": "wait", "reason": "cooldown.", "until": "2026-11-22T10:00:00Z"}, "until 2026-11-22 10:00 UTC"),
        ({"decision": "no", "reason": "the same data failed before", "until": None}, "no new run: the same data"),
        (None, "nothing needs doing"),
    ],
)
def test_what_happens_next_is_the_decision_about_a_run(decided: dict[str, Any] | None, said: str) -> None:
    assert said in words.next_step(windows.window(retraining=decided))


def test_with_an_alert_but_no_decision_yet_the_page_says_where_to_look() -> None:
    assert "perennial monitor" in words.next_step(windows.window(alerts=["drift"]))


def hostile(value: Any, evil: str) -> Any:
    """Every text in a window replaced by an evil one, but those that are times or chosen from a list."""
    if isinstance(value, dict):
        kept = {"at", "since", "until", "alerts", "metric", "decision", "kind", "month"}
        return {
            name if name in SHAPE else evil + name: part if name in kept else hostile(part, evil)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [hostile(part, evil) for part in value]
    return evil if isinstance(value, str) else value


SHAPE = frozenset(re.findall(r'"(\w+)":', json.dumps([windows.window(), windows.money(), windows.simulated()]))) - {
    "origin",
    "carrier",
}


@pytest.mark.parametrize("kind", KINDS)
def test_names_and_values_that_are_markup_stay_text(kind: str) -> None:
    page = monitor_page.page(hostile(getattr(windows, kind)(), HOSTILE))
    assert not {"script", "img"} & set(Markup(page).tags)
    assert "<script" not in page


def test_a_simulation_of_hostile_texts_stays_text() -> None:
    assert not {"script", "img"} & set(Markup(simulation_page.page(hostile(windows.simulated(), HOSTILE))).tags)


@settings(max_examples=25)
@given(st.data())
def test_a_window_with_any_figure_missing_still_becomes_a_page(data: st.DataObject) -> None:
    window = copy.deepcopy(windows.money())
    one = data.draw(st.sampled_from(window["drift"]["features"]))
    for name in data.draw(st.sets(st.sampled_from(["psi", "p", "corrected", "distance", "severity", "permutation"]))):
        one[name] = None
    for entry in window["history"][:3]:
        for name in data.draw(st.sets(st.sampled_from(["worst_drift", "score_drift", "quality", "coverage", "low"]))):
            entry[name] = None
    for name in data.draw(st.sets(st.sampled_from(["low", "high", "money", "reference", "drop"]))):
        window["quality"][name] = None
    assert "None" not in shown(window)


def test_the_result_of_a_simulation_says_who_was_better_and_how_sure_that_is() -> None:
    text = Markup(simulation_page.page(windows.simulated())).text
    assert "The renewing model was better: log_loss 0.4184 against 0.4412 of the frozen one over 18,000 rows" in text
    assert "95 % interval -0.027 to -0.0186" in text
    assert "2013-04-06 00:00 UTC alarm alarm <b>number</b> 0" in text
    assert "21,000 rows were asked over HTTP, 3 of them refused; 20,997 labels were taken, 0 were not." in text
    for kind in simulation_page.KINDS:
        assert kind in text


@pytest.mark.parametrize(
    ("total", "metric", "found"),
    [
        ({"frozen": 0.4, "renewing": 0.3, "low": -0.12, "high": -0.08}, "log_loss", True),
        ({"frozen": 0.4, "renewing": 0.3, "low": 0.08, "high": 0.12}, "log_loss", True),
        ({"frozen": 0.4, "renewing": 0.3, "low": -0.2, "high": 0.01}, "log_loss", None),
        ({"frozen": 1.0, "renewing": 0.3, "low": -0.8, "high": -0.6}, "money_score", False),
        ({"frozen": None, "renewing": None, "low": None, "high": None}, "log_loss", None),
    ],
)
def test_a_difference_counts_only_where_its_interval_holds_no_zero(
    total: dict[str, Any], metric: str, found: bool | None
) -> None:
    result = {"total": {"rows": 10, "difference": -0.1, **total}, "metric": metric}
    assert simulation_page.better(result) is found
    expected = {True: "better", False: "worse", None: "No"}[found]
    assert expected in simulation_page.verdict(result)


def test_a_simulation_without_a_month_or_an_event_is_a_page_too() -> None:
    empty = windows.simulated() | {"months": [], "events": []}
    assert "no alarm, and no run beyond the first" in simulation_page.page(empty)
