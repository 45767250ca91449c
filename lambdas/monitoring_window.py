"""Log, labels and live model -> the window file and its figures. Nothing is told here, and nothing is remembered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lambdas import wiring
from lambdas.monitoring_hours import Found, Hours, arrived, newest_of
from lambdas.monitoring_labels import Labelled, LabelSearch
from lambdas.monitoring_permutation import permutations
from lifecycle import compiled, drift_alert, keys, live, monitor_figures, names, window_file
from lifecycle.drift_alert import AlertState, DriftVerdict
from lifecycle.errors import ModelRejected, SpecRejected
from lifecycle.judged_model import JudgedModel
from lifecycle.live import Live
from lifecycle.monitor_figures import Figure
from lifecycle.reference import Reference
from lifecycle.settings import Monitor
from lifecycle.spec import ModelSpec
from lifecycle.window_file import Judgement, Looked
from lifecycle.window_hours import DAY_HOURS, HOUR, Window, hour_text
from lifecycle.window_quality import judged_quality
from tabular import labelled_rows

Result = tuple[dict[str, Any], list[Figure]]


def look(settings: Monitor, in_time: Callable[[], bool]) -> Result:
    """Return the window file of now, and the metrics to publish. `in_time` says whether an hour may be begun."""
    spec, now = wiring.spec(settings.spec_id), wiring.now()
    before = wiring.bucket(settings.artifact_bucket).read_json(keys.monitoring(settings.model, "latest.json"))
    alias = wiring.functions().alias(settings.predict_function, names.LIVE)
    said = live.parse(alias.description) if alias else None
    window = Window.at(now, spec.monitoring.window_hours)
    this = Look(settings, spec, now, window, before, said)
    if said is None:
        return this.unjudged("no model is live yet: there is nothing to judge")
    code = wiring.bucket(settings.artifact_bucket).read(
        keys.run(settings.model, said.run_id, "evaluation", "compiled.json")
    )
    raw = wiring.bucket(settings.artifact_bucket).read_json(
        keys.run(settings.model, said.run_id, "evaluation", "reference.json")
    )
    if code is None or raw is None:
        missing = "compiled.json" if code is None else "reference.json"
        return this.unjudged(f"{said.run_id}, which is live, has no {missing} to judge by: train and deploy again")
    try:
        model = JudgedModel.of(said, compiled.read(code), Reference.from_plain(raw), spec)
    except (ModelRejected, SpecRejected) as error:
        return this.unjudged(f"{said.run_id}, which is live, cannot be judged: {error}")
    return this.judged(model, code, in_time)


@dataclass(frozen=True, slots=True)
class Look:
    """One look: at `now`, after the one whose window file is `before`."""

    settings: Monitor
    spec: ModelSpec
    now: float
    window: Window
    before: Mapping[str, Any] | None
    live: Live | None

    def unjudged(self, why: str) -> Result:
        """Return a look that can judge nothing: nothing begins or ends but staleness, which is known without rows."""
        log = wiring.bucket(self.settings.data_bucket)
        newest = newest_of(arrived(log, self.settings.model, self.window.first))
        facts = self._facts(newest, notes=(why,))
        before = self.before if self.before and self.before["run_id"] == facts.run_id else {"alerts": ()}
        on = {*before["alerts"]} - {names.ALERT_STALE}
        on |= {names.ALERT_STALE} if self._is_stale(facts) else set()
        state = AlertState.from_plain(self._memory.get("state", {}))
        known = Judgement(alerts=tuple(each for each in names.ALERTS if each in on), state=state)
        figures = monitor_figures.of_traffic(seen=0, labelled=0, staleness_hours=facts.staleness_hours)
        return window_file.build(facts, known, self.before), figures

    def judged(self, model: JudgedModel, code: bytes, in_time: Callable[[], bool]) -> Result:
        """Return what the rows of the live model say."""
        rules, name = self.spec.monitoring, self.settings.model
        buckets = wiring.bucket(self.settings.data_bucket), wiring.bucket(self.settings.artifact_bucket)
        known = {stem: (rows, tuple(events)) for stem, (rows, events) in self._memory.get("hours", {}).items()}
        hours = Hours(name, model, *buckets, in_time, known)
        found = hours.window(self.window)
        drift = self._drift(model, found)
        labels = wiring.labels(self.settings.labels_table, name)
        labelled = LabelSearch(hours, found, labels).search(self.window, rules.min_labels)
        losses = (labelled_rows.sums(labelled.rows), found.counts.expected)
        quality = judged_quality(model, losses, rules, drift.state, until=self._until)
        severe = [each.name for each in drift.features if each.drifted or each.severity >= 1.0]
        changes, why_not = permutations(hours, found, code, severe)
        facts = self._facts(
            found.newest,
            rows=found.counts.answered,
            labelled=labelled.in_window,
            coverage=labelled.rows.height / labelled.seen if labelled.seen else None,
            notes=(*self._said(found, drift, labelled), *quality.notes, *why_not),
        )
        alerts = window_file.alerts(drift=drift, state=quality.state, stale=self._is_stale(facts))
        judgement = Judgement(
            drift=drift,
            distributions=window_file.distributions(model.reference, found.counts.tally, drift),
            quality=quality.quality,
            slices=labelled_rows.worst_slices(model.objective, labelled.rows, model.sliced),
            permutation=changes,
            alerts=alerts,
            state=quality.state,
            hours=hours.remembered(),
        )
        figures = [*monitor_figures.of_drift(drift), *monitor_figures.of_quality(quality.quality)]
        figures += monitor_figures.of_traffic(
            seen=labelled.seen, labelled=labelled.rows.height, staleness_hours=facts.staleness_hours
        )
        return window_file.build(facts, judgement, self.before), figures

    def _drift(self, model: JudgedModel, found: Found) -> DriftVerdict:
        rules, tally = self.spec.monitoring, found.counts.tally
        if found.uncounted:  # a part of the window is no window
            rules = replace(rules, min_rows=max(rules.min_rows, tally.rows + 1))
        remembered = AlertState.from_plain(self._memory.get("state", {}))
        return drift_alert.judge(model.reference, tally, rules, remembered, until=self._until)

    def _said(self, found: Found, drift: DriftVerdict, labelled: Labelled) -> list[str]:
        counts, said = found.counts, []
        if found.uncounted:
            said.append(f"{found.uncounted} hours of the log are left to the next look")
        elif drift.reason:
            said.append(drift.reason)
        width = self.window.until - max(self.window.first, self._first_hour)
        if counts.answered and not found.uncounted and len(found.stems) < width <= DAY_HOURS:
            said.append(f"rows came in {len(found.stems)} of the {width} hours")
        if counts.unreadable:
            said.append(f"{counts.unreadable} lines or objects of the log cannot be read")
        if counts.cut:
            said.append(f"{counts.cut} rows were too long for the log: their values are not counted")
        if labelled.since < self.window.first and labelled.rows.height:
            said.append(f"labels come late: quality is of predictions since {hour_text(labelled.since)}:00Z")
        return said

    @property
    def _memory(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (self.before or {}).get("memory", {})
        return found

    @property
    def _until(self) -> str:
        return wiring.iso(self.window.until * HOUR)

    @property
    def _first_hour(self) -> int:
        return self.live.since // HOUR if self.live else 0

    def _is_stale(self, facts: Looked) -> bool:
        return facts.staleness_hours >= self.spec.monitoring.stale_hours

    def _facts(self, newest: float | None, **known: Any) -> Looked:
        """Return what is true of any look; `newest` is when the newest object of the log was written."""
        remembered = (self.before or {}).get("newest")
        moments = [newest, datetime.fromisoformat(remembered).timestamp() if remembered else None]
        seen = max((each for each in moments if each is not None), default=None)
        begun = max(seen or 0.0, float(self.live.since)) if self.live else self.now
        return Looked(
            stage=self.settings.stage,
            model=self.settings.model,
            run_id=self.live.run_id if self.live else None,
            model_version=str(self.live.number) if self.live else None,
            at=wiring.iso(self.now),
            since=wiring.iso(self.window.first * HOUR),
            until=self._until,
            staleness_hours=max(0.0, (self.now - begun) / HOUR),
            newest=wiring.iso(seen) if seen is not None else None,
            **known,
        )
