"""A checked request -> the job's whole life: inputs, process, outputs, status."""

import errno
import logging
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from local.api import Clients
from local.clock import Clock, Hold
from local.jobs import container, processing, training
from local.jobs.container import Command, Exit, Orders
from local.jobs.job import Ended, Job
from local.jobs.logs import JobLog
from local.jobs.memory import limit_mb
from local.jobs.opt_ml import HOST, OptMl
from local.jobs.plan import OUT_OF_DISK, OUT_OF_MEMORY, Plan
from local.jobs.quotas import instance_type
from local.jobs.s3_inputs import InputRefused, download

_LOG = logging.getLogger(__name__)
_PLANS = {"TrainingJob": training.plan, "ProcessingJob": processing.plan}


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs jobs below `work_dir`; `path` is the PATH before the system's own folders."""

    clients: Clients
    clock: Clock
    work_dir: Path
    path: str
    region: str
    kill: threading.Event = field(default_factory=threading.Event)

    def run(self, job: Job, held: Hold) -> None:
        """Run a job to its end, whatever happens; `held` keeps engine time at the machine's speed until then."""
        folder = self.work_dir / job.kind / job.name
        with held:
            try:
                ended = self._run(job, folder)
            except InputRefused as refused:
                ended = Ended("Failed", str(refused))
            except OSError as error:
                _LOG.error("job %s: %s", job.name, error)
                full = error.errno in (errno.ENOSPC, errno.EDQUOT)
                what = OUT_OF_DISK if full else "InternalServerError"
                ended = Ended("Failed", f"{what} ({error}, below {self.work_dir})")
            except ClientError as error:
                ended = Ended("Failed", f"ClientError: Please ensure that the role can do this: {error}")
            except Exception as error:  # noqa: BLE001 - root of this thread: no job may stay in progress for ever
                _LOG.exception("job %s", job.name)
                ended = Ended("Failed", f"InternalServerError: {type(error).__name__}: {error}")
            shutil.rmtree(folder, ignore_errors=True)
            end_time = f"{job.kind.removesuffix('Job')}EndTime"
            job.end(ended, **{end_time: ...})

    def _run(self, job: Job, folder: Path) -> Ended:
        job.step("Starting", "Preparing the instances")
        shutil.rmtree(folder, ignore_errors=True)
        opt_ml = OptMl(folder)
        plan = _PLANS[job.kind](job.request, job.arn, opt_ml)
        s3 = self.clients("s3", plan.role_arn)
        job.step("Downloading", "Downloading input data")
        for source in plan.sources:
            download(s3, source.kind, source.uri, opt_ml.path(source.folder))
            if job.stop.is_set():
                return Ended("Stopped")
        opt_ml.rewrite_sdk_scripts()
        until = self.clock.now() + plan.max_seconds
        job.step("Training", "Image download completed. In progress.", **{plan.start_time: ...})
        finished = self._container(job, plan, opt_ml, until)
        ended = Ended("Failed", OUT_OF_MEMORY) if finished.out_of_memory else plan.judge(finished, opt_ml)
        if plan.keeps(ended):
            job.step("Uploading", "Uploading what the job left")
            job.members |= plan.upload(s3, opt_ml, ended)
        return ended

    def _container(self, job: Job, plan: Plan, opt_ml: OptMl, until: float) -> Exit:
        stream = f"{job.name}/{HOST}-{int(self.clock.now())}"
        log = JobLog(self.clients("logs", plan.role_arn), f"/aws/sagemaker/{job.kind}s", stream, self.clock)
        command = Command(
            arguments=plan.arguments,
            environment={"AWS_REGION": self.region, **plan.environment},
            path=self.path,
            isolated=plan.isolated,
            until=until,
            memory_mb=limit_mb(instance_type(job.request)),
        )
        try:
            return container.run(command, opt_ml, self.clock, Orders(job.stop, self.kill), log.write)
        finally:
            log.close()
