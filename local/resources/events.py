"""AWS::Events: rules of the default bus and their targets."""

from typing import Any

from local.resources.kind import Kind, Subject, spelling


def _put(subject: Subject) -> str:
    subject.aws.put_rule(Name=subject.name, **subject.pick("State EventPattern ScheduleExpression Tags"))
    return subject.name


def _aim(subject: Subject) -> None:
    wanted = subject.properties.get("Targets", [])
    stale = {target["Id"] for target in subject.previous.get("Targets", [])} - {target["Id"] for target in wanted}
    if stale:
        subject.aws.remove_targets(Rule=subject.id, Ids=sorted(stale))
    if wanted:
        answer = subject.aws.put_targets(Rule=subject.id, Targets=wanted)
        if answer["FailedEntryCount"]:
            raise ValueError(f"PutTargets refused {answer['FailedEntries']}")


def _update(subject: Subject) -> None:
    subject.aws.put_rule(Name=subject.name, **subject.pick("State EventPattern ScheduleExpression"))
    _aim(subject)


def _read(subject: Subject) -> dict[str, Any]:
    rule: dict[str, Any] = subject.aws.describe_rule(Name=subject.id)
    return rule | {
        "Targets": subject.aws.list_targets_by_rule(Rule=subject.id)["Targets"],
        "Tags": subject.aws.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"],
    }


def _delete(subject: Subject) -> None:
    if targets := [t["Id"] for t in subject.aws.list_targets_by_rule(Rule=subject.id)["Targets"]]:
        subject.aws.remove_targets(Rule=subject.id, Ids=targets)
    subject.aws.delete_rule(Name=subject.id)


KINDS = (
    Kind(
        type="AWS::Events::Rule",
        service="events",
        properties="""State EventPattern.* ScheduleExpression
            Targets.Id Targets.Arn Targets.RoleArn Targets.Input Targets.DeadLetterConfig.Arn
            Targets.InputTransformer.InputPathsMap.* Targets.InputTransformer.InputTemplate
            Targets.RetryPolicy.MaximumRetryAttempts Targets.RetryPolicy.MaximumEventAgeInSeconds""",
        tags=("Tags", "Key", "Value"),
        spell=spelling(documents="EventPattern"),
        create=_put,
        configure=_aim,
        read=_read,
        update=_update,
        updates="State EventPattern ScheduleExpression Targets",
        defaults={"State": "ENABLED", "Targets": [], "EventPattern": None, "ScheduleExpression": None},
        delete=_delete,
        attributes=lambda s: {"Arn": s.aws.describe_rule(Name=s.id)["Arn"]},
        attribute_names="Arn",
    ),
)
