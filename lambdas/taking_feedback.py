"""Labels of one document -> a verdict on each: what is stored is read, the log is asked, what is new is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from cloud.labels import Labels
from cloud.prediction_index import Bounds, PredictionIndex
from lambdas import wiring
from lifecycle import keys, live, names
from lifecycle.errors import Unavailable
from lifecycle.feedback import Taking, invalid
from lifecycle.feedback_items import Item, Wrong, classes_of
from lifecycle.feedback_label import Label
from lifecycle.feedback_verdict import Verdict
from lifecycle.schema import Contract, Kind, Task
from lifecycle.settings import RecordFeedback

TRIES: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackTaker:
    """Takes labels of one model. `read_at_once` bounds what is read of the log, `now` is epoch seconds."""

    labels: Labels
    index: PredictionIndex
    classes: frozenset[str]
    days: float
    read_at_once: Bounds
    now: Callable[[], float]

    def take(self, items: Sequence[Item], wrong: Sequence[Wrong], source: str) -> list[Verdict]:
        """Return a verdict on each item, in order of their places. `source` names the document: it is one delivery.

        Raises Unavailable when the log or the table does not answer; taking the document again is harmless.
        """
        taking = Taking(now=self.now(), source=source, days=self.days, classes=self.classes)
        stored = self.labels.of(item.prediction_id for item in items)
        looked = self.index.find(taking.hours(items, stored), self.read_at_once)
        verdicts = list(map(invalid, wrong))
        open_items: list[Item] = list(items)
        for _ in range(TRIES):
            found, changes = taking.decide(open_items, stored, looked)
            lost = set(self.labels.write(changes))
            verdicts += [verdict for verdict in found if verdict.prediction_id not in lost]
            if not lost:
                return sorted(verdicts, key=lambda verdict: verdict.place)
            open_items = [item for item in open_items if item.prediction_id in lost]
            stored = _without(stored, lost) | self.labels.of(lost)
        raise Unavailable(f"labels of {len(open_items)} predictions changed {TRIES} times meanwhile; send them again")


def taker_of(settings: RecordFeedback, read_at_once: Bounds) -> FeedbackTaker:
    """Return the taker of the model that the settings name."""
    spec = wiring.packaged_spec()
    return FeedbackTaker(
        labels=wiring.labels(settings.labels_table, settings.model),
        index=wiring.prediction_index(settings.data_bucket, settings.model),
        classes=_classes(settings, spec.contract),
        days=spec.serving.feedback_days,
        read_at_once=read_at_once,
        now=wiring.now,
    )


def _classes(settings: RecordFeedback, contract: Contract) -> frozenset[str]:
    """The classes that labels may name: the contract's, and those that the evaluation of the live model wrote."""
    if contract.task is Task.REGRESSION or contract.by_name[contract.target].kind is Kind.BOOLEAN:
        return classes_of(contract, ())
    alias = wiring.functions().alias(settings.predict_function, names.LIVE)
    standing = live.parse(alias.description) if alias else None
    scorecard = None
    if standing is not None:
        key = keys.run(settings.model, standing.run_id, "evaluation", "scorecard.json")
        scorecard = wiring.bucket(settings.artifact_bucket).read_json(key)
    return classes_of(contract, (scorecard or {}).get("classes") or ())


def _without(stored: dict[str, Label], lost: set[str]) -> dict[str, Label]:
    return {identity: label for identity, label in stored.items() if identity not in lost}
