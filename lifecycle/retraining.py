"""What an owner decided about retraining: what starts a run by itself, and what holds one back."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Retraining:
    """When a new run starts by itself: on an upload, on an alarm, every so many days.

    `cooldown_hours` pass between runs that alarms or the schedule start; a calendar month (UTC) holds at most
    `runs_per_month` of them and `instance_minutes_per_month` of their jobs. With `learn_from_feedback`, labels that
    came back are joined with their logged rows into a new data version first, once there are `min_new_labels` of them.
    `go_back` returns to the version before when that one is better on the same labelled rows.
    """

    on_upload: bool = True
    on_alarm: bool = True
    every_days: int | None = None
    cooldown_hours: float = 24.0
    runs_per_month: int = 30
    instance_minutes_per_month: int = 1200
    learn_from_feedback: bool = False
    min_new_labels: int = 200
    go_back: bool = True
