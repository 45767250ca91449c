"""AWS::Lambda: published versions, aliases, and who may call them.

Versions and aliases are touched only when their own properties change: what a deployment of a model has published and
where it has moved the alias survives every deployment of the stacks.
"""

from typing import Any

from local.resources.kind import Kind, Subject, document_of, only


def _publish(subject: Subject) -> str:
    published = subject.client("lambda").publish_version(
        FunctionName=subject.properties["FunctionName"], **subject.picked("Description")
    )
    return str(published["FunctionArn"])


def _read_version(subject: Subject) -> dict[str, Any]:
    function, version = subject.id.rsplit(":", 1)
    found = subject.client("lambda").get_function_configuration(FunctionName=function, Qualifier=version)
    return {"FunctionName": _asked_name(subject, function), "Description": found["Description"]}


def _delete_version(subject: Subject) -> None:
    function, version = subject.id.rsplit(":", 1)
    subject.client("lambda").delete_function(FunctionName=function, Qualifier=version)


def _asked_name(subject: Subject, arn: str) -> str:
    """Return the function as the template names it when it is the one with `arn`, else `arn`."""
    asked = str(subject.properties["FunctionName"])
    return asked if asked in (arn, arn.rsplit(":", 1)[1]) else arn


def _of_alias(subject: Subject) -> dict[str, str]:
    return {"FunctionName": subject.properties["FunctionName"], "Name": subject.properties["Name"]}


def _create_alias(subject: Subject) -> str:
    version = subject.properties["FunctionVersion"]
    created = subject.client("lambda").create_alias(
        FunctionVersion=version, **_of_alias(subject), **subject.picked("Description")
    )
    return str(created["AliasArn"])


def _read_alias(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = subject.client("lambda").get_alias(**_of_alias(subject))
    return found | {"FunctionName": _asked_name(subject, found["AliasArn"].rsplit(":", 1)[0])}


def _permit(subject: Subject) -> str:
    function, qualifier = _split(str(subject.properties["FunctionName"]))
    subject.client("lambda").add_permission(
        FunctionName=function,
        StatementId=subject.name,
        **qualifier,
        **subject.picked("Action", "Principal", "SourceArn", "SourceAccount"),
    )
    return subject.name


def _split(function: str) -> tuple[str, dict[str, str]]:
    """Take the qualifier off a function ARN, as the API wants it."""
    parts = function.split(":")
    return (":".join(parts[:7]), {"Qualifier": parts[7]}) if len(parts) == 8 else (function, {})


def _read_permission(subject: Subject) -> dict[str, Any]:
    function, qualifier = _split(str(subject.properties["FunctionName"]))
    policy = subject.client("lambda").get_policy(FunctionName=function, **qualifier)["Policy"]
    statement = only((s for s in document_of(policy)["Statement"] if s["Sid"] == subject.id), subject.id)
    principal, condition = statement["Principal"], statement.get("Condition", {})
    return {
        "FunctionName": subject.properties["FunctionName"],
        "Action": statement["Action"],
        "Principal": principal if isinstance(principal, str) else principal.get("Service", principal.get("AWS")),
        "SourceArn": condition.get("ArnLike", {}).get("AWS:SourceArn"),
        "SourceAccount": condition.get("StringEquals", {}).get("AWS:SourceAccount"),
    }


def _forbid(subject: Subject) -> None:
    function, qualifier = _split(str(subject.properties["FunctionName"]))
    subject.client("lambda").remove_permission(FunctionName=function, StatementId=subject.id, **qualifier)


KINDS = (
    Kind(
        type="AWS::Lambda::Version",
        properties="FunctionName Description",
        create=_publish,
        read=_read_version,
        delete=_delete_version,
        attributes=lambda s: {"Version": s.id.rsplit(":", 1)[1], "FunctionArn": s.id},
        attribute_names="Version FunctionArn",
    ),
    Kind(
        type="AWS::Lambda::Alias",
        properties="FunctionName FunctionVersion Name Description",
        create=_create_alias,
        read=_read_alias,
        update=lambda s: s.client("lambda").update_alias(**_of_alias(s), **s.picked("FunctionVersion", "Description")),
        delete=lambda s: s.client("lambda").delete_alias(**_of_alias(s)),
        attributes=lambda s: {"AliasArn": s.id},
        attribute_names="AliasArn",
        fixed="FunctionName Name",
        defaults={"Description": ""},
    ),
    Kind(
        type="AWS::Lambda::Permission",
        properties="FunctionName Action Principal SourceArn SourceAccount",
        create=_permit,
        read=_read_permission,
        delete=_forbid,
    ),
)
