"""What Lambda holds: frozen releases (code + configuration), functions, aliases, layers.

A published version is a `Release` that nothing changes any more: role, environment, layers and memory are frozen with
the code (AWS Lambda developer guide, "Manage Lambda function versions").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local.api import ApiError

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What `UpdateFunctionConfiguration` sets; `layers` are ARNs, `logging` and the rest as the API spells them."""

    runtime: str
    handler: str
    role: str
    timeout: int = 3
    memory_size: int = 128
    ephemeral_storage: Mapping[str, int] = field(default_factory=lambda: {"Size": 512})
    environment: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    log_group: str | None = None
    log_format: str = "Text"
    architectures: tuple[str, ...] = ("x86_64",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A package: base64 SHA-256 of its zip, the zip's size in bytes, and the zip's file."""

    sha256: str
    size: int
    zip: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of a function ("$LATEST" or digits), ready to run from engine time `ready_at` on.

    `base` is the function's own ARN.
    """

    function: str
    base: str
    version: str
    code: Code
    configuration: Configuration
    revision: str
    modified_at: float
    ready_at: float

    @property
    def arn(self) -> str:
        """The function's ARN, with the version unless it is $LATEST."""
        return self.base if self.version == LATEST else f"{self.base}:{self.version}"

    @property
    def log_group(self) -> str:
        """Where its output goes."""
        return self.configuration.log_group or f"/aws/lambda/{self.function}"


@dataclass(slots=True, kw_only=True)
class Alias:
    """A name for one version; `weights` send a share (0 to 1) of the calls to at most one other."""

    name: str
    version: str
    description: str
    revision: str
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def versions(self) -> frozenset[str]:
        """The versions that may answer its calls."""
        return frozenset({self.version, *self.weights})


@dataclass(slots=True, kw_only=True)
class Function:
    """A function: $LATEST, its published versions, aliases, tags, resource policies and settings of asynchronous
    invocation by qualifier ("" for none), and the versions that an alias has left and none names.
    """

    name: str
    latest: Release
    versions: dict[str, Release] = field(default_factory=dict)
    last_version: int = 0
    aliases: dict[str, Alias] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    event_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    def assign(self, alias: Alias) -> None:
        """Set an alias, or move it."""
        before = self.aliases.get(alias.name, alias).versions
        self.aliases[alias.name] = alias
        self.left = (self.left | before) - {version for one in self.aliases.values() for version in one.versions}

    def arn(self, qualifier: str | None = None) -> str:
        """Return its ARN, with a qualifier where one is given."""
        return f"{self.latest.base}:{qualifier}" if qualifier else self.latest.base


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer version."""

    arn: str
    version: int
    code: Code
    described: Mapping[str, Any]


def invalid_value(message: str) -> ApiError:
    """Return Lambda's error for a request that it cannot accept."""
    return ApiError("InvalidParameterValueException", message)


def split_name(text: str) -> tuple[str, str | None]:
    """Split what callers call a function (name, name:qualifier, partial or full ARN) into name and qualifier."""
    rest = text.split(":function:", 1)[1] if ":function:" in text else text
    name, _, qualifier = rest.partition(":")
    return name, qualifier or None


def iso(at: float) -> str:
    """Return engine time as Lambda writes LastModified."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def configuration_answer(release: Release, now: float, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a release as `GetFunctionConfiguration` answers it at engine time `now`."""
    c = release.configuration
    answer: dict[str, Any] = {
        "FunctionName": release.function,
        "FunctionArn": release.arn,
        "Runtime": c.runtime,
        "Role": c.role,
        "Handler": c.handler,
        "CodeSize": release.code.size,
        "CodeSha256": release.code.sha256,
        "Description": "",
        "Timeout": c.timeout,
        "MemorySize": c.memory_size,
        "EphemeralStorage": dict(c.ephemeral_storage),
        "LastModified": iso(release.modified_at),
        "Version": release.version,
        "RevisionId": release.revision,
        "State": "Active" if now >= release.ready_at else "Pending",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": list(c.architectures),
        "LoggingConfig": {"LogFormat": c.log_format, "LogGroup": release.log_group},
    }
    if c.environment:
        answer["Environment"] = {"Variables": dict(c.environment)}
    if layers:
        answer["Layers"] = layers
    if answer["State"] == "Pending":
        answer |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    return answer
