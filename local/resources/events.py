"""AWS::Events: rules of the default bus and their targets."""

from typing import Any

from local.resources.kind import Kind, Subject, document_of, removed_tags, tag_list, tag_map, text_of


def _put(subject: Subject) -> str:
    asked = subject.picked("Description", "State", "ScheduleExpression")
    if "EventPattern" in subject.properties:
        asked["EventPattern"] = text_of(subject.properties["EventPattern"])
    subject.client("events").put_rule(Name=subject.name, **asked)
    return subject.name


def _configure(subject: Subject) -> None:
    events, wanted = subject.client("events"), subject.properties.get("Targets", [])
    if stale := {t["Id"] for t in subject.previous.get("Targets", [])} - {t["Id"] for t in wanted}:
        events.remove_targets(Rule=subject.id, Ids=sorted(stale))
    if wanted:
        answer = events.put_targets(Rule=subject.id, Targets=wanted)
        if answer["FailedEntryCount"]:
            raise ValueError(f"PutTargets refused {answer['FailedEntries']}")
    if subject.changed("Tags"):
        arn = _arn(subject)
        if gone := removed_tags(subject):
            events.untag_resource(ResourceARN=arn, TagKeys=gone)
        events.tag_resource(ResourceARN=arn, Tags=tag_list(subject.properties["Tags"]))


def _update(subject: Subject) -> None:
    _put(subject)
    _configure(subject)


def _arn(subject: Subject) -> str:
    return str(subject.client("events").describe_rule(Name=subject.id)["Arn"])


def _read(subject: Subject) -> dict[str, Any]:
    events = subject.client("events")
    rule = events.describe_rule(Name=subject.id)
    found = {key: rule.get(key) for key in ("Name", "Description", "State", "ScheduleExpression")}
    if "EventPattern" in rule:
        found["EventPattern"] = document_of(rule["EventPattern"])
    found["Targets"] = events.list_targets_by_rule(Rule=subject.id)["Targets"]
    found["Tags"] = tag_map(events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"])
    return found


def _delete(subject: Subject) -> None:
    events = subject.client("events")
    if targets := [t["Id"] for t in events.list_targets_by_rule(Rule=subject.id)["Targets"]]:
        events.remove_targets(Rule=subject.id, Ids=targets)
    events.delete_rule(Name=subject.id)


KINDS = (
    Kind(
        type="AWS::Events::Rule",
        properties="""Name Description State ScheduleExpression EventPattern.* Tags.*
            Targets.Id Targets.Arn Targets.RoleArn Targets.Input Targets.InputPath Targets.DeadLetterConfig.Arn
            Targets.InputTransformer.InputPathsMap.* Targets.InputTransformer.InputTemplate
            Targets.RetryPolicy.MaximumRetryAttempts Targets.RetryPolicy.MaximumEventAgeInSeconds""",
        create=_put,
        configure=_configure,
        read=_read,
        update=_update,
        delete=_delete,
        attributes=lambda s: {"Arn": _arn(s)},
        attribute_names="Arn",
        fixed="Name",
        defaults={"Description": "", "State": "ENABLED", "Targets": []},
        naming=("Name", 64),
    ),
)
