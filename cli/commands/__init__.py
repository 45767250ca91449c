"""The commands, grouped by what they are about; importing this package registers them."""

from cli.commands import (
    data,
    destroy,
    doctor,
    experiment,
    feedback,
    grants,
    local,
    logs,
    models,
    monitor,
    new,
    openapi,
    predict,
    predictions,
    replay,
    retrain,
    rollouts,
    runs,
    simulate,
)

__all__ = [
    "data", "destroy", "doctor", "experiment", "feedback", "grants", "local", "logs", "models", "monitor", "new",
    "openapi", "predict", "predictions", "replay", "retrain", "rollouts", "runs", "simulate",
]  # fmt: skip
