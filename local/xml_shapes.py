"""Elements of an XML body against a service's model: those that it does not have."""

from collections.abc import Iterator
from typing import Any


def body_shape(shape: Any) -> Any:
    """Return the shape of a body: the operation's own, or that of the one member that is the body."""
    name = shape.serialization.get("payload")
    return shape.members[name] if name else shape


def tag(element: Any) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def strangers(shape: Any, element: Any, where: str = "") -> Iterator[str]:
    """Yield the paths of the elements that the model does not have."""
    if shape.type_name == "structure":
        known = dict(_element(name, member) for name, member in shape.members.items())
        for child in element:
            if (name := tag(child)) not in known:
                yield f"{where}.{name}"
            else:
                yield from strangers(known[name], child, f"{where}.{name}")
    elif shape.type_name == "list":
        for child in element:
            yield from strangers(shape.member, child, f"{where}[]")


def _element(name: str, member: Any) -> tuple[str, Any]:
    """Return the element that a member is, and its shape: each entry of a flattened list has one of its own."""
    own = member.serialization.get("name", name)
    if member.type_name == "list" and member.serialization.get("flattened"):
        return member.member.serialization.get("name", own), member.member
    return own, member
