"""The composition root of the laptop engine: builds its parts, deploys a cloud assembly, serves until told to end.

`python -m local.engine --cdk-out cdk.out` prints one JSON line per phase on standard output, the last one `ready`.
"""

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, Self

from lifecycle import names
from local import native_memory
from local.api import ENGINE, Operations
from local.assembly import AssemblyError
from local.chaos import killing
from local.clients import Clients
from local.clock import Clock
from local.cloudwatch import CloudWatch
from local.cloudwatch.alarm_actions import Actions
from local.consistent_reads import consistent
from local.data_folder import DataDirectoryError
from local.deployer import Deployer, DeploymentError
from local.dispatch import Dispatcher, Observer
from local.endpoints import Endpoints
from local.events import Bus
from local.functions.functions import Functions
from local.gateway import Doors, Gateway
from local.http_api import Api, HttpApi
from local.iam import enforced, granted
from local.identity import OPERATOR, Identity
from local.jobs import Jobs
from local.jobs.quotas import Quotas
from local.jobs.registry import Registry
from local.lasting import Lasting
from local.local_urls import with_local_urls
from local.logs_delivery import LogsDelivery
from local.object_events import ObjectEvents
from local.options import Options, arguments_of
from local.queues import Queues
from local.recording import close_and_record
from local.schedules import Schedules
from local.states import StateMachines
from local.tagging import Tagging

PARENT_LOOK_SECONDS = 1.0  # whoever was killed cannot tell the engine to end

Report = Callable[[str, str, float], None]
"""(event, text, seconds)"""


def _silently(_: str, __: str, ___: float) -> None:
    """Report nothing."""


class Engine:
    """One engine. A process has one at a time: moto's state and the process's clock are shared by everything in it."""

    def __init__(self, cdk_out: Path, options: Options) -> None:
        self._cdk_out = cdk_out
        self.options = options
        self._ready = False
        self._ending = ExitStack()
        self.clock = Clock(options.idle_speed, options.begin)
        self.identity = Identity()
        self.dispatch = Dispatcher(self.identity)
        self.clients = Clients(self.dispatch, options.region)
        self._own_clients = Clients(self.dispatch, options.region, app=ENGINE)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def endpoint(self) -> str:
        """What AWS_ENDPOINT_URL is set to."""
        return self._gateway.endpoint

    def start(self, report: Report = _silently) -> None:
        """Build and start every part, then deploy.

        Raises
        ------
        AssemblyError, DeploymentError
            when the assembly cannot be deployed; the engine is stopped then.
        """
        began = time.perf_counter()
        try:
            self._build()
            report("started", f"laptop engine at {self.endpoint}", time.perf_counter() - began)
            self.deploy(report)
            self._lasting.deployed()
            for part in self._resumed:
                part.resume()
        except BaseException:
            self.stop()
            raise
        self._ready = True

    def stop(self) -> None:
        """End everything that was started, the newest first."""
        self._ready = False
        self._ending.close()

    def _build(self) -> None:
        options, clients, clock, ending = self.options, self._own_clients, self.clock, self._ending
        work_dir = Path(ending.enter_context(tempfile.TemporaryDirectory(prefix="perennial-")))
        lasting = self._lasting = Lasting(options.data, clock, fresh=options.fresh)
        keep = lasting.keep
        clock.start(lasting.restore())
        ending.callback(clock.stop)
        doors = Doors(self.dispatch, self._api, clock, lambda: self._ready, lambda: granted(self.authority))
        self._gateway = Gateway(doors, options.port)
        ending.callback(self._gateway.stop)
        authority = self.authority = enforced(self.dispatch, clients, lambda a: functions.policy(a))  # noqa: PLW0108
        bus = Bus(clients, clock, authority, options.chaos, keep)
        ending.callback(bus.stop)
        close_and_record(self.dispatch, bus, options)
        schedules = Schedules(bus, clock, options.region, keep)
        ending.callback(schedules.stop)
        python = options.python.absolute()
        jobs = self._jobs = Jobs(clients, clock, work_dir=work_dir / "jobs", python=python, keep=keep)
        ending.callback(jobs.close)
        endpoints = ending.enter_context(closing(Endpoints(clients, clock, work_dir / "served", python, keep)))
        machines = StateMachines(clients, clock, bus.emit, jobs.finished, options.region, keep)
        ending.callback(machines.close)
        queues = Queues(clients, clock, keep)
        ending.callback(queues.join)
        made = Functions(clients, clock, self.identity, work_dir=work_dir, endpoint=self.endpoint, keep=keep)
        functions = ending.enter_context(closing(made))
        watch = CloudWatch(Actions(clients, authority), functions.metrics, clock, bus.emit, options.region, keep=keep)
        ending.callback(watch.stop)
        ending.callback(queues.stop)
        self._http_api = HttpApi(clients, functions, authority, clock, functions.write_log)
        self._deployer = Deployer(clients, bus.emit, clock, keep)
        packages = Registry(bus.emit, options.region, keep)
        log_lines = LogsDelivery(clients, clock, authority, options.chaos, keep)
        ending.callback(log_lines.stop)
        tagging = Tagging(options.region, *(o.tagged for o in (functions, machines, queues, jobs, endpoints, watch)))
        own = (functions, machines, queues, jobs, endpoints, watch, bus, packages, tagging, log_lines, self._deployer)
        seen = (("s3", ObjectEvents(bus.emit)), ("logs", log_lines), ("logs", watch.log_filters), ("events", schedules))
        self._route({key: answer for part in own for key, answer in part.operations().items()}, seen)
        ending.enter_context(lasting.recording([functions.metrics.save]))
        self._resumed = (queues, endpoints, jobs, machines, functions, log_lines, bus)
        self._gateway.start()

    def _route(self, operations: Operations, seen: Sequence[tuple[str, Observer]]) -> None:
        for service, observer in seen:
            self.dispatch.observe(service, observer)
        for guard in (consistent, Quotas(self.options.quotas, self._jobs.running)):
            self.dispatch.guard(guard)
        self.dispatch.register(operations)
        self.dispatch.confirm = self._lasting.confirm
        if self.options.chaos is not None:
            self.dispatch.register(killing(self.options.chaos, operations, self.clock))
        described = operations["cloudformation", "DescribeStacks"]
        self.dispatch.register({("cloudformation", "DescribeStacks"): with_local_urls(described, self.endpoint)})

    def _api(self, api_id: str) -> Api | None:
        return self._http_api.api(api_id)

    def deploy(self, report: Report = _silently) -> None:
        """Deploy the assembly as it is now; raises as `start` does."""
        began = time.perf_counter()

        def progress(stack: str, logical_id: str, status: str) -> None:
            nonlocal began
            if stack == logical_id and status.endswith(("_COMPLETE", "UNCHANGED")):
                report("deployed", f"{stack}: {status}", time.perf_counter() - began)
                began = time.perf_counter()

        self._deployer.deploy(self._cdk_out, progress)

    def state(self) -> dict[str, Any]:
        """Return what a client must know: where the engine is, and whose keys open it."""
        stacks = self.clients.client("cloudformation").describe_stacks()["Stacks"]
        outputs = {o["OutputKey"]: o["OutputValue"] for stack in stacks for o in stack.get("Outputs", ())}
        stages = [stack["StackName"].split("-")[1] for stack in stacks if stack["StackName"].endswith("-shared")]
        return {
            "endpoint": self.endpoint,
            "api_url": outputs.get(names.OUTPUT_API_URL),
            "stage": stages[0] if stages else None,
            "region": self.options.region,
            "access_key": OPERATOR.access_key,
            "secret_key": OPERATOR.secret_key,
            "pid": os.getpid(),
            "resumed": self._lasting.resumed,
        }


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write the state file, readable by its owner only, so that a reader never sees half of it."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file)
    aside.replace(path)


def _report(event: str, text: str, seconds: float) -> None:
    sys.stdout.write(json.dumps({"event": event, "text": text, "seconds": round(seconds, 3)}) + "\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run an engine until SIGINT, SIGTERM or the end of who started it. Returns 1 if the assembly was not deployed."""
    native_memory.confine()
    given, options = arguments_of(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    told, parent = threading.Event(), os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    engine = Engine(given.cdk_out, options)
    began = time.perf_counter()
    try:
        engine.start(_report)
        if given.state_file:
            write_state(given.state_file, engine.state())
        _report("ready", engine.endpoint, time.perf_counter() - began)
        native_memory.give_back()  # deploying leaves a tenth of all memory free
        while not told.wait(PARENT_LOOK_SECONDS) and os.getppid() == parent:
            pass
    except (AssemblyError, DataDirectoryError, DeploymentError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        engine.stop()
        if given.state_file:
            given.state_file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # nothing is left to end: taking a year's objects apart one by one would take seconds
