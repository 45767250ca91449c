"""What is registered and deployed, from the state alone."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import deployment, live, names, packaging, registration
from lifecycle.deployment import Standing
from lifecycle.live import Live
from lifecycle.registration import Approval


def arn(number: int) -> str:
    return f"arn:aws:sagemaker:us-east-1:123456789012:model-package/perennial-dev-flights/{number}"


numbers = st.none() | st.integers(1, 5)


@given(numbers, numbers, st.booleans())
def test_a_deployment_never_goes_back_and_ends_when_nothing_differs(
    approved: int | None, running: int | None, changed: bool
) -> None:
    standing = Standing(
        approved=arn(approved) if approved else None,
        live=arn(running) if running else None,
        live_version="1",
        changed=changed,
    )
    planned = deployment.decide(standing).package_arn
    assert planned in (None, standing.approved, standing.live)
    if planned is not None:
        assert deployment.number_of(planned) >= (running or 0)
        after = Standing(approved=standing.approved, live=planned, live_version="2", changed=False)
        assert deployment.decide(after).package_arn is None, "deploying what was planned settles it"


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
