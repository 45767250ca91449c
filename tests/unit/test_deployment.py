"""What is registered and deployed, from the state alone."""

import io
import zipfile

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import deployment, live, names, packaging, registration
from lifecycle.deployment import Standing
from lifecycle.live import Live
from lifecycle.registration import Approval


def arn(number: int) -> str:
    return f"arn:aws:sagemaker:us-east-1:123456789012:model-package/perennial-dev-flights/{number}"


numbers = st.none() | st.integers(1, 5)
codes = st.sampled_from(["aaaaaaaa", "bbbbbbbb"])


def standing(approved: int | None, live: Live | None, code: str = "aaaaaaaa") -> Standing:
    return Standing(approved=arn(approved) if approved else None, live=live, live_version="1", code=code)


@given(numbers, numbers, codes, codes, numbers, st.none() | codes)
def test_a_deployment_never_goes_back_and_ends_when_nothing_differs(
    approved: int | None, running: int | None, code: str, wanted: str, above: int | None, refused: str | None
) -> None:
    live = Live(package_arn=arn(running), run_id="r", code=code, above=above, not_code=refused) if running else None
    found = standing(approved, live, wanted)
    planned = deployment.decide(found).package_arn
    assert planned in (None, found.approved, live.package_arn if live else None)
    if planned is None:
        return
    number = deployment.number_of(planned)
    assert number >= (running or 0)
    if live is not None and number > live.number:
        assert number > (above or 0), "what was rolled back from does not come back"
    if live is not None and number == live.number:
        assert wanted not in (code, refused)
    after = deployment.gone_live(planned, "r", wanted, live, ("1", 7))
    assert deployment.decide(standing(approved, after, wanted)).package_arn is None, "what was planned settles it"


def test_what_failed_is_not_deployed_again_but_what_is_newer_is() -> None:
    live = Live(package_arn=arn(3), run_id="r", code="aaaaaaaa")
    after = deployment.withdrawn(live, arn(4), "aaaaaaaa")
    assert deployment.decide(standing(4, after)).package_arn is None
    assert deployment.decide(standing(5, after)).package_arn == arn(5)
    after = deployment.withdrawn(live, arn(3), "bbbbbbbb")
    assert deployment.decide(standing(3, after, "bbbbbbbb")).package_arn is None
    assert deployment.decide(standing(3, after, "cccccccc")).package_arn == arn(3)


def test_after_a_rollback_nothing_returns_by_itself() -> None:
    live = Live(package_arn=arn(5), run_id="r", code="bbbbbbbb", back="9", above=7)
    target = Live(package_arn=arn(3), run_id="q", code="aaaaaaaa", since=4, did="12345678")
    after = deployment.rolled_back(live, target, "bbbbbbbb", arn(8))
    assert (after.above, after.not_code, after.back, after.did) == (8, "bbbbbbbb", None, "12345678")
    assert deployment.decide(standing(8, after, "bbbbbbbb")).package_arn is None
    assert deployment.decide(standing(9, after, "bbbbbbbb")).package_arn == arn(9)


@given(st.integers(1, 9999), st.none() | st.integers(1, 99999), st.none() | st.integers(1, 9999), st.none() | codes)
def test_a_description_fits_the_alias_and_comes_back(
    number: int, back: int | None, above: int | None, other: str | None
) -> None:
    long = "arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:model-package/perennial-" + "s" * 12 + "-" + "m" * 20
    said = Live(
        package_arn=f"{long}/{number}", run_id="m" * 20 + "-12345678-a99", since=1795240799, code="12345678",
        back=str(back) if back else None, above=above, not_code=other, did=other,
    )  # fmt: skip
    text = said.to_description()
    assert len(text) <= live.LENGTH
    found = live.parse(text)
    assert found is not None
    kept = (found.package_arn, found.run_id, found.since, found.code, found.above, found.not_code)
    assert kept == (said.package_arn, said.run_id, said.since, said.code, said.above, said.not_code)
    assert found.back in (said.back, None)


@given(st.sets(st.integers(1, 30), min_size=1), st.integers(1, 10), st.sets(st.integers(1, 30)))
def test_pruning_keeps_the_newest_and_what_is_needed(versions: set[int], keep: int, needed: set[int]) -> None:
    gone = {int(number) for number in deployment.to_prune(sorted(versions), keep, {str(n) for n in needed})}
    assert not gone & needed
    assert not gone & set(sorted(versions)[-keep:])
    assert versions - gone <= set(sorted(versions)[-keep:]) | needed


@pytest.mark.parametrize(
    ("passed", "policy", "first", "then"),
    [
        (False, "auto", Approval.REJECTED, Approval.REJECTED),
        (False, "manual", Approval.REJECTED, Approval.REJECTED),
        (True, "manual", Approval.PENDING, Approval.PENDING),
        (True, "auto", Approval.PENDING, Approval.APPROVED),
    ],
)
def test_the_gate_refuses_and_the_stage_approves(passed: bool, policy: str, first: Approval, then: Approval) -> None:
    decided = registration.decide(passed, ("it is good",), policy)
    assert (decided.first, decided.then) == (first, then)
    assert "it is good" in decided.reason


@given(st.lists(st.text(), max_size=60))
def test_a_reason_fits_into_the_registry(reasons: list[str]) -> None:
    decided = registration.decide(True, tuple(reasons), "auto")
    assert len(decided.reason) <= registration.DESCRIPTION_LENGTH
    assert "\n" not in decided.reason


@given(st.text())
def test_a_property_is_as_the_registry_takes_it(text: str) -> None:
    taken = registration.property_of(text)
    assert regex.fullmatch(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}", taken)  # SageMaker: CustomerMetadataValue


@given(st.from_regex(r"[a-z0-9-]{1,60}", fullmatch=True))
def test_the_token_of_a_run_is_one_that_sagemaker_takes(run_id: str) -> None:
    token = registration.client_token(run_id)
    assert len(token) <= 36
    assert token.isalnum()


def test_what_is_live_fits_into_an_aliass_description_and_comes_back() -> None:
    group = names.package_group("s" * 20, "m" * names.MODEL_NAME_LENGTH)
    package = f"arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:model-package/{group}/99999"
    said = Live(package_arn=package, run_id="m" * names.MODEL_NAME_LENGTH + "-12345678-a999")
    assert len(said.to_description()) <= 256
    assert live.parse(said.to_description()) == said


@pytest.mark.parametrize("text", ["", "no model yet", "[]", "1", "{}", '{"package_arn": "x"}', "null"])
def test_any_other_description_means_that_nothing_is_live(text: str) -> None:
    assert live.parse(text) is None


def asset(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return made.getvalue()


def test_a_package_is_the_same_bytes_whatever_order_or_time_its_asset_had() -> None:
    one = packaging.build(asset(a="1", b="2"), b"model", {"x": "y"})
    assert one == packaging.build(asset(b="2", a="1"), b"model", {"x": "y"})
    assert one != packaging.build(asset(a="1", b="2"), b"other", {"x": "y"})
    with zipfile.ZipFile(io.BytesIO(one)) as found:
        assert found.namelist() == ["a", "b", packaging.MODEL, packaging.RELEASE]


def test_building_upon_a_package_replaces_its_model() -> None:
    first = packaging.build(asset(a="1"), b"model", {"x": "1"})
    assert packaging.build(first, b"newer", {"x": "2"}) == packaging.build(asset(a="1"), b"newer", {"x": "2"})
