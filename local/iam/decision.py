"""Allow or deny: the statements of the caller and of the resource, within one account.

Source: IAM user guide, "Policy evaluation logic": an explicit deny wins; else an allow of either side will do. Keys are
stricter (KMS guide, "Key policies"): a role's own policy counts only where the key's policy hands over to the account.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from local.api import ACCOUNT
from local.iam.statements import Context, Statement

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@dataclass(frozen=True, slots=True)
class Need:
    """What a call needs: an action on a resource, and what conditions may ask of it.

    `kms` are the actions on the key that encrypts the resource, which the caller needs as well; `key` names another
    key than the resource's own.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    kms: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Granted:
    """What allowed a call: a statement's name, with its action and resource as they are written there."""

    statement: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a call is refused, in the words of AWS's messages."""

    why: str


def decide(
    need: Need, context: Context, principal: tuple[str, str], own: Sequence[Statement], others: Sequence[Statement]
) -> Granted | Denied:
    """Decide on one need of `principal`, which is (`AWS`, role ARN) or (`Service`, name).

    `own` are the statements of its identity policies, `others` those of the resource's policy that fit the action.
    """
    asked = [s for s in others if _names(s, principal)]
    for kind, held in (("an identity-based", own), ("a resource-based", asked)):
        if any(not s.allows and _fits(s, need, context) for s in held):
            return Denied(f"with an explicit deny in {kind} policy")
    own_counts = not need.action.startswith("kms:") or any(
        s.allows and ("AWS", ROOT) in s.principals and _fits(s, need, context) for s in others
    )
    for statement in (*(own if own_counts else ()), *asked):
        if statement.allows and _fits(statement, need, context):
            # both fit: they are what is asked, where they stand for more
            action, resource = statement.action(need.action), statement.resource(need.resource)
            return Granted(statement.name, action or need.action, resource or need.resource)
    kind = "identity-based" if principal[0] == "AWS" and own_counts else "resource-based"
    return Denied(f"because no {kind} policy allows the {need.action} action")


def about(held: Iterable[Statement], action: str) -> tuple[Statement, ...]:
    """Return the statements that say anything of an action."""
    return tuple(s for s in held if s.action(action) is not None)


def _fits(statement: Statement, need: Need, context: Context) -> bool:
    return (
        statement.action(need.action) is not None
        and statement.resource(need.resource) is not None
        and statement.met(context)
    )


def _names(statement: Statement, principal: tuple[str, str]) -> bool:
    # whether AWS counts its services among all is not written; the stricter reading is that only a deny means them
    everybody = principal[0] == "AWS" or not statement.allows
    return principal in statement.principals or (everybody and ("AWS", "*") in statement.principals)
