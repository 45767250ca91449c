"""Lambda execution environments: the laptop engine's workers, driven by LocalStack's own Lambda."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from localstack import config
from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from local.clock import Clock
from local.functions.launching import search_paths
from local.functions.worker import Launch, Worker

PYTHON = "PERENNIAL_RUNTIME_PYTHON"
"""Names the interpreter that has what Lambda's runtime brings (requirements/runtime.lock)."""

LOOPBACK = "127.0.0.1"


class Environment(RuntimeExecutor):  # type: ignore[misc]
    """One execution environment; LocalStack uses it for one invocation at a time."""

    _worker: Worker | None = None

    def start(self, env_vars: dict[str, Any]) -> None:
        """Start the worker and wait for its init phase.

        Raises
        ------
        StatusErrorException
            when the function cannot be loaded; its payload is what Lambda answers then.
        """
        self._folder = Path(tempfile.mkdtemp(prefix="environment-"))
        function = self.function_version.config
        code = self._unpacked(function.code)
        layers = [self._unpacked(layer.code) for layer in reversed(function.layers)]
        given = {name: str(value) for name, value in env_vars.items()}
        runtime = {"AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}"}
        self._launch = Launch(
            python=os.environ[PYTHON],
            handler=function.handler,
            task_root=code,
            environment=given | runtime | search_paths(code, layers),
            memory_mb=function.memory_size,
            timeout_seconds=function.timeout,
        )
        self._started = 0
        self._begin()

    def _unpacked(self, code: Any) -> Path:
        code.prepare_for_execution()
        return Path(code.get_unzipped_code_location())

    def _begin(self) -> Worker:
        self._started += 1
        worker = Worker(self._launch, self._folder / str(self._started), Clock())
        if (failed := worker.prepare()) is not None:
            said = worker.output()
            worker.close()
            raise StatusErrorException(f"{self.function_version.qualified_arn}: {said}", payload=failed.payload)
        self._worker = worker
        return worker

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation; a worker that died in the one before is replaced first, as Lambda does."""
        worker = self._worker or self._begin()
        outcome = worker.invoke(payload["invoke-id"], payload["invoked-function-arn"], payload["payload"].encode())
        printed = worker.output()
        if worker.dead:
            worker.close()
            self._worker = None
        return InvocationResult(
            request_id=payload["invoke-id"],
            payload=outcome.payload,
            is_error=outcome.error_type is not None,
            logs=f"START RequestId: {payload['invoke-id']}\n{printed}END RequestId: {payload['invoke-id']}\n",
        )

    def stop(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def get_address(self) -> str:
        """Return where the environment is."""
        return LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        """Return where LocalStack is for the environment."""
        return LOOPBACK

    def get_runtime_endpoint(self) -> str:
        """Return an address that nobody calls: the Runtime API is the worker's own."""
        return f"http://{LOOPBACK}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def get_logs(self) -> str:
        """Return nothing: each invocation's lines go with its result."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code, so that the function's first call does not wait for it."""
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing stays behind."""


class Workers(RuntimeExecutorPlugin):  # type: ignore[misc]
    """`LAMBDA_RUNTIME_EXECUTOR=perennial`."""

    name = "perennial"

    def load(self, *_: Any, **__: Any) -> type[RuntimeExecutor]:
        """Return the class of execution environments."""
        return Environment
