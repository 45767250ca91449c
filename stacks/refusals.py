"""What Perennial does not do, by name, and what to use instead."""

import re
from typing import Any, Final

TASKS: Final = {
    "forecasting": "write one row per series and day with lagged columns and choose regression, or use a forecasting "
    "tool such as Amazon SageMaker Autopilot or StatsForecast",
    "timeseries": "write lagged columns and choose regression",
    "image": "use a SageMaker endpoint with a vision model",
    "text": "turn texts into numbers or categories first, or use Amazon Bedrock",
    "multilabel": "make one binary model per label: two models may share one dataset",
    "clustering": "there is nothing to predict; use a SageMaker notebook",
    "ranking": "choose regression or binary and sort by the answer",
    "anomaly": "label known cases and choose binary",
    "classification": "choose binary (two labels) or multiclass (more)",
}
ROLLOUTS: Final = {
    "linear": "write canary with more steps",
    "shadow": "`perennial replay` scores logged traffic with another version, at no live cost",
    "blue-green": "all-at-once is just that: the version before stays ready, and a rollback is one move of the alias",
    "ab": "choose canary: it compares two versions until one is chosen",
}
GRAVITON: Final = re.compile(r"ml\.[a-z]+\d+g[a-z]*\.")
ACCELERATED: Final = re.compile(r"ml\.(p|g|gr|inf|trn|dl)\d")
INSTANCE: Final = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")


def refuse_task(value: Any) -> Any:
    """Refuse a task that is known and not supported (ValueError names the way out); pass anything else on."""
    if isinstance(value, str):
        plain = re.sub(r"[^a-z]", "", value.lower()).replace("imageclassification", "image")
        if plain in TASKS:
            raise ValueError(f"is not supported: {TASKS[plain]}. Tasks: binary, multiclass, regression")
    return value


def refuse_rollout(value: Any) -> Any:
    """Refuse a rollout that does not exist (ValueError names the way out); pass anything else on."""
    if isinstance(value, str) and value in ROLLOUTS:
        raise ValueError(f"is not supported: {ROLLOUTS[value]}. Rollouts: all-at-once, canary")
    return value


def refuse_instance(value: str) -> str:
    """Refuse instance types that the training image or the families cannot use."""
    if not INSTANCE.fullmatch(value):
        raise ValueError("must be a SageMaker instance type such as ml.m5.large")
    if GRAVITON.match(value):
        raise ValueError("is a Graviton type; the training image exists for x86 only: choose one such as ml.m5.large")
    if ACCELERATED.match(value):
        raise ValueError("has an accelerator, which no family can use: choose a CPU type such as ml.m5.large")
    return value
