"""The records of a model's runs, as far as decisions about the next one need them."""

from typing import Final

from cloud.objects import Bucket
from lifecycle import keys
from lifecycle.retrain_decision import Past, past_of

NEWEST: Final = 200
"""Runs that are looked at: a month's, and what came before them."""


def past_runs(artifacts: Bucket, model: str) -> list[Past]:
    """Return a model's runs, oldest first, the newest `NEWEST` of them."""
    prefix = keys.runs(model)
    listed = [
        key for key in artifacts.keys(prefix) if key.endswith("/run.json") and key.count("/") == prefix.count("/") + 1
    ]
    records = [artifacts.read_json(key) for key in listed]
    return sorted((past_of(one) for one in records if one), key=lambda run: run.started)[-NEWEST:]
