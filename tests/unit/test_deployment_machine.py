"""Approvals, stack updates, aborts and duplicates in any order: `live` never shows a version without its model."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from lifecycle.deployment import Plan, Standing, decide, number_of

VERSION_ONE = (0, 0, None)  # (asset, configuration, package): what the serving stack published first


def arn(number: int) -> str:
    return f"model-package/perennial-dev-flights/{number}"


class Deployments(RuleBasedStateMachine):
    """A function, its versions and its alias; executions that may stop between any two of their calls."""

    def __init__(self) -> None:
        super().__init__()
        self.asset = self.configuration = self.packages = 0
        self.approved: set[int] = set()
        self.latest = VERSION_ONE
        self.versions = [VERSION_ONE]
        self.alias: tuple[int, str | None] = (0, None)
        self.planned: list[tuple[Plan, int]] = []
        self.published: list[tuple[Plan, int, int]] = []

    def standing(self) -> Standing:
        version, live = self.alias
        newest = arn(max(self.approved)) if self.approved else None
        changed = live is not None and self.latest != self.versions[version]
        return Standing(approved=newest, live=live, live_version=str(version), changed=changed)

    @rule(approve=st.booleans())
    def a_model_is_registered(self, approve: bool) -> None:
        self.packages += 1
        if approve:
            self.approved.add(self.packages)

    @rule(number=st.integers(1, 5))
    def a_person_approves_late(self, number: int) -> None:
        if number <= self.packages:
            self.approved.add(number)

    @rule(code=st.booleans())
    def the_stack_is_updated(self, code: bool) -> None:
        if code:
            self.asset += 1
            self.latest = (self.asset, self.configuration, None)
        else:
            self.configuration += 1
            self.latest = (self.latest[0], self.configuration, self.latest[2])

    @rule()
    def an_execution_plans(self) -> None:
        found = decide(self.standing())
        if found.package_arn is not None:
            self.planned.append((found, self.alias[0]))

    @rule(which=st.integers(0, 9))
    def an_execution_publishes(self, which: int) -> None:
        if which < len(self.planned):
            found, previous = self.planned[which]
            self.latest = (self.asset, self.configuration, found.package_arn)  # type: ignore[assignment]
            if self.latest not in self.versions:
                self.versions.append(self.latest)
            self.published.append((found, previous, self.versions.index(self.latest)))

    @rule(which=st.integers(0, 9))
    def an_execution_promotes(self, which: int) -> None:
        if which < len(self.published):
            found, previous, number = self.published[which]
            if self.alias[0] in (previous, number):
                self.alias = (number, found.package_arn)

    @invariant()
    def the_live_version_holds_the_model_that_its_alias_names(self) -> None:
        version, live = self.alias
        assert self.versions[version][2] == live

    @invariant()
    def what_is_live_was_approved(self) -> None:
        live = self.alias[1]
        assert live is None or number_of(live) in self.approved

    def teardown(self) -> None:
        """Whatever happened, one undisturbed deployment settles it, and the next finds nothing to do."""
        found = decide(self.standing())
        if found.package_arn is not None:
            self.planned = [(found, self.alias[0])]
            self.published = []
            self.an_execution_publishes(0)
            self.an_execution_promotes(0)
        assert decide(self.standing()).package_arn is None


TestDeployments = Deployments.TestCase
TestDeployments.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
