"""AWS::StepFunctions: state machines."""

from typing import Any

from local.resources.kind import Kind, Subject, removed_tags, tag_list, tag_map


def _camel(value: Any) -> Any:
    """Spell the keys of `value` as the API does: CloudFormation begins them with a capital letter, the API does not."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: _camel(child) for key, child in value.items()}
    return [_camel(child) for child in value] if isinstance(value, list) else value


def _pascal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _pascal(child) for key, child in value.items()}
    return [_pascal(child) for child in value] if isinstance(value, list) else value


def _asked(subject: Subject) -> dict[str, Any]:
    asked = {"definition": subject.properties["DefinitionString"], "roleArn": subject.properties["RoleArn"]}
    settings = subject.picked("LoggingConfiguration", "TracingConfiguration")
    asked.update(_camel(settings))
    return asked


def _create(subject: Subject) -> str:
    created = subject.client("stepfunctions").create_state_machine(
        name=subject.name,
        type=subject.properties.get("StateMachineType", "STANDARD"),
        tags=tag_list(subject.properties.get("Tags", {}), "key", "value"),
        **_asked(subject),
    )
    return str(created["stateMachineArn"])


def _update(subject: Subject) -> None:
    states = subject.client("stepfunctions")
    states.update_state_machine(stateMachineArn=subject.id, **_asked(subject))
    if subject.changed("Tags"):
        states.untag_resource(resourceArn=subject.id, tagKeys=removed_tags(subject))
        states.tag_resource(resourceArn=subject.id, tags=tag_list(subject.properties["Tags"], "key", "value"))


def _read(subject: Subject) -> dict[str, Any]:
    states = subject.client("stepfunctions")
    found = states.describe_state_machine(stateMachineArn=subject.id)
    tags = states.list_tags_for_resource(resourceArn=subject.id)["tags"]
    return {
        "StateMachineName": found["name"],
        "StateMachineType": found["type"],
        "DefinitionString": found["definition"],
        "RoleArn": found["roleArn"],
        "LoggingConfiguration": _pascal(found.get("loggingConfiguration")),
        "TracingConfiguration": _pascal(found.get("tracingConfiguration")),
        "Tags": tag_map(tags, "key", "value"),
    }


KINDS = (
    Kind(
        type="AWS::StepFunctions::StateMachine",
        properties="""StateMachineName StateMachineType DefinitionString RoleArn TracingConfiguration.Enabled Tags.*
            LoggingConfiguration.Level LoggingConfiguration.IncludeExecutionData
            LoggingConfiguration.Destinations.CloudWatchLogsLogGroup.LogGroupArn""",
        create=_create,
        read=_read,
        update=_update,
        delete=lambda s: s.client("stepfunctions").delete_state_machine(stateMachineArn=s.id),
        attributes=lambda s: {"Arn": s.id, "Name": s.id.rsplit(":", 1)[1]},
        attribute_names="Arn Name",
        fixed="StateMachineName StateMachineType",
        defaults={
            "LoggingConfiguration": {"Level": "OFF"},
            "TracingConfiguration": {"Enabled": False},
        },
        naming=("StateMachineName", 80),
        stack_in_name=False,
    ),
)
