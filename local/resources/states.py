"""AWS::StepFunctions: state machines."""

from typing import Any

from local.resources.kind import Kind, Properties, Subject, respelled

_WORDS = {"DefinitionString": "definition", "StateMachineType": "type"}
_SETTINGS = "definition roleArn loggingConfiguration tracingConfiguration"


def _spell(properties: Properties) -> dict[str, Any]:
    """Spell properties as the API does, which begins every word with a small letter."""
    spelled: dict[str, Any] = respelled(dict(properties), lambda word: _WORDS.get(word, word[0].lower() + word[1:]))
    return spelled


def _read(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = subject.aws.describe_state_machine(stateMachineArn=subject.id)
    return found | {"tags": subject.aws.list_tags_for_resource(resourceArn=subject.id)["tags"]}


KINDS = (
    Kind(
        type="AWS::StepFunctions::StateMachine",
        service="stepfunctions",
        properties="""StateMachineType DefinitionString RoleArn TracingConfiguration.Enabled
            LoggingConfiguration.Level LoggingConfiguration.IncludeExecutionData
            LoggingConfiguration.Destinations.CloudWatchLogsLogGroup.LogGroupArn""",
        tags=("tags", "key", "value"),
        spell=_spell,
        create=lambda s: str(
            s.aws.create_state_machine(**{"name": s.name, **s.pick(f"type tags {_SETTINGS}")})["stateMachineArn"]
        ),
        read=_read,
        update=lambda s: s.aws.update_state_machine(stateMachineArn=s.id, **s.pick(_SETTINGS)),
        updates="DefinitionString RoleArn LoggingConfiguration TracingConfiguration",
        replaces="StateMachineType",
        defaults={"LoggingConfiguration": {"Level": "OFF"}, "TracingConfiguration": {"Enabled": False}},
        delete=lambda s: s.aws.delete_state_machine(stateMachineArn=s.id),
        attributes=lambda s: {"Arn": s.id, "Name": s.id.rsplit(":", 1)[1]},
        attribute_names="Arn Name",
        naming=("", 80),
        stack_in_name=False,
    ),
)
