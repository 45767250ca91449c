"""How many instances of a type jobs may have at once: what an account's service quotas say.

Source: SageMaker AI endpoints and quotas (each instance type has a quota for training and one for processing jobs; of
many types a new account may have none).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from local.api import ApiError, Asked

INSTANCES = 20
"""Of every type that nobody said anything else of; accounts differ, so `perennial doctor --aws` asks theirs."""

_USES = {"CreateTrainingJob": "TrainingJob", "CreateProcessingJob": "ProcessingJob"}
_WORDS = {"TrainingJob": "training job usage", "ProcessingJob": "processing job usage"}


@dataclass(frozen=True, slots=True)
class Quotas:
    """Instances by type, and how many the jobs of a kind have of one now; a guard of every call."""

    limits: Mapping[str, int]
    running: Callable[[str, str], int]

    def __call__(self, asked: Asked) -> None:
        """Refuse a job whose instance is not to be had. Raises ApiError ResourceLimitExceeded."""
        kind = _USES.get(asked.operation) if asked.service == "sagemaker" else None
        if kind is None:
            return
        wanted = instance_type(asked.parameters)
        limit, used = self.limits.get(wanted, INSTANCES), self.running(kind, wanted)
        if used >= limit:
            message = (
                f"The account-level service limit '{wanted} for {_WORDS[kind]}' is {limit} Instances, with current "
                f"utilization of {used} Instances and a request delta of 1 Instances. Please use AWS Service Quotas to "
                "request an increase for this quota."
            )
            raise ApiError("ResourceLimitExceeded", message)


def instance_type(request: Mapping[str, Mapping[str, object]]) -> str:
    """Return the instance type of a training or processing job's request, "" where it has none."""
    processing = request.get("ProcessingResources", {}).get("ClusterConfig")
    cluster = processing if isinstance(processing, Mapping) else request.get("ResourceConfig", {})
    return str(cluster.get("InstanceType", ""))
