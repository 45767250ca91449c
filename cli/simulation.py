"""A span of time replayed through a model on the laptop engine: rows asked at their time, labels told a day later.

Everything in between (monitoring, alarms, retraining, gates, rollout) is done by what is deployed, at engine time. The
driver only asks, tells labels, lets time pass, and scores the same rows with the first model, which stays as it was.
"""

import itertools
import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cli import output
from cli.ask import refusal
from cli.engine_clock import EngineClock
from cli.simulated_models import Models
from cli.simulated_rows import Block, Rows
from cli.simulation_events import FAILURE, REJECTION, Event, Watch
from cli.target import Target
from cloud.door import Door
from cloud.objects import Bucket
from lifecycle import keys, names
from lifecycle.feedback_items import MAX_ITEMS
from lifecycle.feedback_verdict import REFUSED
from lifecycle.scoring import CompiledModel
from lifecycle.simulation import Days, loss
from lifecycle.spec import ModelSpec

DAY: Final = 86_400.0
LABELS_LATE: Final = DAY
FIRST_MODEL_SECONDS: Final = 43_200.0  # engine time in which the first model must be live
STEP_SECONDS: Final = 60.0
Told = list[dict[str, Any]]
"""Items of feedback."""
Losses = tuple[float, float, float]
"""A row's time (epoch seconds), and its loss by the frozen and by the renewing model."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """The months of a simulation: the first model learns from `learnt`, all of `replayed` is asked."""

    learnt: Sequence[str]
    replayed: Sequence[str]
    hours: int


@dataclass(slots=True)
class Counted:
    """What was done so far."""

    asked: int = 0
    beside: int = 0
    refused: int = 0
    labels: int = 0
    lost_labels: int = 0
    events: list[Event] = field(default_factory=list)
    days: Days = field(default_factory=Days)


class Simulation:
    """One model on one engine. `say` is told of each day that is over and each event, with everything counted."""

    def __init__(
        self, target: Target, spec: ModelSpec, folder: Path, say: Callable[[float, Sequence[Event], Counted], None]
    ) -> None:
        assert target.engine is not None
        self._target, self._spec, self._folder, self._say = target, spec, folder, say
        shared = target.shared()
        self._clock = EngineClock(target.engine["endpoint"])
        self._door = Door(shared[names.OUTPUT_API_URL], target.operator.region, target.operator.keys())
        self._data = Bucket(target.client("s3"), shared[names.OUTPUT_DATA_BUCKET])
        self._models = Models(target, spec.model)
        self._watch = Watch(target, spec.model)
        self._due: deque[tuple[float, Told]] = deque()
        self._scored: deque[Future[list[Losses]]] = deque()  # while the engine works
        self._scorer = ThreadPoolExecutor(1)
        self.counted = Counted()

    def learn(self, rows: Rows, months: Sequence[str]) -> CompiledModel:
        """Upload the first months and wait until a model is live; return it. Ends the command when none comes live."""
        for month in months:
            path = rows.upload(month, self._folder)
            self._data.upload(path, keys.incoming(self._spec.dataset, path.name))
        until = self._clock.now() + FIRST_MODEL_SECONDS
        while (answer := self._door.call("GET", f"/models/{self._spec.model}")).status != 200:
            self._pass(min(self._clock.now() + STEP_SECONDS, until))
            events = self._look()
            bad = [event["text"] for event in events if event["kind"] in (REJECTION, FAILURE)]
            if bad or self._clock.now() >= until:
                output.fail("no first model went live: " + "; ".join(bad or [refusal(answer)]))
        return self._models.first()

    def replay(self, rows: Rows, span: Span, frozen: CompiledModel) -> None:
        """Ask the rows of the replayed months at their time, tell their labels a day later, and count both models.

        Rows that are known and not asked are scored by the model that is live at their time, as it would have answered.
        """
        blocks = rows.blocks(span.replayed[0], span.replayed[-1], span.hours)
        # what is asked when a day ends belongs to that day
        for day, of_day in itertools.groupby(blocks, key=lambda block: math.ceil(block.at / DAY)):
            told: Told = []
            for block in of_day:
                self._live_until(block.at)
                told += self._ask(block, frozen)
                self._score_beside(block, frozen)
            self._live_until(day * DAY)
            if told:
                self._due.append((day * DAY + LABELS_LATE, told))
            self._look()
        self._live_until(math.inf)
        self._add_up(wait=True)
        self._look()

    def _live_until(self, moment: float) -> None:
        """Let time pass up to `moment` (infinity: until all is told), and tell the labels that are due on the way."""
        while self._due and self._due[0][0] <= moment:
            at, told = self._due.popleft()
            self._pass(at)
            self._tell(told)
        if moment < math.inf:
            self._pass(moment)

    def _pass(self, moment: float) -> None:
        while not self._clock.go_to(moment):
            self._look()

    def _look(self) -> list[Event]:
        self._add_up(wait=False)
        events = self._watch.look()
        self.counted.events += events
        self._say(self._clock.now(), events, self.counted)
        return events

    def _ask(self, block: Block, frozen: CompiledModel) -> Told:
        """Ask the rows of a block; return the items of feedback that are due a day later."""
        told: Told = []
        for some in itertools.batched(block.places(asked=True), self._spec.serving.max_rows):
            places, answers = self._answers(block, list(some))
            self.counted.asked += len(places)
            self._score(block, places, frozen, answers)
            for at, answer in zip(places, answers, strict=True):
                if block.labels[at] is not None:
                    told.append({"prediction_id": answer["prediction_id"], "label": block.labels[at]})
        return told

    def _score_beside(self, block: Block, frozen: CompiledModel) -> None:
        """Count both models on the rows of a block that nobody asks; an endpoint is not asked for them either."""
        places = block.places(asked=False)
        live = self._models.live() if places else None
        if live is not None:
            self.counted.beside += len(places)
            self._score(block, places, frozen, live)

    def _score(
        self, block: Block, places: Sequence[int], frozen: CompiledModel, renewing: CompiledModel | list[dict[str, Any]]
    ) -> None:
        """Have the losses of both models counted on rows that have a label; `renewing` is a model, or its answers."""

        def losses() -> list[Losses]:
            rows = [block.rows[at] for at in places]
            answers = renewing.score(rows) if isinstance(renewing, CompiledModel) else renewing
            return [
                (block.times[at], loss(self._spec, label, old), loss(self._spec, label, new))
                for at, old, new in zip(places, frozen.score(rows), answers, strict=True)
                if (label := block.labels[at]) is not None
            ]

        self._scored.append(self._scorer.submit(losses))

    def _add_up(self, *, wait: bool) -> None:
        """Count what was scored, in the order in which it was asked; with `wait` all of it."""
        while self._scored and (wait or self._scored[0].done()):
            for scored in self._scored.popleft().result():
                self.counted.days.add(*scored)

    def _answers(self, block: Block, places: list[int]) -> tuple[list[int], list[dict[str, Any]]]:
        """Ask for the rows at some places of a block; return the places that the door took, and their answers.

        Rows that it refuses are counted, and the others are asked again without them: no model is judged by them.
        """
        while places:
            answer = self._door.predict(self._spec.model, [block.rows[at] for at in places])
            if answer.status == 200:
                return places, answer.body["predictions"]
            errors = answer.body.get("errors", []) if isinstance(answer.body, dict) else []
            wrong = {places[error["row"]] for error in errors if error.get("row") is not None}
            if not wrong:
                output.fail(f"a request failed: {refusal(answer)}")
            self.counted.refused += len(wrong)
            places = [at for at in places if at not in wrong]
        return [], []

    def _tell(self, items: Told) -> None:
        for start in range(0, len(items), MAX_ITEMS):
            body = json.dumps({"labels": items[start : start + MAX_ITEMS]}).encode()
            answer = self._door.call("POST", f"/models/{self._spec.model}/feedback", body)
            if answer.status != 200:
                output.fail(f"labels were not taken: {refusal(answer)}")
            lost = sum(result["status"] in REFUSED for result in answer.body["results"])
            self.counted.lost_labels += lost
            self.counted.labels += len(items[start : start + MAX_ITEMS]) - lost
