"""Asking a published version what it holds: a direct invocation, answered as any request, that leaves no line."""

from collections.abc import Mapping, Sequence
from typing import Any

from lambdas import wiring
from lifecycle import probe
from lifecycle.settings import Deploy


def ask(settings: Deploy, number: str, rows: Sequence[Mapping[str, Any]] | None = None) -> tuple[Any, str | None]:
    """Return (body, None) of a version's answer, or (None, why there is none): to rows, or what it holds."""
    called = wiring.functions().invoke(settings.predict_function, number, probe.event(settings.model, rows))
    if called.error:
        return None, called.error
    refused = probe.refusal(called.answer)
    return (None, refused) if refused else (probe.body_of(called.answer), None)
