"""Approvals, updates, rollbacks, alarms, duplicates, aborts, deaths between any two calls, through the real handlers.

Whatever the order: `live` never points at a version without its model, traffic goes only where a deployment that holds
the claim sent it, and two deployments never fight.
"""

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from moto.moto_api._internal import moto_api_backend

from lambdas import roll_back, wiring
from lifecycle import claims
from lifecycle.claims import State
from lifecycle.errors import LifecycleError, PromotionRejected
from lifecycle.rollout import Rollout

from .conftest import SPEC, make_execution, make_world
from .deployments_world import FUNCTION, Deployment, close, make_predict, package
from .test_runs import finish, stop

ONE_STEP = replace(SPEC, serving=replace(SPEC.serving, rollout=Rollout(steps=(10,), max_holds=0), keep_versions=2))
SERVICES = ("lambda", "dynamodb", "s3", "sagemaker", "sns", "events", "cloudwatch", "stepfunctions")
OFTEN = ("go on",) * 6 + ("close",) * 4 + ("event",) * 2 + ("abort",) * 2
HAPPENINGS = (*OFTEN, "approve", "update", "configure", "back", "back to", "alarm")
FAULTS = ("", "", "raises", "wrong")


class Death(Exception):
    """A function ends between two of its calls."""


class Storm(RuleBasedStateMachine):
    """One model's function, its deployments step by step, and everybody else who may move the alias."""

    def __init__(self) -> None:
        super().__init__()
        self._stack = ExitStack()
        enter = self._stack.enter_context
        patch = enter(pytest.MonkeyPatch.context())
        moto_api_backend.reset()  # every example begins with an empty account
        wiring.reset()
        self._stack.callback(wiring.reset)
        clock = enter(time_machine.travel(datetime(2026, 11, 21, 12, tzinfo=UTC), tick=False))
        folder = Path(tempfile.mkdtemp())
        self._stack.callback(shutil.rmtree, folder)
        self.world = make_world(clock, patch, folder)
        (folder / SPEC.file_name).unlink()
        (folder / ONE_STEP.file_name).write_bytes(ONE_STEP.to_bytes())
        self._patch = patch
        self._predict = make_predict(self.world)
        self.predict = next(self._predict)
        self._start = make_execution()
        self.calls_left: int | None = None
        for service in SERVICES:
            wiring.client(service).meta.events.register_first("before-call", self._count)
        self.models = self.events = self.updates = self.drawn = 0
        self.running: list[Deployment] = []
        self.ended: list[Deployment] = []
        self.orders: list[dict[str, Any]] = []
        self.a_model_is_approved("")
        self.an_event_comes()
        self.a_deployment_goes_on(0, 9, None)
        self.a_deployment_is_closed(None)
        self.a_model_is_approved("")
        self.an_event_comes()

    def _count(self, **_: Any) -> None:
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                self.calls_left = None
                raise Death

    @contextmanager
    def dying(self, after: int | None) -> Iterator[None]:
        """Let what runs in it die after so many calls; it is tried again by a later rule."""
        self.calls_left = after
        try:
            yield
        except Death:
            pass
        finally:
            self.calls_left = None

    @rule(seed=st.integers(0, 2**32))
    def something_happens(self, seed: int) -> None:
        """Drawn evenly: generated choices prefer simple ones, and what goes wrong here needs many kinds in a row."""
        self.drawn += 1
        chance = random.Random(f"{seed} {self.drawn}")
        what, fault, number = chance.choice(HAPPENINGS), chance.choice(FAULTS), chance.randint(0, 6)
        after = chance.choice((None, None, chance.randint(0, 12)))
        possible = {
            "approve": lambda: self.a_model_is_approved(fault),
            "update": self.the_stack_is_updated,
            "configure": self.the_configuration_is_changed,
            "event": self.an_event_comes,
            "go on": lambda: self.a_deployment_goes_on(number, 1 + number, after),
            "close": lambda: self.a_deployment_is_closed(after),
            "abort": lambda: self.an_execution_is_aborted(number, number % 2 == 0),
            "back": lambda: self.a_person_goes_back(after, number % 2 == 0),
            "back to": lambda: self.a_person_names_a_version(number, after),
            "alarm": lambda: self.an_alarm_comes(number, after),
        }
        possible[what]()

    def a_model_is_approved(self, fault: str) -> None:
        self.models += 1
        self.predict.faults[f"run-{self.models}"] = fault
        package(self.world, f"run-{self.models}")

    def the_stack_is_updated(self) -> None:
        self.updates += 1
        self.predict.update_stack(self.world, f"handler = {self.updates}\n", self._patch)

    def the_configuration_is_changed(self) -> None:
        self.updates += 1
        memory = 512 + 64 * self.updates
        self.predict.client.update_function_configuration(FunctionName=FUNCTION, MemorySize=memory)

    def an_event_comes(self) -> None:
        if len(self.running) == 3:
            return
        self.events += 1
        self.running.append(Deployment(self._start(f"e{self.events}"), self.world))

    def a_deployment_goes_on(self, which: int, steps: int, after: int | None) -> None:
        if not self.running:
            self.an_event_comes()
        one = self.running[which % len(self.running)]
        for _ in range(steps):
            if one.is_over:
                break
            try:
                with self.dying(after):
                    one.step()
            except LifecycleError:
                self.running.remove(one)
                stop(one.execution)
                self.ended.append(one)
                return
        if one.is_over:
            self.running.remove(one)
            finish(one.execution)
            self.ended.append(one)

    def a_deployment_is_closed(self, after: int | None) -> None:
        with self.dying(after):
            for one in self.ended[:1]:
                close(one.execution)
                self.ended.remove(one)

    def an_execution_is_aborted(self, which: int, told: bool) -> None:
        if not self.running:
            return
        one = self.running.pop(which % len(self.running))
        stop(one.execution)
        if told:
            self.ended.append(one)

    def a_person_goes_back(self, after: int | None, again: bool) -> None:
        if not (again and self.orders):
            self.orders.append({"id": str(len(self.orders)), "by": "ann", "reason": "odd"})
        self._order(self.orders[-1], after)

    def a_person_names_a_version(self, number: int, after: int | None) -> None:
        self.orders.append({"id": str(len(self.orders)), "by": "ann", "reason": "odd", "to": str(number)})
        self._order(self.orders[-1], after)

    def an_alarm_comes(self, identity: int, after: int | None) -> None:
        detail = {"alarmName": "errors", "state": {"value": "ALARM"}}
        at = wiring.iso(wiring.now())
        self._order({"id": f"a{identity}", "source": "aws.cloudwatch", "time": at, "detail": detail}, after)

    def _order(self, event: dict[str, Any], after: int | None) -> None:
        self.world.pass_time(1)
        with self.dying(after), suppress(PromotionRejected):
            roll_back.handler(event, None)

    @invariant()
    def the_live_version_holds_the_model_and_code_that_its_alias_names(self) -> None:
        version, said = self.predict.live()
        held = self.predict.release(version)
        assert (held or {}).get("package_arn") == (said.package_arn if said else None)
        assert said is None or not self.predict.faults[said.run_id], "a fault is found by the probe"

    @invariant()
    def what_has_traffic_is_the_holders_and_holds_a_model(self) -> None:
        weights = self.predict.weights()
        if not weights:
            return
        [number] = weights
        held = self.world.claims().read(claims.deploy(SPEC.model))
        assert held is not None
        assert held.state is State.HELD
        release = self.predict.release(number)
        assert release is not None
        assert release["package_arn"] == held.value["package_arn"]

    @invariant()
    def the_way_back_exists_and_holds_a_model(self) -> None:
        said = self.predict.live()[1]
        if said is not None and said.back is not None:
            assert said.back in self.predict.versions()
            assert self.predict.release(said.back) is not None

    @invariant()
    def one_deployment_at_a_time_has_begun(self) -> None:
        begun = [one for one in self.running if one.at != "Plan"]
        assert len(begun) <= 1

    def teardown(self) -> None:
        """When everything has ended, the next deployment settles it, and the one after finds nothing to do."""
        try:
            for one in self.running:
                stop(one.execution)
            for one in [*self.running, *self.ended]:
                close(one.execution)
            self.running = []
            for _ in range(4):
                self.events += 1
                last = Deployment(self._start(f"e{self.events}"), self.world).run()
                if last.at == "Nothing":
                    break
            assert last.at == "Nothing" or self._hopeless()
            assert self.predict.weights() == {}
        finally:
            self._predict.close()
            self._stack.close()

    def _hopeless(self) -> bool:
        """Before the first model there is nowhere to write what failed: each event tries the newest one again."""
        return self.predict.live()[1] is None


TestStorm = Storm.TestCase
TestStorm.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStorm = pytest.mark.slow(TestStorm)
