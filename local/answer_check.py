"""Every answer of the engine against botocore's models: what a client would read, and what it would stumble over.

An observer that costs as much as the answers do, so it is on in tests only (`Dispatcher.witness`).
"""

import functools
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, Final
from xml.etree import ElementTree

import botocore.session
from botocore.awsrequest import HeadersDict
from botocore.parsers import ResponseParserError, create_parser

from local.service_models import BOTOCORE_NAMES
from local.wire import HttpAnswer, HttpCall, operation_of, scope_of
from local.xml_shapes import body_shape, strangers, tag

AS_AWS_DOES: Final = frozenset(
    {
        # a version of a group has no name of its own, whatever the model says: aws/sagemaker-python-sdk issue 5606
        "sagemaker:DescribeModelPackage: .ModelPackageName is required and missing",
    }
)
"""Where AWS itself does not answer as its model says."""

_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


class AnswerCheck:
    """Fulfils `local.dispatch.Observer`; `tell` is given one line for each thing that breaks the model."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell = tell

    def __call__(self, call: HttpCall, answer: HttpAnswer) -> None:
        """Look at one answer."""
        scope = scope_of(call)
        operation = operation_of(call, scope.service) if scope else None
        if scope and operation:
            for fault in faults_of(call, scope.service, answer):
                if (line := f"{scope.service}:{operation}: {fault}") not in AS_AWS_DOES:
                    self._tell(line)


def faults_of(call: HttpCall, service: str, answer: HttpAnswer) -> Iterator[str]:
    """Yield what is wrong with an answer to a call of a known operation."""
    name = operation_of(call, service)
    model = _model(BOTOCORE_NAMES.get(service, service)).operation_model(name)
    protocol = "json" if call.headers.get("x-amz-target") else model.service_model.resolved_protocol
    shape = model.output_shape
    streamed = model.has_streaming_output and answer.status < 300
    whole_body = shape is not None and "payload" in shape.serialization
    given = {
        "status_code": answer.status,
        "headers": HeadersDict(answer.headers),
        "body": io.BytesIO(answer.body) if streamed else answer.body,
        "context": {"operation_name": name},
    }
    try:
        parsed = create_parser(protocol).parse(given, shape)
    except (ResponseParserError, ValueError, TypeError, KeyError, AttributeError) as error:
        yield f"a client cannot read the answer: {type(error).__name__}: {error}"
        return
    if answer.status >= 300:
        yield from _error_faults(model, answer, parsed)
    elif shape is not None:
        yield from _faults(shape, parsed, "")
        if protocol.endswith("json") and not whole_body:
            yield from _strangers(shape, json.loads(answer.body or b"{}"), "")
        elif protocol in ("query", "rest-xml") and body_shape(shape).type_name == "structure" and answer.body:
            root = ElementTree.fromstring(answer.body)
            wrapper = shape.serialization.get("resultWrapper")
            result = next((child for child in root if tag(child) == wrapper), root)
            for stranger in strangers(body_shape(shape), result):
                yield f"{stranger} is not in the model"


def _error_faults(model: Any, answer: HttpAnswer, parsed: dict[str, Any]) -> Iterator[str]:
    if answer.status in (301, 304, 404, 412) and not answer.body:
        return  # HeadObject and conditional reads say it with the status alone
    error = parsed.get("Error", {})
    if error.get("Code") in (None, "", str(answer.status)):  # botocore takes the status for want of a code
        yield f"status {answer.status} without an error code: {answer.body[:200]!r}"
    modeled = {shape.metadata.get("error", {}).get("httpStatusCode", 400) for shape in model.error_shapes}
    if answer.status >= 500 and answer.status not in modeled:
        yield f"status {answer.status}: {error.get('Code')}: {error.get('Message')}"


def _faults(shape: Any, value: Any, where: str) -> Iterator[str]:
    types = _TYPES.get(shape.type_name)
    if value is None or (types and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types))):
        yield f"{where} is {type(value).__name__}, the model says {shape.type_name}"
    elif shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"{where}.{name} is required and missing"
        for name, member in shape.members.items():
            if name in value and not _raw(member):
                yield from _faults(member, value[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for item in value:
            yield from _faults(shape.member, item, f"{where}[]")
    elif shape.type_name == "map":
        for item in value.values():
            yield from _faults(shape.value, item, f"{where}.*")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{where} is {value!r}, the model allows {', '.join(shape.enum)}"


def _raw(shape: Any) -> bool:
    """Whether a member is the body itself, or a document that has no model."""
    return shape.type_name in ("blob", "timestamp") or getattr(shape, "is_document_type", False)


def _strangers(shape: Any, raw: Any, where: str) -> Iterator[str]:
    """Yield the members of a JSON answer that the model does not have; a client would drop them silently."""
    if shape.type_name == "structure" and isinstance(raw, dict) and not _raw(shape):
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for name, value in raw.items():
            if name not in known:
                yield f"{where}.{name} is not in the model"
            else:
                yield from _strangers(known[name], value, f"{where}.{name}")
    elif shape.type_name == "list" and isinstance(raw, list):
        for item in raw:
            yield from _strangers(shape.member, item, f"{where}[]")
    elif shape.type_name == "map" and isinstance(raw, dict):
        for value in raw.values():
            yield from _strangers(shape.value, value, f"{where}.*")


@functools.cache
def _model(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)
