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


class _Lines:
    """The lines of one model's graphs, as the dashboard's body writes them."""

    def __init__(self, spec: ModelSpec, stage: str) -> None:
        function = names.predict_function(stage, spec.model)
        self._live = ["FunctionName", function, "Resource", f"{function}:{names.LIVE}"]
        self._ours = ["Stage", stage, "Model", spec.model]
        self.cold = [names.METRIC_NAMESPACE, names.cold_starts(stage, spec.model), _shown("Sum", "cold starts")]

    def lambdas(self, name: str, stat: str, label: str) -> Line:
        return ["AWS/Lambda", name, *self._live, _shown(stat, label)]

    def own(self, name: str, stat: str, label: str) -> Line:
        return [names.METRIC_NAMESPACE, name, *self._ours, _shown(stat, label)]


def _shown(stat: str, label: str) -> dict[str, str]:
    return {"stat": stat, "label": label}


def _graphs(spec: ModelSpec, stage: str) -> list[tuple[str, int, Sequence[Line]]]:
    lines = _Lines(spec, stage)
    return _of_requests(lines) + _of_looks(lines, spec.objective.said)


def _of_requests(lines: _Lines) -> list[tuple[str, int, Sequence[Line]]]:
    failed = [
        lines.lambdas("Errors", "Sum", "function errors"),
        lines.own(names.METRIC_REQUESTS_FAILED, "Sum", "answered 5xx"),
        lines.lambdas("Throttles", "Sum", "turned away"),
    ]
    took = [lines.lambdas("Duration", stat, stat) for stat in ("p50", "p99")]
    return [
        ("Requests", 300, [lines.lambdas("Invocations", "Sum", "requests"), lines.cold]),
        ("Failed", 300, failed),
        ("Milliseconds a request", 300, took),
    ]


def _of_looks(lines: _Lines, objective: str) -> list[tuple[str, int, Sequence[Line]]]:
    quality, coverage = names.METRIC_QUALITY, names.METRIC_LABEL_COVERAGE
    drift = [
        lines.own(names.METRIC_FEATURES_DRIFTED, "Maximum", "worst feature"),
        lines.own(names.METRIC_SCORE_DRIFT, "Maximum", "answers"),
    ]
    told = [
        lines.own(quality, "Average", "measured"),
        lines.own(quality, "Minimum", "lower bound"),
        lines.own(quality, "Maximum", "upper bound"),
        lines.own(names.METRIC_ESTIMATED_QUALITY, "Average", "estimate"),
        lines.own(names.METRIC_QUALITY_DROP, "Maximum", "certain loss"),
    ]
    rows = [lines.own(coverage, "SampleCount", "rows"), lines.own(coverage, "Sum", "with a label")]
    return [
        ("Features drifted", HOUR, [lines.own(names.METRIC_FEATURES_DRIFTED, "Sum", "features")]),
        ("Drift, 1 is the limit", HOUR, drift),
        ("Rise of missing values", HOUR, [lines.own(names.METRIC_WORST_MISSING, "Maximum", "worst feature")]),
        (f"Quality: {objective}", HOUR, told),
        ("Rows in the window", HOUR, rows),
        ("Hours since the newest row", HOUR, [lines.own(names.METRIC_STALENESS, "Maximum", "hours")]),
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
