"""Records of the prediction log -> what each version of a rollout logged: rows, requests, failures, scores."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lifecycle.prediction_log import FAILURE
from lifecycle.significance import Sample

SCORES_KEPT: Final = 50_000  # of an arm; more say nothing that these do not, and cost memory


@dataclass(slots=True)
class Logged:
    """What one version logged so far."""

    rows: int = 0
    failures: int = 0
    _requests: float = 0.0
    _values: list[Any] = field(default_factory=list)
    _weights: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Requests that were answered: each of their rows says how many they are."""
        return round(self._requests)

    @property
    def scores(self) -> Sample:
        """The scores, each request counting once."""
        return Sample(values=tuple(self._values), weights=tuple(self._weights))

    def add(self, record: Mapping[str, Any]) -> None:
        """Count one record."""
        if record["kind"] == FAILURE:
            self.failures += 1
            return
        share = 1 / max(1, int(record.get("rows") or 1))
        self.rows += 1
        self._requests += share
        score = score_of(record)
        if score is not None and len(self._values) < SCORES_KEPT:
            self._values.append(score)
            self._weights.append(share)


def score_of(record: Mapping[str, Any]) -> float | str | None:
    """Return what a prediction answered: probability (binary), value (regression) or class (multiclass)."""
    for member in ("probability", "value"):
        if record.get(member).__class__ in (float, int):
            return float(record[member])
    decision = record.get("decision")
    return decision if decision.__class__ is str else None


def by_version(records: Iterable[Mapping[str, Any]], versions: Iterable[str]) -> dict[str, Logged]:
    """Return what each of `versions` logged; records of others are left out."""
    found = {version: Logged() for version in versions}
    for record in records:
        logged = found.get(str(record.get("arm")))
        if logged is not None:
            logged.add(record)
    return found
