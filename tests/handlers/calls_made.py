"""The calls that functions make, counted as they leave the client."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from lambdas import wiring


@dataclass
class Calls:
    """Parameters of each call, by operation."""

    made: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, operation: str) -> list[dict[str, Any]]:
        return self.made.get(operation, [])

    def label_hours(self) -> list[str]:
        """The hours of which labels were asked, as often as they were."""
        return [call["ExpressionAttributeValues"][":hour"]["S"] for call in self.of("Query")]

    def log_listings(self) -> int:
        return sum(call["Prefix"].startswith("predictions/") for call in self.of("ListObjectsV2"))

    def log_objects(self) -> list[str]:
        """The objects of the log that were fetched, as often as they were."""
        return [call["Key"] for call in self.of("GetObject") if call["Key"].startswith("predictions/")]


@contextmanager
def counted(*services: str) -> Iterator[Calls]:
    """Count the calls that functions make of these services."""
    calls = Calls()

    def count(params: dict[str, Any], model: Any, **_: Any) -> None:
        calls.made.setdefault(model.name, []).append(dict(params))

    for service in services:
        wiring.client(service).meta.events.register(f"provide-client-params.{service}", count)
    yield calls
    for service in services:
        wiring.client(service).meta.events.unregister(f"provide-client-params.{service}", count)
