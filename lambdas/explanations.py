"""`?explain=true` -> what each feature contributed to each prediction. Imported by the first request that asks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lifecycle.errors import ModelRejected
from lifecycle.explain import Explainer, Explanation
from lifecycle.problem import Problem
from lifecycle.scoring import CompiledModel

PARAMETER: Final = "explain"
MAX_ROWS: Final = 20
"""A row takes a thousand times as long to explain as to score: this many stay well below the function's time-out."""


def asked(event: Mapping[str, Any]) -> bool:
    """Return whether a request (payload format 2.0) asks for explanations. Raises Problem for an unclear wish."""
    said = (event.get("queryStringParameters") or {}).get(PARAMETER, "false")
    if said not in ("true", "false"):
        raise Problem(400, f"the query parameter {PARAMETER} is {said[:40]!r}; it can be true or false, once")
    return bool(said == "true")


class Explanations:
    """Explains the rows of one model."""

    def __init__(self, model: CompiledModel) -> None:
        try:
            self._explainer = Explainer(model)
        except ModelRejected as error:
            raise Problem(422, str(error)) from error
        self._classes = model.classes if model.task == "multiclass" else None

    def of(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return one explanation per typed row. Raises Problem when there are more than MAX_ROWS."""
        if len(rows) > MAX_ROWS:
            detail = f"{len(rows)} rows; with {PARAMETER}=true a request may have {MAX_ROWS}. Send fewer rows at once"
            raise Problem(413, detail)
        return [self._plain(self._explainer.explain(row, typed=True)) for row in rows]

    def _plain(self, found: Sequence[Explanation]) -> dict[str, Any]:
        parts = [{"base": one.base, "contributions": dict(one.contributions)} for one in found]
        if self._classes is None:
            return {"of": self._explainer.of, **parts[0]}
        return {"of": self._explainer.of, "classes": dict(zip(self._classes, parts, strict=True))}
