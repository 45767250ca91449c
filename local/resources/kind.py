"""What the deployer must know about one CloudFormation resource type, and what its functions are given."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError


class Clients(Protocol):
    """Gives boto3 clients that the engine answers."""

    def client(self, service: str) -> Any:
        """Return the client of `service` (botocore's name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One resource of one stack. `name` is the physical name to use; `id` is what `Ref` gives ("" before creation);
    `properties` are resolved; `previous` are the resolved properties before an update.
    """

    clients: Clients
    name: str
    properties: Mapping[str, Any]
    id: str = ""
    previous: Mapping[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return the client of `service`."""
        return self.clients.client(service)

    def picked(self, *names: str) -> dict[str, Any]:
        """Return those of the properties `names` that are set."""
        return {name: self.properties[name] for name in names if name in self.properties}

    def changed(self, name: str) -> bool:
        """Return whether an update changes property `name`."""
        return bool(self.properties.get(name) != self.previous.get(name))


def _nothing(_: Subject) -> None:
    return None


def _no_attributes(_: Subject) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One resource type.

    `properties` lists every supported property path; `X.*` takes anything below X, which must read back equal.
    `create` returns the value of `Ref`; `configure` does what takes further calls (`delete` undoes both), `finish` what
    must wait until every resource of the stack is there. `read` returns the properties in CloudFormation's spelling.
    `update` None means that every change replaces the resource, as does a change of a property in `fixed`. `defaults`
    are AWS's values for properties that an update may leave out. `unread` names properties that cannot be read back,
    with the reason. `naming` is (property, longest name) where CloudFormation makes up a name.
    """

    type: str
    properties: str
    create: Callable[[Subject], str]
    read: Callable[[Subject], Mapping[str, Any]]
    delete: Callable[[Subject], object]
    configure: Callable[[Subject], None] = _nothing
    finish: Callable[[Subject], None] | None = None
    update: Callable[[Subject], object] | None = None
    attributes: Callable[[Subject], Mapping[str, str]] = _no_attributes
    attribute_names: str = ""
    fixed: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    naming: tuple[str, int] | None = None
    stack_in_name: bool = True

    @property
    def tagged(self) -> bool:
        """Whether stack tags reach resources of this type."""
        return "Tags.*" in self.properties.split()


def tag_list(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return `tags` as a list of pairs in the spelling of a service."""
    return [{key: name, value: text} for name, text in tags.items()]


def tag_map(tags: list[dict[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Return a service's list of pairs as a mapping."""
    return {tag[key]: tag[value] for tag in tags}


def removed_tags(subject: Subject) -> list[str]:
    """Return the keys that an update takes away."""
    return sorted(set(subject.previous.get("Tags", {})) - set(subject.properties.get("Tags", {})))


def only[T](members: Iterable[T], what: str) -> T:
    """Return the first member; raise LookupError when there is none, which means that `what` is gone."""
    for member in members:
        return member
    raise LookupError(f"{what} is not there")


def text_of(document: Any) -> str:
    """Return a policy document or other JSON property as text."""
    return document if isinstance(document, str) else json.dumps(document)


def document_of(text: Any) -> Any:
    """Return JSON text (or what botocore already parsed) as data."""
    return json.loads(text) if isinstance(text, str) else text


def found_or(default: Any, call: Callable[[], Any], *codes: str) -> Any:
    """Return `call()`, or `default` when AWS answers one of the error `codes` (absent configuration, gone resource)."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
        return default
