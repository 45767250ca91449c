"""AWS::Lambda: functions, layers, versions, aliases, and what calls them.

Versions and aliases are touched only when their own properties change: what a deployment of a model has published, and
where it has moved the alias, survives every deployment of the stacks.
"""

import json
from typing import Any

from local.resources.kind import Kind, Subject, only

_CONFIGURATION = "Environment EphemeralStorage Handler Layers LoggingConfig MemorySize Role Runtime Timeout"
_MAPPING = "BatchSize FunctionName FunctionResponseTypes"
_ASYNC = "MaximumRetryAttempts MaximumEventAgeInSeconds DestinationConfig"
_OF_ASYNC = "FunctionName Qualifier"


def _create(subject: Subject) -> str:
    asked = subject.pick(f"Code Architectures Tags {_CONFIGURATION}")
    subject.aws.create_function(FunctionName=subject.name, **asked)
    return subject.name


def _update(subject: Subject) -> None:
    if subject.changed("Code"):
        subject.aws.update_function_code(FunctionName=subject.id, **subject.properties["Code"])
    if any(subject.changed(name) for name in _CONFIGURATION.split()):
        subject.aws.update_function_configuration(FunctionName=subject.id, **subject.pick(_CONFIGURATION))


def _arn(subject: Subject) -> str:
    return str(subject.aws.get_function_configuration(FunctionName=subject.id)["FunctionArn"])


def _read(subject: Subject) -> dict[str, Any]:
    found = subject.aws.get_function(FunctionName=subject.id)
    configuration: dict[str, Any] = found["Configuration"]
    layers = [layer["Arn"] for layer in configuration.get("Layers", [])]
    return configuration | {"Layers": layers, "Tags": found.get("Tags", {})}


def _publish_layer(subject: Subject) -> str:
    asked = subject.pick("Content CompatibleRuntimes CompatibleArchitectures Description")
    return str(subject.aws.publish_layer_version(LayerName=subject.name, **asked)["LayerVersionArn"])


def _layer(subject: Subject) -> dict[str, Any]:
    _, name, number = subject.id.rsplit(":", 2)
    return {"LayerName": name, "VersionNumber": int(number)}


def _published(subject: Subject) -> dict[str, str]:
    function, number = subject.id.rsplit(":", 1)
    return {"FunctionName": function, "Qualifier": number}


def _named(subject: Subject, arn: str) -> dict[str, str]:
    """Return the function as the template names it when that is the one with `arn`, else `arn`."""
    asked, parts = str(subject.properties["FunctionName"]), arn.split(":")
    return {"FunctionName": asked if asked in (arn, ":".join(parts[:7]), parts[6]) else arn}


def _read_mapping(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = subject.aws.get_event_source_mapping(UUID=subject.id)
    return found | _named(subject, found["FunctionArn"])


def _statement(subject: Subject) -> dict[str, str]:
    """Return where a permission is kept: a qualifier in the function's ARN is a parameter of its own."""
    *arn, qualifier = str(subject.properties["FunctionName"]).split(":")
    own = {"FunctionName": ":".join(arn), "Qualifier": qualifier} if len(arn) == 7 else subject.pick("FunctionName")
    return own | {"StatementId": subject.id or subject.name}


def _permit(subject: Subject) -> str:
    subject.aws.add_permission(**_statement(subject), **subject.pick("Action Principal SourceArn"))
    return subject.name


def _read_permission(subject: Subject) -> dict[str, Any]:
    where = _statement(subject)
    sid = where.pop("StatementId")
    policy = json.loads(subject.aws.get_policy(**where)["Policy"])
    statement = only((s for s in policy["Statement"] if s["Sid"] == sid), sid)
    condition = {key.lower(): value for key, value in statement.get("Condition", {}).get("ArnLike", {}).items()}
    return {
        "Action": statement["Action"],
        "Principal": statement["Principal"]["Service"],
        "SourceArn": condition.get("aws:sourcearn"),
        "FunctionName": subject.properties["FunctionName"],
    }


def _put_async(subject: Subject) -> str:
    subject.aws.put_function_event_invoke_config(**subject.pick(f"{_OF_ASYNC} {_ASYNC}"))
    return subject.name


_COPY = "Lambda answers with a hash and an address of its own copy"

KINDS = (
    Kind(
        type="AWS::Lambda::Function",
        service="lambda",
        properties="""FunctionName Code.S3Bucket Code.S3Key Handler Runtime Role MemorySize Timeout Layers
            EphemeralStorage.Size Environment.Variables.* LoggingConfig.LogGroup LoggingConfig.LogFormat
            Architectures""",
        tags=("Tags",),
        create=_create,
        read=_read,
        update=_update,
        updates=f"Code {_CONFIGURATION}",
        replaces="FunctionName",
        defaults={
            "EphemeralStorage": {"Size": 512},
            "MemorySize": 128,
            "Timeout": 3,
            "Layers": [],
            "Environment": {"Variables": {}},
        },
        delete=lambda s: s.aws.delete_function(FunctionName=s.id),
        attributes=lambda s: {"Arn": _arn(s)},
        attribute_names="Arn",
        unread={"Code": _COPY},
        naming=("FunctionName", 64),
    ),
    Kind(
        type="AWS::Lambda::LayerVersion",
        service="lambda",
        properties="Content.S3Bucket Content.S3Key CompatibleRuntimes CompatibleArchitectures Description",
        create=_publish_layer,
        read=lambda s: s.aws.get_layer_version(**_layer(s)),
        replaces="*",
        delete=lambda s: s.aws.delete_layer_version(**_layer(s)),
        unread={"Content": _COPY},
        naming=("", 140),
    ),
    Kind(
        type="AWS::Lambda::Version",
        service="lambda",
        properties="FunctionName",
        create=lambda s: str(s.aws.publish_version(**s.pick("FunctionName"))["FunctionArn"]),
        read=lambda s: _named(s, s.aws.get_function_configuration(**_published(s))["FunctionArn"]),
        replaces="*",
        delete=lambda s: s.aws.delete_function(**_published(s)),
        attributes=lambda s: {"Version": _published(s)["Qualifier"]},
        attribute_names="Version",
    ),
    Kind(
        type="AWS::Lambda::Alias",
        service="lambda",
        properties="FunctionName FunctionVersion Name",
        create=lambda s: str(s.aws.create_alias(**s.pick("FunctionName FunctionVersion Name"))["AliasArn"]),
        read=lambda s: s.aws.get_alias(**s.pick("FunctionName Name")) | _named(s, s.id),
        update=lambda s: s.aws.update_alias(**s.pick("FunctionName FunctionVersion Name")),
        updates="FunctionVersion",
        replaces="FunctionName Name",
        delete=lambda s: s.aws.delete_alias(**s.pick("FunctionName Name")),
    ),
    Kind(
        type="AWS::Lambda::Permission",
        service="lambda",
        properties="FunctionName Action Principal SourceArn",
        create=_permit,
        read=_read_permission,
        replaces="*",
        delete=lambda s: s.aws.remove_permission(**_statement(s)),
    ),
    Kind(
        type="AWS::Lambda::EventSourceMapping",
        service="lambda",
        properties=f"EventSourceArn {_MAPPING}",
        tags=("Tags",),
        create=lambda s: str(s.aws.create_event_source_mapping(**s.pick(f"EventSourceArn {_MAPPING}"))["UUID"]),
        read=_read_mapping,
        update=lambda s: s.aws.update_event_source_mapping(UUID=s.id, **s.pick(_MAPPING)),
        updates=_MAPPING,
        replaces="EventSourceArn",
        defaults={"BatchSize": 10, "FunctionResponseTypes": []},
        delete=lambda s: s.aws.delete_event_source_mapping(UUID=s.id),
        unread={"Tags": "the engine's event source mappings keep none"},
    ),
    Kind(
        type="AWS::Lambda::EventInvokeConfig",
        service="lambda",
        properties="""FunctionName Qualifier MaximumRetryAttempts MaximumEventAgeInSeconds
            DestinationConfig.OnFailure.Destination""",
        create=_put_async,
        read=lambda s: s.aws.get_function_event_invoke_config(**s.pick(_OF_ASYNC)) | s.pick(_OF_ASYNC),
        update=_put_async,
        updates=_ASYNC,
        defaults=dict.fromkeys(_ASYNC.split()),
        replaces=_OF_ASYNC,
        delete=lambda s: s.aws.delete_function_event_invoke_config(**s.pick(_OF_ASYNC)),
    ),
)
