"""Lambda: published versions of a function, and the alias that traffic goes to."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from cloud.faults import code, translated
from lifecycle.errors import NotReady


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """One version of a function (`number` "$LATEST" or digits) and what runs when it is called.

    `code_sha256` is base64, as Lambda reports it. `state` is "" where Lambda reports none.
    """

    number: str
    code_sha256: str
    state: str
    update: str
    revision: str
    configuration: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """Where an alias points, how it describes itself, and its revision."""

    version: str
    description: str
    revision: str
    weights: Mapping[str, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """What a function answered: `answer` is its value; `error` is empty, or the error's name and message."""

    answer: Any
    error: str = ""


class Functions:
    """Functions of the account, by name."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def version(self, function: str, number: str = "$LATEST") -> Version:
        """Return one version's configuration."""
        with translated(f"read {function}:{number}"):
            answer = self._functions.get_function_configuration(FunctionName=function, Qualifier=number)
        return _version(answer)

    def versions(self, function: str) -> list[Version]:
        """Return the published versions, oldest first."""
        pages = self._functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        with translated(f"list the versions of {function}"):
            found = [_version(entry) for page in pages for entry in page["Versions"]]
        return sorted((v for v in found if v.number != "$LATEST"), key=lambda version: int(version.number))

    def alias(self, function: str, name: str) -> Alias | None:
        """Return an alias, or None when there is no such function or alias."""
        try:
            with translated(f"read {function}:{name}"):
                answer = self._functions.get_alias(FunctionName=function, Name=name)
        except ClientError as error:
            if code(error) == "ResourceNotFoundException":
                return None
            raise
        routing = answer.get("RoutingConfig") or {}
        return Alias(
            version=answer["FunctionVersion"],
            description=answer.get("Description", ""),
            revision=answer.get("RevisionId", ""),
            weights=routing.get("AdditionalVersionWeights") or {},
        )

    def publish(self, function: str, package: bytes, revision: str) -> Version:
        """Replace a function's code and publish the result as a version, if the function still is at `revision`.

        Raises
        ------
        NotReady
            when somebody else changed the function since `revision` was read, or Lambda is still updating it.
        """
        request: dict[str, Any] = {"FunctionName": function, "ZipFile": package, "Publish": True}
        answer = self._change(f"publish {function}", "update_function_code", request, revision)
        published = _version(answer)
        if published.code_sha256 != code_sha256(package):
            raise NotReady(
                f"{function}:{published.number} has code {published.code_sha256}, not the package just sent: somebody "
                "else published at the same time. Run the deployment again."
            )
        return published

    def point(self, function: str, name: str, target: Alias) -> None:
        """Make an alias what `target` says, if it still is at `target.revision`.

        The routing is always written: an UpdateAlias without RoutingConfig may keep the old weights.
        Raises NotReady when somebody else moved the alias meanwhile.
        """
        request = {
            "FunctionName": function,
            "Name": name,
            "FunctionVersion": target.version,
            "Description": target.description,
            "RoutingConfig": {"AdditionalVersionWeights": dict(target.weights)},
        }
        self._change(f"move {function}:{name}", "update_alias", request, target.revision)

    def invoke(self, function: str, number: str, payload: Mapping[str, Any]) -> Invocation:
        """Call one published version and wait for its answer; an error of the function is an answer too.

        Raises
        ------
        NotReady
            when the version is not active yet.
        """
        try:
            with translated(f"invoke {function}:{number}"):
                answer = self._functions.invoke(
                    FunctionName=function, Qualifier=number, Payload=json.dumps(payload, allow_nan=False).encode()
                )
                body = answer["Payload"].read()
        except ClientError as error:
            if code(error) == "ResourceConflictException":
                raise NotReady(f"{function}:{number} cannot be invoked yet: {error}") from error
            if code(error) == "ResourceNotFoundException":
                return Invocation(answer=None, error="it does not exist")
            raise
        found = json.loads(body) if body else None
        if not answer.get("FunctionError"):
            return Invocation(answer=found)
        said = found if isinstance(found, Mapping) else {}
        name, text = said.get("errorType", "an unknown error"), said.get("errorMessage", "")
        return Invocation(answer=None, error=f"{name}: {text}")

    def delete(self, function: str, number: str) -> bool:
        """Delete one published version; False when an alias points at it, and Lambda keeps it."""
        try:
            with translated(f"delete {function}:{number}"):
                self._functions.delete_function(FunctionName=function, Qualifier=number)
        except ClientError as error:
            if code(error) == "ResourceConflictException":
                return False
            raise
        return True

    def _change(self, doing: str, operation: str, request: dict[str, Any], revision: str) -> Any:
        if revision:
            request["RevisionId"] = revision
        try:
            with translated(doing):
                return getattr(self._functions, operation)(**request)
        except ClientError as error:
            if code(error) in ("PreconditionFailedException", "ResourceConflictException"):
                raise NotReady(f"{doing}: changed by somebody else, or being updated: {error}") from error
            raise


def code_sha256(package: bytes) -> str:
    """Return a package's hash as Lambda reports it (base64)."""
    return base64.b64encode(hashlib.sha256(package).digest()).decode()


def _version(answer: Mapping[str, Any]) -> Version:
    return Version(
        number=answer["Version"],
        code_sha256=answer["CodeSha256"],
        state=answer.get("State", ""),
        update=answer.get("LastUpdateStatus", ""),
        revision=answer.get("RevisionId", ""),
        configuration=answer,
    )
