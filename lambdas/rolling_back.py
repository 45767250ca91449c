"""An order to go back -> one move of the alias to a version that holds a model, wherever it was and whoever deploys.

A deployment that runs finds the alias moved and ends by itself. The same order given twice moves the alias once.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cloud.functions import Alias
from lambdas import serving_endpoint, wiring
from lambdas.asking import ask
from lambdas.deployment_record import record
from lambdas.observability import note
from lambdas.standing import alias_of, said_by, wanted_code
from lifecycle import claims, deployment, ledger, names
from lifecycle.claims import State
from lifecycle.errors import NotReady, Overtaken, PromotionRejected
from lifecycle.live import Live
from lifecycle.settings import Deploy

TRIES: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """`identity` is unique per order; `to` is a published version, or None: the one before the live one.

    `leaving` is the published version that has to be live alone, when an order is about that one only.
    """

    identity: str
    by: str
    reason: str
    to: str | None = None
    leaving: str | None = None

    @property
    def did(self) -> str:
        """What the alias's description says of the order."""
        return hashlib.sha256(self.identity.encode()).hexdigest()[:8]


def roll_back(settings: Deploy, order: Order) -> dict[str, Any]:
    """Carry an order out and return what is live then.

    Raises
    ------
    PromotionRejected
        when there is nothing to go back to, or the target holds no model that answers.
    Overtaken
        when another version than `order.leaving` is live by now, or another one has part of its traffic.
    NotReady
        when others changed the alias each time.
    """
    for _ in range(TRIES):
        alias = alias_of(settings)
        live = said_by(alias)
        if live is None:
            raise PromotionRejected(f"no model of {settings.model} is live, so there is nothing to go back from")
        if live.did == order.did:
            return _told(settings, order, alias, live, None)
        if order.leaving is not None and (alias.version != order.leaving or alias.weights):
            raise Overtaken(f"function version {order.leaving} is not the only one with traffic any more")
        number = _target(alias, live, order)
        asked = {"by": order.by, "reason": order.reason, "from": alias.version, "to": number}
        record(settings, ledger.ROLLBACK_ASKED, f"{order.identity}#asked", asked)
        said = _said(settings, order, alias, live, number)
        wanted = Alias(version=number, description=said.to_description(), revision=alias.revision, weights={})
        try:
            wiring.functions().point(settings.predict_function, names.LIVE, wanted)
        except NotReady as error:
            note("alias changed meanwhile", reason=str(error))
            continue
        return _told(settings, order, wanted, said, alias.version)
    raise NotReady(f"the alias {names.LIVE} of {settings.predict_function} changed {TRIES} times meanwhile; try again")


def _target(alias: Alias, live: Live, order: Order) -> str:
    if order.to is not None:
        if order.to == alias.version and not alias.weights:
            raise PromotionRejected(f"version {live.number} (function version {alias.version}) is live already")
        return order.to
    if alias.weights:
        return alias.version  # in the middle of a rollout: all traffic to the live version
    if live.back is None:
        raise PromotionRejected(
            f"version {live.number} has no version before it to go back to: it is the first one, or was gone back to. "
            "Name the version: --to VERSION or --to-time TIME"
        )
    return live.back


def _said(settings: Deploy, order: Order, alias: Alias, live: Live, number: str) -> Live:
    described, refused = ask(settings, number)
    if refused or not described.get("package_arn"):
        why = refused or "it does not say which model package it holds"
        raise PromotionRejected(f"{settings.predict_function}:{number} cannot take over: {why}. Nothing was changed.")
    serving_endpoint.require(described)
    configuration = wiring.functions().version(settings.predict_function, number).configuration
    target = Live(
        package_arn=described["package_arn"],
        run_id=described["run_id"],
        since=int(wiring.now()),
        code=deployment.code_id(described["asset_key"], configuration),
        did=order.did,
    )
    candidate = _candidate(settings) if alias.weights else None
    return deployment.rolled_back(live, target, wanted_code(settings), candidate)


def _candidate(settings: Deploy) -> str | None:
    """The package that is being deployed now, if any."""
    held = wiring.claims(settings.claims_table).read(claims.deploy(settings.model))
    return held.value.get("package_arn") if held is not None and held.state is State.HELD else None


def _told(settings: Deploy, order: Order, alias: Alias, live: Live, previous: str | None) -> dict[str, Any]:
    """Write what happened to the ledger, the bus and people; `previous` is unknown when the order came twice."""
    described, _ = ask(settings, alias.version)
    data: Mapping[str, Any] = described or {}
    detail = {
        "package_arn": live.package_arn,
        "model_version": str(live.number),
        "run_id": live.run_id,
        "data_version": data.get("data_version"),
        "version": alias.version,
        "previous": previous,
        "code": live.code,
        "by": order.by,
        "reason": order.reason,
    }
    record(settings, ledger.ROLLED_BACK, f"{order.identity}#done", detail)
    wiring.events().announce(names.MODEL_LIVE, {"stage": settings.stage, "model": settings.model, **detail})
    text = f"By: {order.by}\nReason: {order.reason}\nFunction version {alias.version} has all traffic now."
    subject = f"[{settings.stage}] {settings.model}: rolled back to version {live.number}"
    wiring.notices(settings.topic).tell(subject, text)
    note("rolled back", version=alias.version, package=live.package_arn)
    return detail
