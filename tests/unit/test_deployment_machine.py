"""Approvals, updates, rollbacks, aborts and duplicates in any order: `live` never shows a version without its model.

The alias, its description and its weights are one value that changes in one call; executions stop anywhere.
"""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lifecycle.deployment import Plan, Standing, decide, gone_live, number_of, rolled_back, withdrawn
from lifecycle.live import Live

VERSION_ONE = ("asset-0", None)  # (code, package): what the serving stack published first


def arn(number: int) -> str:
    return f"model-package/perennial-dev-flights/{number}"


@dataclass(frozen=True)
class Alias:
    version: int
    said: Live | None
    weight: int | None = None


@dataclass
class Execution:
    """A deployment: what it planned, the alias as it left it, the version it published."""

    plan: Plan
    left: Alias
    code: str
    published: int | None = None


class Deployments(RuleBasedStateMachine):
    """A function, its versions and its alias; executions that may stop between any two of their calls."""

    def __init__(self) -> None:
        super().__init__()
        self.asset = self.packages = self.clock = 0
        self.approved: set[int] = set()
        self.versions: list[tuple[str, str | None]] = [VERSION_ONE]
        self.alias = Alias(0, None)
        self.running: list[Execution] = []

    @property
    def code(self) -> str:
        return f"asset-{self.asset}"

    def standing(self) -> Standing:
        newest = arn(max(self.approved)) if self.approved else None
        return Standing(approved=newest, live=self.alias.said, live_version=str(self.alias.version), code=self.code)

    def planned(self) -> Plan:
        return decide(self.standing())

    @rule(approve=st.booleans())
    def a_model_is_registered(self, approve: bool) -> None:
        self.packages += 1
        if approve:
            self.approved.add(self.packages)

    @rule(number=st.integers(1, 5))
    def a_person_approves_late(self, number: int) -> None:
        if number <= self.packages:
            self.approved.add(number)

    @rule()
    def the_stack_is_updated(self) -> None:
        self.asset += 1

    @rule()
    def an_execution_plans(self) -> None:
        found = self.planned()
        if found.package_arn is not None:
            self.running.append(Execution(found, self.alias, self.code))

    @rule(which=st.integers(0, 9))
    def an_execution_publishes(self, which: int) -> None:
        if which < len(self.running):
            one = self.running[which]
            pair = (one.code, one.plan.package_arn)
            if pair not in self.versions:
                self.versions.append(pair)
            one.published = self.versions.index(pair)

    def ready(self, which: int) -> Execution | None:
        """An execution that has published and finds the alias as it left it."""
        if which >= len(self.running) or self.running[which].published is None:
            return None
        one = self.running[which]
        return one if self.alias == one.left else None

    @rule(which=st.integers(0, 9))
    def an_execution_shifts_traffic(self, which: int) -> None:
        one = self.ready(which)
        if one is not None and self.alias.said is not None:
            self.alias = one.left = Alias(self.alias.version, self.alias.said, one.published)

    @rule(which=st.integers(0, 9))
    def an_execution_promotes(self, which: int) -> None:
        one = self.ready(which)
        if one is not None and one.published is not None:
            assert one.plan.package_arn is not None
            self.clock += 1
            place = (str(self.alias.version), self.clock)
            said = gone_live(one.plan.package_arn, "run", one.code, self.alias.said, place)
            self.alias = one.left = Alias(one.published, said)

    @rule(which=st.integers(0, 9))
    def an_execution_gives_up(self, which: int) -> None:
        one = self.ready(which)
        if one is not None and self.alias.said is not None and one.published != self.alias.version:
            assert one.plan.package_arn is not None
            said = withdrawn(self.alias.said, one.plan.package_arn, one.code)
            self.alias = one.left = Alias(self.alias.version, said)
            assert self.planned().package_arn != one.plan.package_arn or one.code != self.code

    @rule(which=st.integers(0, 9))
    def an_execution_is_aborted_and_closed(self, which: int) -> None:
        if which < len(self.running):
            self.running.pop(which)
            self.alias = Alias(self.alias.version, self.alias.said)

    @rule(number=st.integers(0, 9))
    def a_person_goes_back(self, number: int) -> None:
        said = self.alias.said
        if said is None or number >= len(self.versions) or self.versions[number][1] is None:
            return
        code, package = self.versions[number]
        assert package is not None
        self.clock += 1
        wanted = Live(package_arn=package, run_id="run", since=self.clock, code=code)
        self.alias = Alias(number, rolled_back(said, wanted, self.code, None))
        assert self.planned().package_arn is None, "nothing deploys what was gone back from"

    @invariant()
    def the_live_version_holds_the_model_and_code_that_its_alias_names(self) -> None:
        code, package = self.versions[self.alias.version]
        said = self.alias.said
        assert package == (said.package_arn if said else None)
        assert said is None or said.code == code

    @invariant()
    def what_has_traffic_holds_a_model(self) -> None:
        assert self.alias.weight is None or self.versions[self.alias.weight][1] is not None

    @invariant()
    def the_way_back_holds_a_model(self) -> None:
        said = self.alias.said
        assert said is None or said.back is None or self.versions[int(said.back)][1] is not None

    @invariant()
    def what_is_live_was_approved(self) -> None:
        said = self.alias.said
        assert said is None or number_of(said.package_arn) in self.approved

    def teardown(self) -> None:
        """Whatever happened, one undisturbed deployment settles it, and the next finds nothing to do."""
        self.running = []
        self.alias = Alias(self.alias.version, self.alias.said)
        self.an_execution_plans()
        self.an_execution_publishes(0)
        self.an_execution_promotes(0)
        assert self.planned().package_arn is None


TestDeployments = Deployments.TestCase
TestDeployments.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)
