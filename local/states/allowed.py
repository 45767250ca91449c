"""The closed list of what a state machine may use; everything else is refused by name at creation.

The dialect is small on purpose (docs/architecture.md, section 3): what the stacks use, and nothing beyond it.
"""

from collections.abc import Mapping
from typing import Final

MACHINE_FIELDS: Final = frozenset({"Comment", "StartAt", "States", "TimeoutSeconds"})
_EVERY: Final = frozenset({"Type"})
_NEXT: Final = frozenset({"Next", "End"})
_RESULT: Final = frozenset({"ResultSelector", "ResultPath", "Catch"})

STATE_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "Task": _EVERY | _NEXT | _RESULT | {"Resource", "Parameters", "TimeoutSeconds", "Retry"},
    "Map": _EVERY | _NEXT | _RESULT | {"ItemsPath", "ItemSelector", "ItemProcessor", "MaxConcurrency"},
    "Choice": _EVERY | {"Choices", "Default"},
    "Pass": _EVERY | _NEXT | {"Parameters"},
    "Wait": _EVERY | _NEXT | {"Seconds", "SecondsPath"},
    "Succeed": _EVERY | {"Comment"},
    "Fail": _EVERY | {"ErrorPath", "CausePath"},
}
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {"Fail": ("ErrorPath", "CausePath")}
PROCESSOR_FIELDS: Final = frozenset({"ProcessorConfig", "StartAt", "States"})
RETRY_FIELDS: Final = frozenset({"ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxAttempts"})
CATCH_FIELDS: Final = frozenset({"ErrorEquals", "Next", "ResultPath"})
CHOICE_FIELDS: Final = frozenset({"Variable", "BooleanEquals", "Next"})
INTRINSICS: Final = frozenset({"States.Array", "States.ArrayLength", "States.Format"})
SYNC_JOBS: Final[Mapping[str, str]] = {
    "arn:aws:states:::sagemaker:createTrainingJob.sync": "TrainingJob",
    "arn:aws:states:::sagemaker:createProcessingJob.sync": "ProcessingJob",
}
FUNCTION_PREFIX: Final = "arn:aws:lambda:"

# Step Functions quotas, "Quotas related to state machine executions" and the API's own shapes.
NAME_LENGTH: Final = 80
WAIT_SECONDS: Final = 99_999_999
DEFINITION_BYTES: Final = 1_048_576
HISTORY_EVENTS: Final = 25_000
MAP_CONCURRENCY: Final = 40
NAME_KEPT_SECONDS: Final = 90 * 86_400
