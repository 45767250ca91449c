"""Every resource type that the laptop engine can deploy, by name."""

from typing import Final

from local.resources import (
    alarms,
    dashboards,
    dynamodb,
    events,
    firehose,
    functions,
    http_api,
    iam,
    kms,
    logs,
    queues,
    registry,
    s3,
    states,
)
from local.resources.kind import Kind

KINDS: Final[dict[str, Kind]] = {
    kind.type: kind
    for module in (
        alarms,
        dashboards,
        dynamodb,
        events,
        firehose,
        functions,
        http_api,
        iam,
        kms,
        logs,
        queues,
        registry,
        s3,
        states,
    )
    for kind in module.KINDS
}

IGNORED: Final = {"AWS::CDK::Metadata": "counts construct use for the CDK's makers; it makes nothing"}
