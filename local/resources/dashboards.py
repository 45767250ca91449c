"""AWS::CloudWatch::Dashboard."""

from typing import Any

from local.resources.kind import Kind, Subject


def _put(subject: Subject) -> str:
    subject.aws.put_dashboard(**subject.pick("DashboardBody Tags"), DashboardName=subject.name)
    return subject.name


def _read(subject: Subject) -> dict[str, Any]:
    found = subject.aws.get_dashboard(DashboardName=subject.id)
    tags = subject.aws.list_tags_for_resource(ResourceARN=found["DashboardArn"])["Tags"]
    return {**found, "Tags": tags}


KINDS = (
    Kind(
        type="AWS::CloudWatch::Dashboard",
        service="cloudwatch",
        properties="DashboardName DashboardBody",
        tags=("Tags", "Key", "Value"),
        create=_put,
        read=_read,
        update=_put,
        updates="DashboardBody",
        replaces="DashboardName",
        delete=lambda s: s.aws.delete_dashboards(DashboardNames=[s.id]),
        naming=("DashboardName", 255),
    ),
)
