"""One job as Describe shows it: the request, its statuses in order, how it ended."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.keeping import NOWHERE, Keep

PART = "jobs"
OVER = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended. `secondary` is None when it is the status itself."""

    status: str
    reason: str | None = None
    message: str | None = None
    secondary: str | None = None


class Job:
    """A training or processing job; `kind` is `TrainingJob` or `ProcessingJob`."""

    def __init__(
        self,
        kind: str,
        request: Mapping[str, Any],
        arn: str,
        now: Callable[[], float],
        keep: Keep = NOWHERE,
    ) -> None:
        self.kind = kind
        self.request = request
        self.name = str(request[f"{kind}Name"])
        self.arn = arn
        self.status = "InProgress"
        self.stop = threading.Event()
        self.members: dict[str, Any] = {}
        self.created = _moment(now())
        self._now = now
        self._modified = self.created
        self._lock = threading.Lock()
        self._transitions: list[dict[str, Any]] = []
        self._watchers: list[threading.Event] = []
        self._keep = keep

    @classmethod
    def kept(cls, row: tuple[Any, ...], now: Callable[[], float], keep: Keep) -> "Job":
        """Return the job of a row that `keep_now` wrote."""
        kind, request, arn, status, members, created, modified, transitions = row
        job = cls(kind, request, arn, now, keep)
        job.status, job.members, job.created = status, members, created
        job._modified, job._transitions = modified, transitions
        if status == "Stopping":
            job.stop.set()
        return job

    def keep_now(self) -> None:
        """Keep the job as it is."""
        row = (self.kind, self.request, self.arn, self.status, self.members, self.created)
        self._keep.put(PART, f"{self.kind} {self.name}", (*row, self._modified, self._transitions))

    def step(self, secondary: str, message: str, **members: Any) -> None:
        """Go on to the next secondary status."""
        with self._lock:
            at = self._modified = _moment(self._now())
            if self._transitions:
                self._transitions[-1]["EndTime"] = at
            self._transitions.append({"Status": secondary, "StartTime": at, "StatusMessage": message})
            self.members |= {key: at if value is Ellipsis else value for key, value in members.items()}
            self.keep_now()

    def end(self, ended: Ended, **members: Any) -> None:
        """End the job and wake everyone who waits for it."""
        self.step(ended.secondary or ended.status, ended.reason or f"Job {ended.status.lower()}", **members)
        with self._lock:
            self._transitions[-1]["EndTime"] = self._modified
            self.status = ended.status
            if ended.reason is not None:
                self.members["FailureReason"] = ended.reason
            if ended.message is not None:
                self.members["ExitMessage"] = ended.message
            self.keep_now()
            for watcher in self._watchers:
                watcher.set()

    def ask_to_stop(self) -> bool:
        """Begin to stop the job; return False when it is over already."""
        with self._lock:
            if self.status in OVER:
                return False
            self.status = "Stopping"
            self.keep_now()
        self.stop.set()
        return True

    def watch(self) -> threading.Event:
        """Return an event that is set when the job is over."""
        event = threading.Event()
        with self._lock:
            self._watchers.append(event)
            if self.status in OVER:
                event.set()
        return event

    def described(self) -> dict[str, Any]:
        """Return the members of Describe's answer."""
        with self._lock:
            answer = {key: value for key, value in self.request.items() if key != "Tags"} | self.members
            if self.kind == "TrainingJob":
                # the model requires it of every answer, also of a job that has not come so far
                output = f"{self.request['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{self.name}/output"
                answer.setdefault("ModelArtifacts", {"S3ModelArtifacts": f"{output}/model.tar.gz"})
            answer |= {f"{self.kind}Arn": self.arn, f"{self.kind}Status": self.status}
            answer |= {"CreationTime": self.created, "LastModifiedTime": self._modified}
            if self.kind == "TrainingJob":
                answer["SecondaryStatus"] = self._transitions[-1]["Status"] if self._transitions else "Starting"
                answer["SecondaryStatusTransitions"] = [dict(transition) for transition in self._transitions]
            return answer

    def listed(self) -> dict[str, Any]:
        """Return the members of an item of List."""
        keys = [f"{self.kind}{member}" for member in ("Name", "Arn", "Status")]
        keys += ["CreationTime", "LastModifiedTime", "TrainingEndTime", "ProcessingEndTime", "SecondaryStatus"]
        described = self.described()
        return {key: described[key] for key in keys if key in described}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
