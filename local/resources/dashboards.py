"""AWS::CloudWatch::Dashboard."""

from typing import Any

from local.resources.kind import Kind, Subject


def _put(subject: Subject) -> str:
    subject.aws.put_dashboard(DashboardName=subject.name, DashboardBody=subject.properties["DashboardBody"])
    return subject.name


def _read(subject: Subject) -> dict[str, Any]:
    return dict(subject.aws.get_dashboard(DashboardName=subject.id))


KINDS = (
    Kind(
        type="AWS::CloudWatch::Dashboard",
        service="cloudwatch",
        properties="DashboardName DashboardBody",
        create=_put,
        read=_read,
        update=_put,
        updates="DashboardBody",
        replaces="DashboardName",
        delete=lambda s: s.aws.delete_dashboards(DashboardNames=[s.id]),
        naming=("DashboardName", 255),
    ),
)
