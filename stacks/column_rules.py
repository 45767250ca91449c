"""What a model.yaml may say about columns: kind, bounds and rules (pydantic)."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from lifecycle.encoding import PARTS
from lifecycle.preparation import ENCODE, IMPUTE, SCALE
from lifecycle.spec import Kind

Share = Annotated[float, Field(ge=0, le=1)]


class Keys(BaseModel):
    """A mapping whose keys are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def _quoted(value: Any) -> Any:
    if isinstance(value, list) and (wrong := [entry for entry in value if not isinstance(entry, str)]):
        raise ValueError(f"must be texts; YAML reads {wrong[0]!r} as {type(wrong[0]).__name__}: put it in quotes")
    return value


def _day(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


Private = bool | Literal["drop", "hash"]


def _dropped(value: Any) -> Any:
    """`drop` is the longer word for true."""
    return True if value == "drop" else value


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Preparing(Keys):
    """How values become model input, where the default of the family is not wanted."""

    impute: Literal[IMPUTE[:-1]] | Number | None = None  # type: ignore[valid-type]
    """what stands in for a missing number: a word, or a number"""
    indicator: bool = False
    """true adds an input that is 1 where the number was missing"""
    scale: Literal[SCALE] | None = None  # type: ignore[valid-type]
    """how numbers are scaled"""
    encode: Literal[ENCODE] | None = None  # type: ignore[valid-type]
    """how categories become numbers; target: by the mean of the target, cross-fitted in training"""


class Rule(Preparing):
    """What holds for the values of a column."""

    kind: Kind
    """number, integer, boolean, category, datetime, text or id (text and id are no features by themselves)"""
    min: float | None = None
    """smallest value allowed (number, integer)"""
    max: float | None = None
    """largest value allowed (number, integer)"""
    categories: Annotated[list[str] | None, BeforeValidator(_quoted)] = Field(default=None, min_length=1)
    """all values allowed (category), in quotes; left out, the training data says"""
    unseen: Literal["allow", "reject"] = "allow"
    """what happens to a category that the training data did not hold"""
    max_null_share: Share = 1.0
    """share of missing values that a data version may have; 0 also makes the value required over HTTP"""
    unique: bool = False
    """no value may occur twice in a data version"""
    private: Annotated[bool | Literal["hash"], BeforeValidator(_dropped, json_schema_input_type=Private)] = False
    """values stay out of profiles, reports and logs; counts do not (hash: the prediction log holds a pseudonym)"""
    feature: bool = True
    """false keeps the column out of the model"""
    since: Annotated[str | None, BeforeValidator(_day)] = None
    """the day from which files have the column; older rows get `default`"""
    monotonic: Literal["increasing", "decreasing"] | None = None
    """the answer may only rise (fall) as the value grows, all else equal (number, integer; boosted trees)"""
    default: bool | float | str | None = None
    """what rows get that are older than the column"""
    parts: Annotated[list[Literal[tuple(PARTS)]] | None, Field(min_length=1)] = None  # type: ignore[valid-type]
    """what a time becomes (datetime); default: hour, weekday, day, month"""


def _kind_only(value: Any) -> Any:
    return {"kind": value} if isinstance(value, str) else value


DerivedKind = Literal["number", "integer", "boolean", "category"]


class Derived(Preparing):
    """What holds for a value that features.py returns."""

    kind: DerivedKind
    """how it is read"""


DerivedWord = Annotated[Derived, BeforeValidator(_kind_only, json_schema_input_type=DerivedKind | Derived)]
Column = Annotated[Rule, BeforeValidator(_kind_only, json_schema_input_type=Kind | Rule)]
