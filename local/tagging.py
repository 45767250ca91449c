"""What carries which tags, of moto's services and the engine's own: `perennial destroy` asks it what is left.

A key that waits for its deletion is still there and listed: nothing that AWS documents says otherwise. Deleted
resources are gone from the list at once, which AWS does not promise.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local import moto_state
from local.api import ApiError, Caller, Operation

Tagged = Callable[[], Mapping[str, Mapping[str, str]]]
"""Returns the tags of all tagged resources by ARN."""

PAGE = 100


class Tagging:
    """The tagging API's one operation that the product calls."""

    def __init__(self, region: str, *own: Tagged) -> None:
        self._region = region
        self._own = own

    def operations(self) -> dict[tuple[str, str], Operation]:
        """Return what the gateway routes here."""
        return {("tagging", "GetResources"): self._get}

    def _get(self, parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
        if unknown := sorted(set(parameters) - {"TagFilters", "PaginationToken"}):
            raise ApiError("InvalidParameterException", f"The laptop engine does not know {', '.join(unknown)}.")
        known: dict[str, Mapping[str, str]] = dict(moto_state.tagged(self._region))
        for tagged in self._own:
            known.update(tagged())
        filters = [(one["Key"], one.get("Values") or ()) for one in parameters.get("TagFilters", ())]
        arns = sorted(
            arn
            for arn, tags in known.items()
            if all(key in tags and (not values or tags[key] in values) for key, values in filters)
            and arn > parameters.get("PaginationToken", "")
        )
        shown = [
            {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in known[arn].items()]}
            for arn in arns[:PAGE]
        ]
        return {"ResourceTagMappingList": shown, "PaginationToken": arns[PAGE - 1] if len(arns) > PAGE else ""}
