"""What every step of a deployment leaves in the ledger, under an id of its own, so that writing twice writes once."""

from collections.abc import Mapping
from typing import Any

from lambdas import wiring
from lifecycle import ledger
from lifecycle.ledger import Entry
from lifecycle.settings import Deploy

_FACTS = ("package_arn", "model_version", "run_id", "data_version")


def facts(planned: Mapping[str, Any]) -> dict[str, Any]:
    """Return what every entry of a deployment says about the model."""
    return {name: planned[name] for name in _FACTS}


def record(settings: Deploy, kind: str, entry_id: str, detail: Mapping[str, Any]) -> None:
    """Write one entry to the model's ledger."""
    entry = Entry(
        subject=ledger.model(settings.model),
        kind=kind,
        id=entry_id,
        at=wiring.iso(wiring.now()),
        detail=dict(detail),
    )
    wiring.ledger(settings.ledger_writer).record(entry)
