"""Functions: create, read, change, delete. `UpdateFunctionCode` with Publish is how a model is deployed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lifecycle.names import ENVIRONMENT_BYTES
from local.api import ApiError, Caller, Operations
from local.functions.model import LATEST, Code, Configuration, Function, Release, invalid_value
from local.functions.registry import Parameters, Registry, check_revision, new_revision, not_found, refuse_unknown
from local.functions.versions import publish

_SETTINGS = (
    "Environment",
    "EphemeralStorage",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
)
_SOURCE = ("ZipFile", "S3Bucket", "S3Key")
_RUNTIMES = ("python3.12",)
_RESERVED_WORDS = """_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV
    AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION
    AWS_LAMBDA_INITIALIZATION_TYPE AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT
    LAMBDA_RUNTIME_DIR"""
_RESERVED = frozenset(_RESERVED_WORDS.split())

Fetch = Callable[[Parameters], bytes]
"""Returns the zip that `ZipFile` or the S3 object of a request hold."""


class Control:
    """The operations on functions."""

    def __init__(self, registry: Registry, fetch: Fetch) -> None:
        self._registry = registry
        self._fetch = fetch

    def operations(self) -> Operations:
        """Return the intercepts."""
        return {
            ("lambda", "CreateFunction"): self._create,
            ("lambda", "GetFunction"): self._get,
            ("lambda", "GetFunctionConfiguration"): self._get_configuration,
            ("lambda", "UpdateFunctionCode"): self._update_code,
            ("lambda", "UpdateFunctionConfiguration"): self._update_configuration,
            ("lambda", "DeleteFunction"): self._delete,
            ("lambda", "ListFunctions"): self._list,
        }

    def _create(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        refuse_unknown(
            "CreateFunction",
            parameters,
            ("FunctionName", "Code", "Tags", "Architectures", *_SETTINGS),
        )
        name = parameters["FunctionName"]
        code = self._registry.packages.store(self._fetch(parameters["Code"]))
        start = Configuration(
            runtime="", handler="", role="", architectures=tuple(parameters.get("Architectures", ("x86_64",)))
        )
        configuration = self._configured(start, parameters, code)
        with self._registry.lock:
            if name in self._registry.functions:
                raise ApiError("ResourceConflictException", f"Function already exist: {name}", 409)
            now = self._registry.clock.now()
            latest = Release(
                function=name,
                base=self._registry.arn("function", name),
                version=LATEST,
                code=code,
                configuration=configuration,
                revision=new_revision(),
                modified_at=now,
                ready_at=now,
            )
            function = Function(name=name, latest=latest, tags=dict(parameters.get("Tags", {})))
            self._registry.functions[name] = function
            return self._registry.answer(latest)

    def _configured(self, start: Configuration, parameters: Parameters, code: Code) -> Configuration:
        """Return `start` with the settings of a request, checked."""
        asked: dict[str, Any] = {}
        plain = {
            "EphemeralStorage": "ephemeral_storage",
            "Handler": "handler",
            "MemorySize": "memory_size",
            "Role": "role",
            "Runtime": "runtime",
            "Timeout": "timeout",
        }
        asked |= {field: parameters[name] for name, field in plain.items() if name in parameters}
        if "Environment" in parameters:
            asked["environment"] = dict(parameters["Environment"].get("Variables", {}))
        if "Layers" in parameters:
            asked["layers"] = tuple(parameters["Layers"])
        if "LoggingConfig" in parameters:
            asked["log_group"] = parameters["LoggingConfig"].get("LogGroup")
            asked["log_format"] = parameters["LoggingConfig"].get("LogFormat", "Text")
        configuration = replace(start, **asked)
        _check(configuration)
        layers = [self._registry.layer(arn).code for arn in configuration.layers]
        self._registry.packages.check_size([code, *layers])
        return configuration

    def _get(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            release = self._registry.release(function, qualifier)
            answer = {
                "Configuration": self._registry.answer(release),
                "Code": {"RepositoryType": "S3", "Location": release.code.zip.as_uri()},
            }
            return answer | ({"Tags": dict(function.tags)} if function.tags else {})

    def _get_configuration(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            return self._registry.answer(self._registry.release(function, qualifier))

    def _update_code(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        known = ("FunctionName", "Publish", "RevisionId", *_SOURCE)
        refuse_unknown("UpdateFunctionCode", parameters, known)
        function, _qualifier = self._registry.asked(parameters)
        check_revision(parameters, function.latest.revision)
        code = self._registry.packages.store(self._fetch(parameters))
        with self._registry.lock:
            # again: the function may have changed while its code was fetched
            check_revision(parameters, function.latest.revision)
            layers = [self._registry.layer(arn).code for arn in function.latest.configuration.layers]
            self._registry.packages.check_size([code, *layers])
            self._change(function, replace(function.latest, code=code))
            shown = publish(self._registry, function) if parameters.get("Publish") else function.latest
            return self._registry.answer(shown)

    def _update_configuration(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        refuse_unknown("UpdateFunctionConfiguration", parameters, ("FunctionName", "RevisionId", *_SETTINGS))
        with self._registry.lock:
            function, _qualifier = self._registry.asked(parameters)
            check_revision(parameters, function.latest.revision)
            configuration = self._configured(function.latest.configuration, parameters, function.latest.code)
            self._change(function, replace(function.latest, configuration=configuration))
            return self._registry.answer(function.latest)

    def _change(self, function: Function, latest: Release) -> None:
        function.latest = replace(latest, revision=new_revision(), modified_at=self._registry.clock.now())

    def _delete(self, parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            function, qualifier = self._registry.asked(parameters)
            if qualifier is None:
                del self._registry.functions[function.name]
                return {}
            if qualifier == LATEST:
                raise invalid_value("$LATEST version cannot be deleted without deleting the function.")
            if qualifier not in function.versions:
                raise not_found(function.arn(qualifier))
            users = [a.name for a in function.aliases.values() if qualifier in a.versions]
            if users:
                raise ApiError(
                    "ResourceConflictException",
                    f"Unable to delete version because the following aliases reference it: [{', '.join(users)}]",
                    409,
                )
            del function.versions[qualifier]
            function.left.discard(qualifier)
            return {}

    def _list(self, _parameters: Parameters, _: Caller) -> dict[str, Any]:
        with self._registry.lock:
            return {"Functions": [self._registry.answer(f.latest) for f in self._registry.functions.values()]}


def _check(configuration: Configuration) -> None:
    """Refuse what Lambda refuses."""
    wrong = None
    measured = sum(len(k.encode()) + len(v.encode()) for k, v in configuration.environment.items())
    if configuration.runtime not in _RUNTIMES:
        wrong = f"runtime {configuration.runtime!r}: the laptop engine runs {', '.join(_RUNTIMES)}"
    elif not 128 <= configuration.memory_size <= 10_240:
        wrong = f"MemorySize {configuration.memory_size} must be between 128 and 10240"
    elif not 1 <= configuration.timeout <= 900:
        wrong = f"Timeout {configuration.timeout} must be between 1 and 900"
    elif reserved := sorted(_RESERVED & set(configuration.environment)):
        wrong = (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided contains reserved keys. Reserved keys used in this request: {', '.join(reserved)}"
        )
    elif measured > ENVIRONMENT_BYTES:
        wrong = (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. Measured: {measured} bytes"
        )
    elif len(configuration.layers) > 5:
        wrong = "Cannot reference more than 5 layers."
    if wrong:
        raise invalid_value(wrong)
