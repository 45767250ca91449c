"""stages.yaml, `throttle` and `cors` -> how the front door of a stage treats strangers and browsers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ORIGIN = r"^(\*|https://[^/\s*]+|http://(localhost|127\.0\.0\.1)(:\d+)?)$"
NAME = r"^(\*|[A-Za-z0-9!#$%&'*+.^_`|~-]+)$"


class Throttle(BaseModel):
    """What each route lets through, all callers together: `rate` requests a second, `burst` at once.

    A wrong client in a loop must not cost a fortune; raise the figures when real traffic comes near. The account's own
    limit (10,000 a second, if it was never raised) stands above both.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: Annotated[float, Field(gt=0, le=10_000)] = 200
    burst: Annotated[int, Field(ge=1, le=5_000)] = 400


class Cors(BaseModel):
    """Which web pages may call the API from a browser. Without it none may."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    origins: Annotated[list[Annotated[str, Field(pattern=ORIGIN)]], Field(min_length=1)]
    methods: tuple[Literal["GET", "POST", "*"], ...] = ("GET", "POST")
    headers: tuple[Annotated[str, Field(pattern=NAME)], ...] = ("authorization", "content-type")
    max_age: Annotated[int, Field(ge=0, le=86_400)] = 600
    credentials: bool = False

    @model_validator(mode="after")
    def _credentials_need_names(self) -> "Cors":
        # a browser refuses `*` beside credentials (Fetch standard, "CORS protocol and credentials")
        everything = [name for name in ("origins", "methods", "headers") if "*" in getattr(self, name)]
        if self.credentials and everything:
            raise ValueError(f"credentials need names instead of * in {', '.join(everything)}")
        return self
