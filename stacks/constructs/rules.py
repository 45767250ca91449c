"""EventBridge rules. Every target has a dead-letter queue: what cannot be delivered must not be lost silently."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs import nag
from stacks.constructs.function import Function
from stacks.constructs.role import Grant, role

Target = events.CfnRule.TargetProperty
# a day, and as many attempts as fit: what EventBridge does by default, written down
RETRY = events.CfnRule.RetryPolicyProperty(maximum_event_age_in_seconds=86_400, maximum_retry_attempts=185)


def dead_letter_queue(scope: Construct, title: str) -> sqs.Queue:
    """Create a queue that ends a chain: encrypted by SQS, TLS only, kept as long as SQS can."""
    return sqs.Queue(
        scope,
        title,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )


def allow_rules(queue: sqs.Queue) -> None:
    """Let this account's rules, and nobody else's, send to the queue."""
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Rules",
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                "ArnLike": {"aws:SourceArn": Stack.of(queue).format_arn(service="events", resource="rule/*")},
            },
        )
    )


def undelivered(scope: Construct) -> sqs.Queue:
    """Create the queue of a stack for what its rules and functions could not deliver."""
    queue = dead_letter_queue(scope, "Undelivered")
    allow_rules(queue)
    nag.acknowledge(queue, nag.NO_DEAD_LETTER_QUEUE, "it is the dead-letter queue of the stack's rules and functions")
    return queue


def rule_to_machine(
    scope: Construct, title: str, pattern: Mapping[str, Any], machine_arn: str, lost: sqs.Queue
) -> None:
    """Start the state machine with each event that matches `pattern`, the event as its input."""
    place = Construct(scope, title)
    starter = role(place, "events.amazonaws.com", [Grant(actions=("states:StartExecution",), resources=(machine_arn,))])
    target = Target(
        id="Machine",
        arn=machine_arn,
        role_arn=starter.attr_arn,
        dead_letter_config=dead_letters(lost),
        retry_policy=RETRY,
    )
    events.CfnRule(place, "Rule", event_pattern=dict(pattern), state="ENABLED", targets=[target])


def rule_to_own_function(
    scope: Construct, title: str, pattern: Mapping[str, Any], function: Function, lost: sqs.Queue
) -> None:
    """Invoke a function, which no other rule invokes, with each event that matches `pattern`."""
    place = rule_to_function(scope, title, Trigger(pattern=pattern), function, lost)
    retries(place, function, lost)


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """What a rule listens to: events that match `pattern`, or time as `schedule` says; `told` replaces the event."""

    pattern: Mapping[str, Any] | None = None
    schedule: str | None = None
    told: Mapping[str, Any] | None = None


def rule_to_function(scope: Construct, title: str, trigger: Trigger, function: Function, lost: sqs.Queue) -> Construct:
    """Invoke a function whenever `trigger` says so; return what holds the rule. `retries` is to be called once."""
    place = Construct(scope, title)
    target = Target(
        id="Function",
        arn=function.arn,
        dead_letter_config=dead_letters(lost),
        retry_policy=RETRY,
        input=None if trigger.told is None else json.dumps(trigger.told, sort_keys=True),
    )
    rule = events.CfnRule(
        place,
        "Rule",
        event_pattern=None if trigger.pattern is None else dict(trigger.pattern),
        schedule_expression=trigger.schedule,
        state="ENABLED",
        targets=[target],
    )
    lambda_.CfnPermission(
        place,
        "Permission",
        function_name=function.arn,
        action="lambda:InvokeFunction",
        principal="events.amazonaws.com",
        source_arn=rule.attr_arn,
    )
    return place


def retries(place: Construct, function: Function, lost: sqs.Queue) -> None:
    """Have a function retried that EventBridge invokes: asynchronously, so Lambda tries twice more, then gives up.

    What it gives up is handed over to `lost`.
    """
    kinds = lambda_.CfnEventInvokeConfig
    lambda_.CfnEventInvokeConfig(
        place,
        "Retries",
        function_name=function.resource.ref,
        qualifier="$LATEST",
        maximum_retry_attempts=2,
        maximum_event_age_in_seconds=21_600,
        destination_config=kinds.DestinationConfigProperty(
            on_failure=kinds.OnFailureProperty(destination=lost.queue_arn)
        ),
    )


def rule_to_queue(scope: Construct, title: str, pattern: Mapping[str, Any], target: Target) -> None:
    """Send something to a queue with each event that matches `pattern`; `target` says where and what."""
    events.CfnRule(Construct(scope, title), "Rule", event_pattern=dict(pattern), state="ENABLED", targets=[target])


def dead_letters(lost: sqs.Queue) -> events.CfnRule.DeadLetterConfigProperty:
    """Return the dead-letter configuration of a target."""
    return events.CfnRule.DeadLetterConfigProperty(arn=lost.queue_arn)
