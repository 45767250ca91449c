"""What `objective`, `monitoring` and `retraining` of a model.yaml may say (pydantic)."""

from typing import Annotated, Literal

from pydantic import Field

from stacks.column_rules import Keys

Amount = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_METRICS = ("log_loss", "brier_loss", "rmse_error", "mae_error", "money_score")


class MoneyKeys(Keys):
    """What each outcome of a decision is worth (binary); costs are negative, what is left out is worth nothing."""

    unit: Annotated[str, Field(min_length=1, max_length=12)]
    """currency, as reports write it"""
    true_positive: Amount = 0.0
    """decided positive, and it was"""
    false_positive: Amount = 0.0
    """decided positive, and it was not: a false alarm"""
    true_negative: Amount = 0.0
    """decided negative, and it was"""
    false_negative: Amount = 0.0
    """decided negative, and it was not: a miss"""


class ObjectiveKeys(Keys):
    """The one figure that gate, report, dashboard and alarm speak in."""

    metric: Literal[_METRICS] | None = None  # type: ignore[valid-type]
    """default: money_score where money is given, else log_loss (classes) or rmse_error (regression)"""
    money: MoneyKeys | None = None
    """what outcomes are worth; the threshold is then chosen for it, unless decision says otherwise"""


class MonitoringKeys(Keys):
    """How a model is watched."""

    prediction_log: bool = True
    """one log line per scored row; without it nothing is watched"""
    every_minutes: Literal[60, 120, 180, 240, 360, 480, 720, 1440, 4320, 10080] = 60
    """how often the window is judged: up to a week, where there is little traffic"""
    window_hours: Annotated[int, Field(ge=1, le=31 * 24)] = 24
    """how far back it reaches"""
    min_rows: Annotated[int, Field(ge=50, le=10_000_000)] = 500
    """with fewer rows in the window no drift is judged"""
    min_labels: Annotated[int, Field(ge=30, le=10_000_000)] = 200
    """with fewer labels quality is estimated, not judged"""
    false_alarms: Annotated[float, Field(gt=0, le=0.2)] = 0.01
    """largest share of windows of unchanged data that may raise an alert, all features together"""
    min_psi: Annotated[float, Field(gt=0, le=5)] = 0.1
    """smallest shift (population stability index) that matters"""
    max_missing: Annotated[float, Field(gt=0, le=1)] = 0.1
    """rise of a feature's share of missing values that counts as drift"""
    max_quality_drop: Annotated[float, Field(ge=0)] = 0.0
    """how much worse than on its holdout the model may be, in the objective's unit"""
    confirm: Annotated[int, Field(ge=1, le=100)] = 2
    """bad windows in a row before an alert begins"""
    clear: Annotated[int, Field(ge=1, le=100)] = 2
    """good windows in a row before it ends"""
    stale_hours: Annotated[int, Field(ge=1, le=31 * 24)] = 48
    """hours without a prediction that raise an alert"""


class RetrainingKeys(Keys):
    """When a run starts by itself."""

    on_upload: bool = True
    """each new data version starts a run"""
    on_alarm: bool = True
    """drift, and a loss of quality, start a run"""
    every_days: Annotated[int, Field(ge=1, le=366)] | None = None
    """a run every so many days"""
    cooldown_hours: Annotated[float, Field(ge=0, le=31 * 24)] = 24.0
    """between runs that alarms or the schedule start"""
    runs_per_month: Annotated[int, Field(ge=1, le=1000)] = 30
    """runs that alarms or the schedule may start in a calendar month (UTC)"""
    instance_minutes_per_month: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    """minutes that their jobs may take together"""
    learn_from_feedback: bool = False
    """labels that came back become training rows, with the logged rows they belong to"""
    min_new_labels: Annotated[int, Field(ge=1, le=10_000_000)] = 200
    """new labels that are worth a run (learn_from_feedback)"""
    go_back: bool = True
    """return to the version before when that one is better on the same labelled rows"""
