"""The SageMaker API of training and processing jobs."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from local.api import ACCOUNT, ApiError, Clients, Operation
from local.clock import Clock
from local.jobs import container
from local.jobs.job import OVER, PART, Job
from local.jobs.quotas import instance_type
from local.jobs.requests import check, invalid
from local.jobs.runner import Runner
from local.jobs.warm import PRELOADED, WarmPython
from local.keeping import NOWHERE, Keep

_SEGMENTS = {"TrainingJob": "training-job", "ProcessingJob": "processing-job"}
_WORDS = {"TrainingJob": "Training job", "ProcessingJob": "Processing job"}
_LISTS = {"TrainingJob": "TrainingJobSummaries", "ProcessingJob": "ProcessingJobSummaries"}
PROCESSING = "/opt/ml/processing/"


class Jobs:
    """Jobs by name, each in a thread and a process group of its own.

    `python` is the interpreter of the jobs' environment: `python3` inside a job; `preloaded` modules are imported once.
    """

    def __init__(
        self,
        clients: Clients,
        clock: Clock,
        *,
        work_dir: Path,
        python: Path,
        preloaded: Sequence[str] = PRELOADED,
        keep: Keep = NOWHERE,
    ) -> None:
        if set(str(work_dir)) & set(" \t\n'\"$`\\*?[]&;|<>()"):
            raise ValueError(f"{work_dir}: jobs run shell lines below this folder; choose one without such characters")
        self._clients = clients
        self._clock = clock
        self._region = str(clients("s3").meta.region_name)
        system = {**container.IMAGE, "PATH": container.SYSTEM_PATH}
        self._warm = WarmPython(python, work_dir / "python", preloaded, container.prefix(isolated=False), system)
        self._runner = Runner(clients, clock, work_dir, f"{self._warm.path}:{python.parent}", self._region)
        self._lock = threading.Lock()
        self._keep = keep
        found = [Job.kept(row, clock.now, keep) for row in keep.rows(PART).values()]
        self._jobs = {(job.kind, job.name): job for job in found}
        self._threads: list[threading.Thread] = []

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return what the gateway routes here."""
        found: dict[tuple[str, str], Operation] = {}
        for kind in _SEGMENTS:
            found |= {
                ("sagemaker", f"Create{kind}"): self._of(kind, self._create),
                ("sagemaker", f"Describe{kind}"): self._of(kind, self._describe),
                ("sagemaker", f"Stop{kind}"): self._of(kind, self._stop),
                ("sagemaker", f"List{kind}s"): self._of(kind, self._list),
                ("sagemaker", f"Delete{kind}"): self._of(kind, self._delete),
            }
        return found

    def resume(self) -> None:
        """Run the jobs again, from their beginning, that an earlier engine had not ended."""
        for job in list(self._jobs.values()):
            if job.status not in OVER:
                self._run(job)

    def finished(self, kind: str, name: str) -> threading.Event:
        """Return an event, the caller's own, that is set once the job is over."""
        return self._known(kind, name).watch()

    def running(self, kind: str, instance: str) -> int:
        """Return how many jobs of a kind run on instances of a type."""
        with self._lock:
            jobs = [job for (of, _), job in self._jobs.items() if of == kind]
        return sum(job.status not in OVER and instance_type(job.request) == instance for job in jobs)

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every job by ARN."""
        with self._lock:
            jobs = list(self._jobs.values())
        return {job.arn: {tag["Key"]: tag["Value"] for tag in job.request.get("Tags", ())} for job in jobs}

    def close(self) -> None:
        """Kill what runs; the engine ends. A job ended like this uploads nothing."""
        self._runner.kill.set()
        for thread in self._threads:
            thread.join(5)
        self._warm.close()

    @staticmethod
    def _of(kind: str, answer: Any) -> Operation:
        return lambda given, _: answer(kind, given)

    def _create(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        check(f"Create{kind}", given)
        _check_command(kind, given)
        _check_paths(given)
        name = given[f"{kind}Name"]
        arn = f"arn:aws:sagemaker:{self._region}:{ACCOUNT}:{_SEGMENTS[kind]}/{name}"
        job = Job(kind, given, arn, self._clock.now, self._keep)
        with self._lock:
            if (kind, name) in self._jobs:
                message = f"{_WORDS[kind]} names must be unique within an AWS account and region, or a {_WORDS[kind]}"
                raise ApiError("ResourceInUse", f"{message} with this name already exists ({arn})")
            self._jobs[kind, name] = job
        job.keep_now()
        self._run(job)
        return {f"{kind}Arn": arn}

    def _run(self, job: Job) -> None:
        thread = threading.Thread(target=self._runner.run, args=(job, self._clock.hold()), name=job.name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _describe(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        return self._known(kind, given[f"{kind}Name"]).described()

    def _stop(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        job = self._known(kind, given[f"{kind}Name"])
        if not job.ask_to_stop():
            raise invalid(f"The request was rejected because the {_WORDS[kind].lower()} is in status {job.status}.")
        return {}

    def _delete(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        """Forget a job that is over, so that its name can be used again."""
        name = given[f"{kind}Name"]
        with self._lock:
            job = self._jobs.get((kind, name))
            if job is None:
                raise ApiError("ResourceNotFound", f"Requested resource not found: {kind} {name!r}.")
            if job.status not in OVER:
                raise ApiError("ResourceInUse", f"{_WORDS[kind]} {name} is in status {job.status}.")
            del self._jobs[kind, name]
            self._keep.remove(PART, f"{kind} {name}")
        return {}

    def _list(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        """List all jobs of a kind, the newest first; filters and pages are not used."""
        if given:
            raise invalid(f"the laptop engine lists all jobs; it does not know {', '.join(sorted(given))}")
        with self._lock:
            jobs = [job for (of, _), job in self._jobs.items() if of == kind]
        return {_LISTS[kind]: [job.listed() for job in reversed(jobs)]}

    def _known(self, kind: str, name: str) -> Job:
        job = self._jobs.get((kind, name))
        if job is None:
            raise invalid(f"Requested resource not found: no {_WORDS[kind].lower()} {name!r}.")
        return job


def _check_command(kind: str, given: Mapping[str, Any]) -> None:
    specification = given["AlgorithmSpecification" if kind == "TrainingJob" else "AppSpecification"]
    if not specification.get("ContainerEntrypoint"):
        raise invalid("the laptop engine has no images: a job must give its ContainerEntrypoint")


def _check_paths(given: Mapping[str, Any]) -> None:
    outputs = given.get("ProcessingOutputConfig", {}).get("Outputs", [])
    inputs = given.get("ProcessingInputs", [])
    for local_path in [item["S3Output"]["LocalPath"] for item in outputs] + [
        item["S3Input"]["LocalPath"] for item in inputs
    ]:
        if not local_path.startswith(PROCESSING) or ".." in local_path.split("/"):
            raise invalid(f"LocalPath {local_path!r} must begin with {PROCESSING}")
