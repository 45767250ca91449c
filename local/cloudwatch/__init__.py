"""CloudWatch on the laptop: metrics by minute, where they come from, `GetMetricData`, and alarms.

All of it is the engine's own, moto's CloudWatch is not used (docs/decisions/0054).
"""

from local.cloudwatch.service import CloudWatch

__all__ = ["CloudWatch"]
