"""A model's dashboard: traffic, faults, speed and cold starts, drift, quality, labels and runs on one page."""

import json
from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_cloudwatch as cloudwatch

from lifecycle import names
from lifecycle.spec import ModelSpec

WIDTH, HEIGHT = 8, 6
HOUR: Final = 3600
Line = list[Any]


def dashboard(stack: Stack, spec: ModelSpec, stage: str) -> None:
    """Create the dashboard `perennial-<stage>-<model>`."""
    body = {"start": "-P7D", "periodOverride": "inherit", "widgets": _placed(_graphs(spec, stage))}
    cloudwatch.CfnDashboard(
        stack,
        "Dashboard",
        dashboard_name=f"{names.PRODUCT}-{stage}-{spec.model}",
        dashboard_body=json.dumps(body, sort_keys=True),
    )


def _graphs(spec: ModelSpec, stage: str) -> list[tuple[str, int, Sequence[Line]]]:
    predict = ["FunctionName", names.predict_function(stage, spec.model)]
    live = [*predict, "Resource", f"{predict[1]}:{names.LIVE}"]
    quality, metric = names.METRIC_QUALITY, spec.objective.metric

    def lambdas(name: str, stat: str, label: str) -> Line:
        return ["AWS/Lambda", name, *live, {"stat": stat, "label": label}]

    def own(name: str, stat: str, label: str) -> Line:
        return [names.METRIC_NAMESPACE, name, "Stage", stage, "Model", spec.model, {"stat": stat, "label": label}]

    cold = [names.METRIC_NAMESPACE, names.cold_starts(stage, spec.model), {"stat": "Sum", "label": "cold starts"}]
    coverage = names.METRIC_LABEL_COVERAGE
    return [
        ("Requests", 300, [lambdas("Invocations", "Sum", "requests"), cold]),
        (
            "Failed",
            300,
            [
                lambdas("Errors", "Sum", "function errors"),
                own(names.METRIC_REQUESTS_FAILED, "Sum", "answered 5xx"),
                lambdas("Throttles", "Sum", "turned away"),
            ],
        ),
        ("Milliseconds a request", 300, [lambdas("Duration", "p50", "p50"), lambdas("Duration", "p99", "p99")]),
        ("Features drifted", HOUR, [own(names.METRIC_FEATURES_DRIFTED, "Maximum", "features")]),
        (
            "Drift, 1 is the limit",
            HOUR,
            [
                own(names.METRIC_WORST_DRIFT, "Maximum", "worst feature"),
                own(names.METRIC_SCORE_DRIFT, "Maximum", "answers"),
            ],
        ),
        ("Rise of missing values", HOUR, [own(names.METRIC_WORST_MISSING, "Maximum", "worst feature")]),
        (
            f"Quality: {metric}",
            HOUR,
            [
                own(quality, "Average", metric),
                own(quality, "Minimum", "lower bound"),
                own(quality, "Maximum", "upper bound"),
                own(names.METRIC_ESTIMATED_QUALITY, "Average", "estimate"),
            ],
        ),
        ("Rows in the window", HOUR, [own(coverage, "SampleCount", "rows"), own(coverage, "Sum", "with a label")]),
        ("Hours since the newest row", HOUR, [own(names.METRIC_STALENESS, "Maximum", "hours")]),
    ]


def _placed(graphs: list[tuple[str, int, Sequence[Line]]]) -> list[dict[str, Any]]:
    return [
        {
            "type": "metric",
            "x": WIDTH * (place % 3),
            "y": HEIGHT * (place // 3),
            "width": WIDTH,
            "height": HEIGHT,
            "properties": {"title": title, "period": period, "region": Aws.REGION, "metrics": list(metrics)},
        }
        for place, (title, period, metrics) in enumerate(graphs)
    ]
