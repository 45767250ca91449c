"""What the calendar and the route say about a flight: used by training and, unchanged, by the live function.

`features(row)` gets one row with the contract's kinds (numbers, text, None for what is missing) and returns the
columns that model.yaml lists under `derived`. Standard library only; no clock, no files, no network.
"""

from datetime import date


def features(row: dict) -> dict:
    """Return what the raw columns do not say plainly."""
    departs = minutes(row["sched_dep_time"])
    planned = (minutes(row["sched_arr_time"]) - departs) % 1440
    return {
        "hour": departs // 60,
        "departs": departs,  # 1659 and 1701 are two minutes apart, not 42
        "planned_minutes": planned,  # on the two airports' own clocks, so route and schedule padding together
        "weekday": WEEKDAYS[date(row["year"], row["month"], row["day"]).weekday()],
        "route": f"{row['origin']}-{row['dest']}",
        "carrier_origin": f"{row['carrier']}-{row['origin']}",  # an airline's own hub runs differently
    }


WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def minutes(clock: int) -> int:
    """Read 1745 as minutes since midnight: 1065."""
    return clock // 100 * 60 + clock % 100
