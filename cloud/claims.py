"""Claims in DynamoDB: what `lifecycle.claims` decides, written on the condition that the item is as it was read.

Key `claim` (string). The table must have no time to live: a claim that is done stays done.
"""

from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from cloud.conditional_put import put_if
from cloud.faults import translated
from lifecycle import claims
from lifecycle.claims import Claim, Refused, State, Taking
from lifecycle.errors import ClaimHeld, Unavailable

TRIES: Final = 12
_COMPARED: Final = ("owner", "attempt", "state", "expires_at", "value")


class Claims:
    """The claims table."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def read(self, claim: str) -> Claim | None:
        """Return a claim as it stands now (a consistent read), or None when nobody ever took it."""
        with translated(f"read claim {claim}"):
            answer = self._dynamodb.get_item(TableName=self._table, Key={"claim": {"S": claim}}, ConsistentRead=True)
        item = answer.get("Item")
        return Claim.from_plain(_plain(item)) if item else None

    def take(self, wanted: Taking, now: float) -> Claim | Refused:
        """Take or renew a claim at `now` (epoch seconds).

        Raises Unavailable when others kept changing it; try again.
        """
        for _ in range(TRIES):
            current = self.read(wanted.claim)
            decided = claims.take(current, wanted, now)
            if isinstance(decided, Refused) or self._write(current, decided):
                return decided
        raise Unavailable(f"claim {wanted.claim} changed {TRIES} times while {wanted.owner} tried to take it")

    def hold(self, wanted: Taking, now: float) -> Claim:
        """Take or renew a claim, or raise ClaimHeld naming who has it."""
        taken = self.take(wanted, now)
        if isinstance(taken, Refused):
            held = taken.current
            raise ClaimHeld(
                f"claim {held.claim} is {held.state} by {held.owner} (attempt {held.attempt}) until {held.expires_at}"
            )
        return taken

    def release(self, claim: str, owner: str, value: dict[str, Any] | None = None) -> bool:
        """Give a claim back, with `value` as what it says (None keeps it); False when `owner` does not hold it."""
        return self._end(claim, owner, State.FREE, value)

    def finish(self, claim: str, owner: str, value: dict[str, Any] | None = None) -> bool:
        """Mark the work under a claim as done for good; False when `owner` does not hold it."""
        return self._end(claim, owner, State.DONE, value)

    def put(self, current: Claim | None, changed: Claim) -> bool:
        """Write `changed` if the item still is `current`; False when somebody was faster."""
        return self._write(current, changed)

    def _end(self, claim: str, owner: str, state: State, value: dict[str, Any] | None) -> bool:
        for _ in range(TRIES):
            current = self.read(claim)
            ended = claims.end(current, owner, state, value)
            if ended is None:
                return False
            if self._write(current, ended):
                return True
        raise Unavailable(f"claim {claim} changed {TRIES} times while {owner} tried to end it")

    def _write(self, current: Claim | None, changed: Claim) -> bool:
        request: dict[str, Any] = {"TableName": self._table, "Item": _item(changed.to_plain())}
        if current is None:
            request["ConditionExpression"] = "attribute_not_exists(claim)"
        else:
            before = current.to_plain()
            names = {f"#{name}": name for name in _COMPARED}
            values = _item({f":{name}": before[name] for name in _COMPARED})
            request["ConditionExpression"] = " AND ".join(f"#{name} = :{name}" for name in _COMPARED)
            request["ExpressionAttributeNames"] = names
            request["ExpressionAttributeValues"] = values
        return put_if(self._dynamodb, request, f"write claim {changed.claim}")


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    read = TypeDeserializer()
    return {name: read.deserialize(value) for name, value in item.items()}


def _item(plain: dict[str, Any]) -> dict[str, Any]:
    write = TypeSerializer()
    return {name: write.serialize(value) for name, value in plain.items()}
