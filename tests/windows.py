"""Windows of monitoring as the monitor function writes them, made up: quiet, drifted, not judged, money, estimated."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

END = datetime(2026, 11, 21, 10, tzinfo=UTC)


def iso(hours_ago: float = 0.0) -> str:
    return (END - timedelta(hours=hours_ago)).isoformat().replace("+00:00", "Z")


def feature(name: str, severity: float = 0.0, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "number",
        "psi": 0.004 + severity * 0.1,
        "distance": 0.011 + severity * 0.05,
        "statistic": 1.2 + severity * 300,
        "p": 1e-12 if severity else 0.43,
        "corrected": 3e-10 if severity else 1.0,
        "limit": 0.1,
        "severity": severity,
        "missing": 0.0123,
        "missing_before": 0.01,
        "importance": 0.05,
        "drifted": severity >= 1,
        "since": iso(3) if severity >= 1 else None,
        "permutation": 0.0123 if severity >= 1 else None,
        **changes,
    }


def shares(count: int, seed: int, labels: list[str] | None = None) -> dict[str, Any]:
    random = Random(seed)
    before = [random.random() + 0.1 for _ in range(count)]
    now = [share * random.uniform(0.5, 1.8) for share in before]
    return {
        "labels": labels or [f"{5 * i} to {5 * i + 5}" for i in range(count - 1)] + ["missing"],
        "before": [share / sum(before) for share in before],
        "now": [share / sum(now) for share in now],
    }


def history(count: int = 72, *, drift_from: int | None = None, metric: float = 0.41) -> list[dict[str, Any]]:
    """Looks of the hours before: a night without traffic is a gap, labels come after the first day."""
    random, found = Random(7), []
    for i in range(count):
        night = i % 24 in (2, 3, 4)
        bad = drift_from is not None and i >= drift_from
        value = metric + (0.05 if bad else 0.0) + random.gauss(0, 0.004)
        found.append(
            {
                "at": iso(count - 1 - i),
                "features_drifted": None if night else 3 * bad,
                "worst_drift": None if night else (3.1 if bad else 0.3) + random.random() / 3,
                "score_drift": None if night else (1.4 if bad else 0.1) + random.random() / 9,
                "quality": None if night else value,
                "low": None if night or i < 24 else value - 0.012,
                "high": None if night or i < 24 else value + 0.012,
                "estimate": i < 24,
                "rows": 0 if night else 4000 + random.randrange(900),
                "coverage": None if night else min(0.62, i / 100),
                "model_version": "2" if i < 10 else "3",
            }
        )
    return found


def window(**changes: Any) -> dict[str, Any]:
    """A quiet window of a binary model."""
    names = ("distance", "origin", "carrier", "dep_time", "wind_speed", "visibility")
    return {
        "schema": 1,
        "stage": "dev",
        "model": "flights",
        "run_id": "flights-1a2b3c4d-a1",
        "model_version": "3",
        "at": iso(-0.2),
        "since": iso(24),
        "until": iso(),
        "rows": 24310,
        "labelled": 15020,
        "staleness_hours": 0.3712,
        "newest": iso(0.2),
        "judged": True,
        "notes": [],
        "drift": {
            "features": [feature(name) for name in names],
            "drifted": [],
            "worst": 0.0,
            "worst_missing": 0.002,
            "score": feature("score", importance=0.0),
        },
        "distributions": {
            "score": shares(10, 1, [f"{i / 10:.1f} to {i / 10 + 0.1:.1f}" for i in range(10)]),
            "features": {name: shares(12, i) for i, name in enumerate(names)}
            | {"carrier": shares(6, 9, ["UA", "B6", "EV", "DL", "all others", "missing"])},
        },
        "quality": {
            "metric": "log_loss", "value": 0.412, "low": 0.401, "high": 0.423, "reference": 0.408, "drop": 0.0,
            "rows": 15020, "estimate": False, "money": None,
        },
        "slices": [
            {"column": "origin", "value": "LGA", "rows": 3120, "metric": "log_loss", "score": 0.51, "overall": 0.412},
            {"column": "carrier", "value": "F9", "rows": 310, "metric": "log_loss", "score": 0.49, "overall": 0.412},
        ],
        "history": history(),
        "alerts": [],
        "retraining": None,
        **changes,
    }  # fmt: skip


def drifted(count: int = 300) -> dict[str, Any]:
    """A wide model of which seven features drifted, one of them by losing its values."""
    features = [
        feature("air_time_since_the_last_departure_in_minutes", 42.7, psi=4.2),
        feature("origin", 3.4, kind="category"),
        feature("dep_delay_of_the_aircraft", 2.2, missing=0.61, missing_before=0.02),
        feature("wind_gust", 0.6, drifted=True, since=iso(30)),
        feature("humidity", 1.3, drifted=False, since=None),
        feature("tail_number", psi=0.8, limit=None, importance=0.0),
        feature("day_of_year", psi=7.1, limit=None),
        *(feature(f"sensor_{i:03}", importance=1 / 300) for i in range(count - 7)),
    ]
    names = [one["name"] for one in features if one["drifted"]]
    return window(
        drift={
            "features": features,
            "drifted": names,
            "worst": 42.7,
            "worst_missing": 0.59,
            "score": feature("score", 1.6, importance=0.0),
        },
        distributions={
            "score": shares(20, 5),
            "features": {one["name"]: shares(20, i) for i, one in enumerate(features[:20])}
            | {"origin": shares(5, 3, ["EWR", "JFK", "LaGuardia (New York City)", "all others", "missing"])},
        },
        quality={
            "metric": "log_loss", "value": 0.468, "low": 0.457, "high": 0.479, "reference": 0.408, "drop": 0.049,
            "rows": 15020, "estimate": False, "money": None,
        },
        history=history(500, drift_from=440),
        alerts=["drift", "scores", "quality"],
        retraining={"decision": "wait", "reason": "a run started 5 h ago, cooldown is 24 h", "until": iso(-19)},
    )  # fmt: skip


def not_judged() -> dict[str, Any]:
    """No version is live, so there is nothing to compare with; the first look of all."""
    return window(
        run_id=None,
        model_version=None,
        rows=0,
        labelled=0,
        judged=False,
        notes=["no model is live yet: there is nothing to judge"],
        drift={"features": [], "drifted": [], "worst": 0.0, "worst_missing": 0.0, "score": None},
        distributions={"features": {}, "score": None},
        quality=None,
        slices=[],
        history=[],
        alerts=[],
    )


def few() -> dict[str, Any]:
    """Too few rows to judge, after an alert that nothing has ended."""
    features = [feature("distance", severity=0.0, psi=0.7, drifted=True, since=iso(9)), feature("origin", psi=0.31)]
    return window(
        rows=120,
        labelled=3,
        judged=False,
        notes=["120 rows in the window, 500 are needed (monitoring.min_rows)"],
        drift={
            "features": features,
            "drifted": ["distance"],
            "worst": 0.0,
            "worst_missing": 0.0,
            "score": feature("score"),
        },
        quality=None,
        slices=[],
        alerts=["drift"],
    )


def regression() -> dict[str, Any]:
    """A regression whose quality is not known yet, and cannot be estimated."""
    return window(
        model="prices",
        labelled=12,
        notes=["12 labels in the window, 200 are needed (monitoring.min_labels)"],
        quality=None,
        slices=[],
        history=[{**entry, "quality": None, "low": None, "high": None} for entry in history()],
    )


def money() -> dict[str, Any]:
    """A model whose objective is money, and lost some."""
    return window(
        quality={
            "metric": "money_score", "value": 1.27, "low": 1.11, "high": 1.43, "reference": 1.62, "drop": 0.19,
            "rows": 15020, "estimate": False, "money": {"unit": "EUR", "per_row": 1.27, "total": 19075.4},
        },
        history=history(metric=1.6),
        alerts=["quality"],
        retraining={"decision": "start", "reason": "money_score fell", "until": None},
    )  # fmt: skip


def estimated() -> dict[str, Any]:
    """No labels yet: quality is estimated from the model's own probabilities."""
    return window(
        labelled=0,
        quality={
            "metric": "log_loss", "value": 0.431, "low": None, "high": None, "reference": 0.408, "drop": 0.0,
            "rows": 24310, "estimate": True, "money": None,
        },
        slices=[],
        history=history(20),
    )  # fmt: skip


def simulated() -> dict[str, Any]:
    """A year of which the frozen model had January to March: better, worse, and a month without rows."""
    random = Random(3)
    months: list[dict[str, Any]] = []
    for month in range(1, 13):
        frozen = 0.40 + 0.008 * max(0, month - 3) + random.gauss(0, 0.004)
        renewing = frozen - (0.03 if month > 5 else 0.0) + random.gauss(0, 0.003)
        months.append(
            {
                "month": f"2013-{month:02}",
                "rows": 2000,
                "frozen": {"value": frozen, "low": frozen - 0.011, "high": frozen + 0.011},
                "renewing": {"value": renewing, "low": renewing - 0.011, "high": renewing + 0.011},
            }
        )
    months[8] |= {"rows": 0, "frozen": None, "renewing": None}
    days = {"alarm": (95, 130, 131, 200, 260), "run": (96, 132, 201, 261), "promotion": (97, 202, 262)}
    days |= {"rejection": (133,), "rollback": (205,), "failure": (300,)}
    start = datetime(2013, 1, 1, tzinfo=UTC)
    events = [
        {"at": (start + timedelta(days=day)).isoformat(), "kind": kind, "text": f"{kind} <b>number</b> {i}"}
        for kind, known in days.items()
        for i, day in enumerate(known)
    ]
    total = {"rows": 18000, "frozen": 0.4412, "renewing": 0.4184, "difference": -0.0228, "low": -0.027, "high": -0.0186}
    return {
        "model": "flights", "metric": "log_loss", "months": months, "events": events, "total": total, "seconds": 151.3,
        "sampled": True, "asked": 21000, "refused": 3, "labels": 20997, "lost_labels": 0,
    }  # fmt: skip
