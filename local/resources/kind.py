"""What the deployer must know about one CloudFormation resource type, and what its functions are given."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import ClientError

Properties = Mapping[str, Any]


class Clients(Protocol):
    """Gives boto3 clients that the engine answers."""

    def client(self, service: str) -> Any:
        """Return the client of `service` (boto3's name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One resource of one stack.

    `name` is the physical name, `id` what `Ref` gives ("" before creation); `properties` are resolved and `api` are the
    same in the spelling of the service; `previous` are the properties before an update.
    """

    aws: Any
    name: str
    properties: Properties
    api: Properties
    id: str = ""
    previous: Properties = field(default_factory=dict)

    def pick(self, names: str) -> dict[str, Any]:
        """Return those of the parameters `names` (of the service) that are set."""
        return {name: self.api[name] for name in names.split() if self.api.get(name) is not None}

    def changed(self, name: str) -> bool:
        """Return whether this deployment sets or changes property `name`."""
        return bool(self.properties.get(name) != self.previous.get(name))


def _nothing(_: Subject) -> None:
    return None


def _no_attributes(_: Subject) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One resource type: what it takes, and which calls make, read, change and remove it.

    `properties` lists every supported property path; `X.*` takes anything below X. `spell` turns properties into the
    service's parameters, `read` returns what is there in that spelling. `create` returns the value of `Ref`;
    `configure` does what takes further calls (`delete` undoes both); `finish` what must wait until every resource of
    the stack is there. Properties in `updates` are changed in place (`defaults`: what AWS takes when they are left
    out, None for nothing; one that has no default cannot be taken away), those in `replaces` ("*": all) by a new
    resource, any other not at all. `unread` names properties that cannot be read back, with the reason. `naming` is the
    property and greatest length of a name that CloudFormation makes up; `tags` are the service's words: parameter, key,
    value (a mapping, when there is only the parameter).
    """

    type: str
    service: str
    properties: str
    create: Callable[[Subject], str]
    read: Callable[[Subject], Properties]
    delete: Callable[[Subject], object]
    spell: Callable[[Properties], dict[str, Any]] = dict
    configure: Callable[[Subject], object] = _nothing
    finish: Callable[[Subject], object] | None = None
    update: Callable[[Subject], object] = _nothing
    updates: str = ""
    replaces: str = ""
    defaults: Properties = field(default_factory=dict)
    attributes: Callable[[Subject], Mapping[str, str]] = _no_attributes
    attribute_names: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)
    naming: tuple[str, int] = ("", 64)
    stack_in_name: bool = True
    tags: tuple[str, ...] = ()

    def subject(self, clients: Clients, name: str, properties: Properties, **more: Any) -> Subject:
        """Return the subject of a call."""
        return Subject(
            aws=clients.client(self.service), name=name, properties=properties, api=self.spelled(properties), **more
        )

    def spelled(self, properties: Properties) -> dict[str, Any]:
        """Return `properties` (tags as one mapping) as the service's parameters."""
        spelled = self.spell({name: value for name, value in properties.items() if name != "Tags"})
        if self.tags and properties.get("Tags"):
            parameter, *words = self.tags
            pairs = properties["Tags"].items()
            spelled[parameter] = [dict(zip(words, pair, strict=True)) for pair in pairs] if words else dict(pairs)
        return spelled


def spelling(rename: Mapping[str, str] | None = None, documents: str = "") -> Callable[[Properties], dict[str, Any]]:
    """Return a `spell` that renames properties and writes `documents` as JSON text."""
    names, texts = rename or {}, documents.split()

    def spell(properties: Properties) -> dict[str, Any]:
        return {
            names.get(name, name): json.dumps(value) if name in texts and isinstance(value, dict) else value
            for name, value in properties.items()
        }

    return spell


def respelled(value: Any, word: Callable[[str], str]) -> Any:
    """Return `value` with `word` applied to every key, however deep."""
    if isinstance(value, dict):
        return {word(key): respelled(child, word) for key, child in value.items()}
    return [respelled(child, word) for child in value] if isinstance(value, list) else value


def only[T](members: Iterable[T], what: str) -> T:
    """Return the first member; raise LookupError when there is none, which means that `what` is gone."""
    for member in members:
        return member
    raise LookupError(f"{what} is not there")


def found_or(default: Any, call: Callable[[], Any], *codes: str) -> Any:
    """Return `call()`, or `default` when AWS answers one of the error `codes`."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
        return default
