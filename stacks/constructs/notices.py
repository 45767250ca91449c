"""The topic for people: functions publish to it with their roles, alarms as CloudWatch itself."""

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

ALARMS: Final = "cloudwatch.amazonaws.com"


def notices(scope: Construct, key: kms.Key) -> sns.Topic:
    """Create the topic under the stage's key, and let this account's alarms publish to it.

    An alarm's action needs both the topic's policy and the key's: without the second, CloudWatch drops it silently.
    Source: CloudWatch user guide, "Notifying users on alarm changes", encrypted topics.
    """
    topic = sns.Topic(scope, "Notices", master_key=key, enforce_ssl=True)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Alarms",
            principals=[iam.ServicePrincipal(ALARMS)],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="Alarms",
            principals=[iam.ServicePrincipal(ALARMS)],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
        )
    )
    return topic
