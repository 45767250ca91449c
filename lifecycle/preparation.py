"""What a model.yaml says about preprocessing, of all columns of a candidate or of one -> what holds for a column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

IMPUTE: Final = ("mean", "median", "most-frequent", "none", "constant")
SCALE: Final = ("standard", "min-max", "robust", "none")
ENCODE: Final = ("one-hot", "ordinal", "target")


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How values become model input; what is None or False is left to the default encoding (`lifecycle.encoding`).

    `impute` says what stands in for a missing number (`constant`: the number `fill`; `none`: it stays one), `indicator`
    adds an input that is 1 where it was missing, `scale` is of numbers, `encode` of categories, `parts` are those of a
    time.
    """

    impute: str | None = None
    fill: float | None = None
    indicator: bool = False
    scale: str | None = None
    encode: str | None = None
    parts: tuple[str, ...] = ()

    @property
    def of_numbers(self) -> bool:
        """Whether it says anything about numbers."""
        return self.impute is not None or self.indicator or self.scale is not None

    def over(self, wider: "Preparation") -> "Preparation":
        """Return what holds for a column: what it says itself, otherwise what its candidate says."""
        own = self.impute is not None
        return Preparation(
            impute=self.impute if own else wider.impute,
            fill=self.fill if own else wider.fill,
            indicator=self.indicator or wider.indicator,
            scale=self.scale or wider.scale,
            encode=self.encode or wider.encode,
            parts=self.parts or wider.parts,
        )


NOTHING: Final = Preparation()


def preparation_of(plain: Mapping[str, Any]) -> Preparation:
    """Return what a spec file holds."""
    parts: Sequence[str] = plain.get("parts", ())
    return Preparation(**{**plain, "parts": tuple(parts)})
