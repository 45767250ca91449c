"""Release -> how its worker is started: folders on the path and environment, as Lambda arranges them.

Only the template's environment and Lambda's own variables reach a worker; nothing of this machine does. Code wins over
layers, the last layer over the first, and all of them over the runtime's own packages (AWS Lambda developer guide,
"Runtime search path").
"""

import sys
from pathlib import Path

from local.functions.model import Release
from local.functions.packages import Packages
from local.functions.registry import Registry
from local.functions.worker import Launch
from local.identity import Identity

RUNTIME_PYTHON = Path(".venv-runtime/bin/python")


def default_python() -> str:
    """Return the interpreter that has the runtime's packages: `make` builds it beside the engine's own."""
    return str(RUNTIME_PYTHON.absolute()) if RUNTIME_PYTHON.exists() else sys.executable


class Launcher:
    """Describes workers. `endpoint` is the engine's URL; `python` an interpreter with requirements/runtime.lock."""

    def __init__(self, registry: Registry, identity: Identity, endpoint: str, python: str) -> None:
        self._registry = registry
        self._packages: Packages = registry.packages
        self._identity = identity
        self._endpoint = endpoint
        self._python = python

    def __call__(self, release: Release) -> Launch:
        """Return how to start a worker of `release`, its packages unpacked."""
        c = release.configuration
        task_root = self._packages.folder(release.code)
        with self._registry.lock:
            layers = [self._registry.layer(arn).code for arn in reversed(c.layers)]
        opt = [self._packages.folder(code) for code in layers]
        return Launch(
            python=self._python,
            handler=c.handler,
            task_root=task_root,
            environment=self._environment(release, task_root, opt),
            memory_mb=c.memory_size,
            timeout_seconds=c.timeout,
        )

    def _environment(self, release: Release, task_root: Path, opt: list[Path]) -> dict[str, str]:
        c = release.configuration
        own = {
            **search_paths(task_root, opt),
            "_HANDLER": c.handler,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{c.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": release.function,
            "AWS_LAMBDA_FUNCTION_VERSION": release.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(c.memory_size),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": release.log_group,
            "AWS_REGION": self._registry.region,
            "AWS_DEFAULT_REGION": self._registry.region,
            "AWS_ENDPOINT_URL": self._endpoint,
        }
        return {**own, **c.environment, **self._identity.issue(c.role).environment()}


def search_paths(task_root: Path, layers: list[Path]) -> dict[str, str]:
    """Return where a worker looks for programs and packages, as variables; `layers` unpacked, the last one first."""
    places = [place for layer in layers for place in ("python/lib/python3.12/site-packages", "python")]
    packages = [layer / place for layer in layers for place in dict.fromkeys(places) if (layer / place).is_dir()]
    libraries = [str(task_root), str(task_root / "lib"), *(str(layer / "lib") for layer in layers)]
    return {
        "PATH": ":".join([*(str(layer / "bin") for layer in layers), "/usr/local/bin", "/usr/bin", "/bin"]),
        "LD_LIBRARY_PATH": ":".join(libraries),
        "PYTHONPATH": ":".join(str(folder) for folder in (task_root, *packages)),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(task_root),
    }
