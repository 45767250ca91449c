"""SageMaker training jobs as the command line watches one: how a model's runs describe theirs, how one stands."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

LOG_GROUP: Final = "/aws/sagemaker/TrainingJobs"
_OVER: Final = frozenset({"Completed", "Failed", "Stopped"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands. `reason` is empty unless it failed, `artifact` (an s3:// address) until it left a model."""

    status: str
    step: str
    reason: str
    artifact: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen in this job."""
        return self.status in _OVER


class TrainingJobs:
    """Training jobs by name."""

    def __init__(self, sagemaker: Any) -> None:
        self._sagemaker = sagemaker

    def standing(self, name: str) -> Standing:
        """Return how a job stands."""
        found = self._sagemaker.describe_training_job(TrainingJobName=name)
        return Standing(
            status=found["TrainingJobStatus"],
            step=found.get("SecondaryStatus", ""),
            reason=found.get("FailureReason", ""),
            artifact=found.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        )


def request_of(states: Any, machine: str) -> dict[str, Any]:
    """Return the parameters with which a state machine creates training jobs, by botocore's member names.

    Members that the machine takes from its input keep the suffix `.$`. Raises LookupError when it creates none.
    """
    definition = json.loads(states.describe_state_machine(stateMachineArn=machine)["definition"])
    for task in _tasks(definition):
        if ":sagemaker:createTrainingJob" in task.get("Resource", ""):
            return dict(task["Parameters"])
    raise LookupError(f"{machine} creates no training job")


def _tasks(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The states of a machine and of the machines inside its Maps."""
    for state in machine["States"].values():
        yield state
        if "ItemProcessor" in state:
            yield from _tasks(state["ItemProcessor"])
