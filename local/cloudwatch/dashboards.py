"""Dashboards: kept as they were put; drawing them is CloudWatch's."""

import json
from typing import Any

from local.api import ACCOUNT, ApiError, Caller, Operations
from local.cloudwatch.metric_queries import invalid
from local.keeping import NOWHERE, Keep, kept


class Dashboards:
    """All dashboards of the account, by name."""

    def __init__(self, keep: Keep = NOWHERE) -> None:
        self._bodies = kept(keep, "dashboards")
        self._tags = kept(keep, "dashboards' tags")

    def operations(self) -> Operations:
        """Return what the gateway routes here."""
        return {
            ("monitoring", "PutDashboard"): self._put,
            ("monitoring", "GetDashboard"): self._get,
            ("monitoring", "DeleteDashboards"): self._delete,
        }

    def tagged(self) -> dict[str, dict[str, str]]:
        """Return the tags of every dashboard by ARN."""
        return {arn: dict(tags) for arn, tags in self._tags.items()}

    def _put(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        try:
            widgets = json.loads(parameters["DashboardBody"])["widgets"]
        except (ValueError, KeyError, TypeError) as error:
            raise invalid("The field DashboardBody must be a valid JSON object") from error
        for widget in widgets:
            if not {"type", "properties"} <= widget.keys():
                raise invalid("Should have required property 'type' and 'properties'")
        name = parameters["DashboardName"]
        self._bodies[name] = parameters["DashboardBody"]
        # as of alarms, tags of an existing dashboard are not changed by putting it
        self._tags.setdefault(_arn(name), {tag["Key"]: tag["Value"] for tag in parameters.get("Tags", ())})
        return {"DashboardValidationMessages": []}

    def _get(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        name = parameters["DashboardName"]
        self._need([name])
        return {"DashboardArn": _arn(name), "DashboardBody": self._bodies[name], "DashboardName": name}

    def _delete(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        self._need(parameters["DashboardNames"])
        for name in parameters["DashboardNames"]:
            del self._bodies[name], self._tags[_arn(name)]
        return {}

    def _need(self, names: list[str]) -> None:
        if missing := [name for name in names if name not in self._bodies]:
            raise ApiError("ResourceNotFound", f"Dashboard {', '.join(missing)} does not exist", 404)


def _arn(name: str) -> str:
    return f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}"
