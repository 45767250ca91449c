"""(claim as it stands, who asks, when) -> the claim as it must become, or a refusal.

The one primitive under everything that acts: events arrive twice, late and out of order, and a function can die between
any two calls. A claim is held for a lease, then anyone may take it with the next attempt; one that is done stays done.
`cloud.claims` writes what is decided here, on the condition that nobody wrote in between.
"""

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

CUT_LEASE_SECONDS: Final = 300
RUN_LEASE_SECONDS: Final = 24 * 3600
DEPLOY_LEASE_SECONDS: Final = 24 * 3600
JUDGING_LEASE_SECONDS: Final = 900  # as long as the function may take
RETRAIN_LEASE_SECONDS: Final = 900
MONITOR_LEASE_SECONDS: Final = 900  # no longer than Lambda lets a function run


def cut(dataset: str) -> str:
    """Name the claim of a dataset's one cutter."""
    return f"cut#{dataset}"


def run(model: str) -> str:
    """Name the claim of a model's one run."""
    return f"run#{model}"


def waiting(model: str) -> str:
    """Name the item that holds what waits for a model's run to end."""
    return f"waiting#{model}"


def version(model: str, data_version: str, spec_id: str) -> str:
    """Name the claim of one data version under one spec."""
    return f"version#{model}#{data_version}#{spec_id}"


def deploy(model: str) -> str:
    """Name the claim of a model's one deployment."""
    return f"deploy#{model}"


def judging(model: str) -> str:
    """Name the claim of whoever judges a model's live version; its value is an order to go back that is not done."""
    return f"judging#{model}"


def retrain(model: str) -> str:
    """Name the claim of whoever decides whether a model is trained anew."""
    return f"retrain#{model}"


def package(package_arn: str, code: str) -> str:
    """Name the claim of one model package deployed with one handler and configuration (`deployment.code_id`)."""
    return f"package#{package_arn}#{code}"


def monitor(model: str) -> str:
    """Name the claim of the one look at a model's traffic."""
    return f"monitor#{model}"


class State(StrEnum):
    """What a claim's item says: somebody works, nobody does, or the work is finished for good."""

    HELD = "held"
    FREE = "free"
    DONE = "done"


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """One claim. `expires_at` in epoch seconds (of a held one); `attempt` counts from 1 and is never used twice."""

    claim: str
    owner: str
    attempt: int
    expires_at: int
    state: State
    value: dict[str, Any] = field(default_factory=dict)

    def held_by_other(self, owner: str, now: float) -> bool:
        """Tell whether somebody other than `owner` works under a lease that has not run out at `now`."""
        return self.state is State.HELD and self.owner != owner and self.expires_at > now

    def to_plain(self) -> dict[str, Any]:
        """Return the table's attributes."""
        value = json.dumps(self.value, sort_keys=True)
        return {
            "claim": self.claim,
            "owner": self.owner,
            "attempt": self.attempt,
            "expires_at": self.expires_at,
            "state": str(self.state),
            "value": value,
        }

    @classmethod
    def from_plain(cls, item: dict[str, Any]) -> "Claim":
        """Read the table's attributes."""
        return cls(
            claim=str(item["claim"]),
            owner=str(item["owner"]),
            attempt=int(item["attempt"]),
            expires_at=int(item["expires_at"]),
            state=State(item["state"]),
            value=json.loads(item["value"]),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Taking:
    """The wish to hold a claim. `again` reopens one that is done, as the next attempt."""

    claim: str
    owner: str
    lease_seconds: int
    value: dict[str, Any] = field(default_factory=dict)
    again: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a claim cannot be had: `current` is held by somebody else, or done."""

    current: Claim


def take(current: Claim | None, wanted: Taking, now: float) -> Claim | Refused:
    """Decide on a wish to hold a claim.

    Who holds it already keeps it, attempt unchanged and lease renewed: asking twice is asking once. A claim that is
    free, or whose lease ran out, goes to the asker with the next attempt.
    """
    if current is None:
        attempt = 1
    elif current.held_by_other(wanted.owner, now) or (current.state is State.DONE and not wanted.again):
        return Refused(current)
    elif current.state is State.HELD and current.owner == wanted.owner:
        attempt = current.attempt
    else:
        attempt = current.attempt + 1
    return Claim(
        claim=wanted.claim,
        owner=wanted.owner,
        attempt=attempt,
        expires_at=int(now) + wanted.lease_seconds,
        state=State.HELD,
        value=wanted.value,
    )


def end(current: Claim | None, owner: str, state: State, value: dict[str, Any] | None = None) -> Claim | None:
    """Return the claim released (FREE) or finished (DONE) by `owner`, or None when it is not the owner's to end.

    `value` replaces what the claim says; None keeps it.
    """
    if current is None or current.state is not State.HELD or current.owner != owner:
        return None
    kept = current.value if value is None else value
    return replace(current, state=state, expires_at=0, value=kept)
