"""AWS::Lambda: functions and their layers, event source mappings, asynchronous settings."""

import base64
import hashlib
from typing import Any

from local.resources.kind import Kind, Subject, removed_tags

_CONFIGURATION = (
    "Description",
    "Environment",
    "Handler",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "Role",
    "Runtime",
    "Timeout",
    "TracingConfig",
    "DeadLetterConfig",
    "KMSKeyArn",
    "EphemeralStorage",
)
_MAPPING = ("BatchSize", "Enabled", "FunctionName", "FunctionResponseTypes", "MaximumBatchingWindowInSeconds")


def _configuration(subject: Subject) -> dict[str, Any]:
    # CloudFormation and the API spell this one property differently
    asked = {("KMSKeyArn" if name == "KmsKeyArn" else name): value for name, value in subject.properties.items()}
    return {name: asked[name] for name in _CONFIGURATION if name in asked}


def _create(subject: Subject) -> str:
    subject.client("lambda").create_function(
        FunctionName=subject.name,
        Code=subject.properties["Code"],
        Tags=subject.properties.get("Tags", {}),
        **subject.picked("Architectures"),
        **_configuration(subject),
    )
    return subject.name


def _reserve(subject: Subject) -> None:
    limit = subject.properties.get("ReservedConcurrentExecutions")
    if limit is not None:
        subject.client("lambda").put_function_concurrency(
            FunctionName=subject.id, ReservedConcurrentExecutions=int(limit)
        )
    elif subject.previous.get("ReservedConcurrentExecutions") is not None:
        subject.client("lambda").delete_function_concurrency(FunctionName=subject.id)


def _update(subject: Subject) -> None:
    client = subject.client("lambda")
    if subject.changed("Code"):
        client.update_function_code(FunctionName=subject.id, **subject.properties["Code"])
    if any(subject.changed(name) for name in (*_CONFIGURATION, "KmsKeyArn")):
        client.update_function_configuration(FunctionName=subject.id, **_configuration(subject))
    _reserve(subject)
    if subject.changed("Tags"):
        arn = _arn(subject)
        client.untag_resource(Resource=arn, TagKeys=removed_tags(subject))
        client.tag_resource(Resource=arn, Tags=subject.properties["Tags"])


def _arn(subject: Subject) -> str:
    return str(subject.client("lambda").get_function_configuration(FunctionName=subject.id)["FunctionArn"])


def _code_as_asked(subject: Subject, source: dict[str, Any], sha256: str) -> dict[str, Any]:
    """Return `source` when what Lambda holds is that object's content; otherwise what Lambda says it holds."""
    body = subject.client("s3").get_object(Bucket=source["S3Bucket"], Key=source["S3Key"])["Body"].read()
    same = base64.b64encode(hashlib.sha256(body).digest()).decode() == sha256
    return source if same else {"CodeSha256": sha256}


def _read(subject: Subject) -> dict[str, Any]:
    client = subject.client("lambda")
    found = client.get_function(FunctionName=subject.id)
    configuration = found["Configuration"]
    if not subject.previous or subject.changed("Code"):
        code = _code_as_asked(subject, subject.properties["Code"], configuration["CodeSha256"])
    else:
        # a deployment outside CloudFormation may have replaced unchanged code: that is how models are published
        code = subject.properties["Code"]
    read: dict[str, Any] = configuration | {
        "Code": code,
        "KmsKeyArn": configuration.get("KMSKeyArn"),
        "Layers": [layer["Arn"] for layer in configuration.get("Layers", [])],
        "ReservedConcurrentExecutions": found.get("Concurrency", {}).get("ReservedConcurrentExecutions"),
        "Tags": found.get("Tags", {}),
    }
    return read


def _create_layer(subject: Subject) -> str:
    published = subject.client("lambda").publish_layer_version(
        LayerName=subject.name,
        Content=subject.properties["Content"],
        **subject.picked("CompatibleRuntimes", "CompatibleArchitectures", "Description"),
    )
    return str(published["LayerVersionArn"])


def _read_layer(subject: Subject) -> dict[str, Any]:
    name, version = subject.id.split(":")[-2:]
    found: dict[str, Any] = subject.client("lambda").get_layer_version(LayerName=name, VersionNumber=int(version))
    content = _code_as_asked(subject, subject.properties["Content"], found["Content"]["CodeSha256"])
    return found | {"LayerName": name, "Content": content}


def _delete_layer(subject: Subject) -> None:
    name, version = subject.id.split(":")[-2:]
    subject.client("lambda").delete_layer_version(LayerName=name, VersionNumber=int(version))


def _create_mapping(subject: Subject) -> str:
    created = subject.client("lambda").create_event_source_mapping(
        EventSourceArn=subject.properties["EventSourceArn"], **subject.picked(*_MAPPING, "ScalingConfig")
    )
    return str(created["UUID"])


def _read_mapping(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = subject.client("lambda").get_event_source_mapping(UUID=subject.id)
    asked, arn = str(subject.properties["FunctionName"]), found["FunctionArn"]
    same = asked == arn or asked == arn.split(":")[6]
    return found | {"FunctionName": asked if same else arn, "Enabled": found["State"] in ("Enabled", "Creating")}


def _put_invoke_config(subject: Subject) -> str:
    picked = subject.picked("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    subject.client("lambda").put_function_event_invoke_config(
        FunctionName=subject.properties["FunctionName"], Qualifier=subject.properties["Qualifier"], **picked
    )
    return subject.name


def _of_invoke_config(subject: Subject) -> dict[str, str]:
    return {"FunctionName": subject.properties["FunctionName"], "Qualifier": subject.properties["Qualifier"]}


KINDS = (
    Kind(
        type="AWS::Lambda::Function",
        properties="""FunctionName Code.S3Bucket Code.S3Key Handler Runtime Role Description MemorySize Timeout Layers
            Environment.Variables.* TracingConfig.Mode DeadLetterConfig.TargetArn KmsKeyArn LoggingConfig.LogGroup
            LoggingConfig.LogFormat ReservedConcurrentExecutions Architectures EphemeralStorage.Size Tags.*""",
        create=_create,
        configure=_reserve,
        read=_read,
        update=_update,
        delete=lambda s: s.client("lambda").delete_function(FunctionName=s.id),
        attributes=lambda s: {"Arn": _arn(s)},
        attribute_names="Arn",
        fixed="FunctionName Architectures",
        defaults={
            "Description": "",
            "MemorySize": 128,
            "Timeout": 3,
            "Layers": [],
            "Environment": {"Variables": {}},
            "TracingConfig": {"Mode": "PassThrough"},
            "ReservedConcurrentExecutions": None,
        },
        naming=("FunctionName", 64),
    ),
    Kind(
        type="AWS::Lambda::LayerVersion",
        properties="LayerName Content.S3Bucket Content.S3Key CompatibleRuntimes CompatibleArchitectures Description",
        create=_create_layer,
        read=_read_layer,
        delete=_delete_layer,
        naming=("LayerName", 140),
    ),
    Kind(
        type="AWS::Lambda::EventSourceMapping",
        properties=f"EventSourceArn {' '.join(_MAPPING)} ScalingConfig.MaximumConcurrency Tags.*",
        create=_create_mapping,
        read=_read_mapping,
        update=lambda s: s.client("lambda").update_event_source_mapping(
            UUID=s.id, **s.picked(*_MAPPING, "ScalingConfig")
        ),
        delete=lambda s: s.client("lambda").delete_event_source_mapping(UUID=s.id),
        attributes=lambda s: {"Id": s.id},
        attribute_names="Id",
        fixed="EventSourceArn",
        defaults={"BatchSize": 10, "Enabled": True, "FunctionResponseTypes": [], "MaximumBatchingWindowInSeconds": 0},
        unread={"Tags": "moto does not keep tags of event source mappings"},
    ),
    Kind(
        type="AWS::Lambda::EventInvokeConfig",
        properties="""FunctionName Qualifier MaximumRetryAttempts MaximumEventAgeInSeconds
            DestinationConfig.OnFailure.Destination""",
        create=_put_invoke_config,
        read=lambda s: (
            s.client("lambda").get_function_event_invoke_config(**_of_invoke_config(s)) | _of_invoke_config(s)
        ),
        update=_put_invoke_config,
        delete=lambda s: s.client("lambda").delete_function_event_invoke_config(**_of_invoke_config(s)),
        fixed="FunctionName Qualifier",
    ),
)
