"""Features that drifted -> how much the live model's score hangs on each, in rows of this window."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lambdas.monitoring_hours import Found, Hours
from lifecycle.errors import ModelRejected, RequestRejected, SpecRejected
from lifecycle.permutation import Row, score_changes
from lifecycle.scoring import CompiledModel
from lifecycle.shadow import private_features
from tabular.logged_rows import smallest

PACKAGE: Final = Path(__file__).resolve().parent.parent
ROWS: Final = 500
HOURS: Final = 24
FEATURES: Final = 20
SEED: Final = 7


def permutations(
    hours: Hours, found: Found, compiled: bytes, features: Sequence[str]
) -> tuple[dict[str, float], list[str]]:
    """Return the mean change of the score by feature, and why there is none for some or all.

    At most 500 rows of the window's newest hours are scored, for at most 20 features.
    """
    chosen = list(features)[:FEATURES]
    if not chosen:
        return {}, []
    try:
        model = CompiledModel.load(compiled, PACKAGE)
        why_not = _why_not(model)
    except (ModelRejected, SpecRejected) as error:
        why_not = str(error)
    if why_not is not None:
        return {}, [f"no permutation importance: {why_not}"]
    newest = [found.stems[hour] for hour in sorted(found.stems)[-HOURS:]]
    rows = smallest([hours.sample(stem) for stem in newest], ROWS)
    return score_changes(rows, _scorer(model), chosen, SEED), []


def _why_not(model: CompiledModel) -> str | None:
    if model.remote:
        return "an endpoint serves this model"
    hidden = private_features(model.contract)
    return f"{', '.join(hidden)}: private, so not in the log, and a feature" if hidden else None


def _scorer(model: CompiledModel) -> Any:
    def score(row: Row) -> list[float] | None:
        try:
            return model.outputs([row])[0]
        except RequestRejected:
            return None

    return score
