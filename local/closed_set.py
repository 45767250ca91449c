"""The closed set: every operation that the product calls, with the parameters it uses; nothing else is answered.

`closed_set.json` is recorded over a full run of the product (`make engine-doc`), and docs/engine.md is made from it.
What the product begins to call is refused here by name until it is recorded again: the laptop says of nothing that it
works because nobody ever looked.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

from local.api import ApiError, Asked

FILE: Final = Path(__file__).with_name("closed_set.json")

LOOKING: Final[Mapping[str, frozenset[str]]] = {
    "apigatewayv2": frozenset({"GetApis"}),
    "cloudformation": frozenset(
        {
            *("CreateChangeSet", "CreateStack", "DeleteChangeSet", "DescribeChangeSet", "GetTemplate", "UpdateStack"),
            "DescribeStackEvents",
        }
    ),
    "dynamodb": frozenset({"ListTables", "Scan"}),
    "events": frozenset({"ListRules"}),
    "firehose": frozenset({"ListDeliveryStreams", "PutRecord", "PutRecordBatch"}),
    "kms": frozenset({"ListKeys"}),
    "lambda": frozenset({"ListFunctions"}),
    "s3": frozenset(
        {
            *("AbortMultipartUpload", "CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart"),
            *("GetBucketLocation", "HeadBucket", "ListObjects"),
        }
    ),
    "sagemaker": frozenset(
        {
            *("DescribeEndpointConfig", "DescribeModel", "ListEndpointConfigs", "ListModels"),
            *("ListModelPackageGroups", "ListProcessingJobs", "ListTrainingJobs"),
        }
    ),
    "sns": frozenset({"ListSubscriptionsByTopic", "ListTopics", "Subscribe", "Unsubscribe"}),
    "sqs": frozenset({"ListQueues"}),
    "ssm": frozenset({"GetParameter"}),
    "states": frozenset({"ListStateMachines", "StopExecution"}),
    "sts": frozenset({"AssumeRole"}),
}
"""What people do besides (the `aws` command line, boto3, `cdk`, notebooks): look, upload large files, subscribe, stop.

Some of it is refused in words of its own: docs/decisions/0101.
"""

Tree = dict[str, "Tree"]
"""Parameters by name; `[]` is any element of a list, `*` any key of a map, no entries: whatever is below."""


class ClosedSet:
    """Fulfils `local.api.Guard`."""

    def __init__(self, calls: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self._known = {
            (service, operation): tree_of(parameters)
            for service, operations in calls.items()
            for operation, parameters in operations.items()
        }

    @classmethod
    def load(cls, file: Path = FILE) -> Self:
        """Return the recorded set."""
        return cls(
            {
                service: {name: recorded["parameters"] for name, recorded in operations.items()}
                for service, operations in json.loads(file.read_bytes())["calls"].items()
            }
        )

    def __call__(self, asked: Asked) -> None:
        """Refuse what is not in the set: operations to everybody, parameters to the product and the engine.

        Raises
        ------
        ApiError
            InvalidAction, with what is missing from the set.
        """
        tree = self._known.get((asked.service, asked.operation))
        if tree is None:
            if asked.app or asked.operation not in LOOKING.get(asked.service, ()):
                raise _refusal(asked, "the product does not call it")
        elif asked.app:
            for path in strangers(tree, asked.parameters):
                raise _refusal(asked, f"the product does not use its parameter {path}")


def _refusal(asked: Asked, reason: str) -> ApiError:
    message = f"The laptop engine has no {asked.service}:{asked.operation} like this: {reason} (docs/engine.md)."
    return ApiError("InvalidAction", f"{message} What the product calls is recorded with `make engine-doc`.")


def tree_of(paths: Iterable[str]) -> Tree:
    """Return dotted paths (`TransactItems[].Put.Item`) as a tree.

    >>> tree_of(["Key", "Items[].Put"])
    {'Key': {}, 'Items': {'[]': {'Put': {}}}}
    """
    tree: Tree = {}
    for path in paths:
        at = tree
        for step in path.replace("[]", ".[]").split("."):
            at = at.setdefault(step, {})
    return tree


def strangers(tree: Tree, value: Any, where: str = "") -> Iterator[str]:
    """Yield the paths in `value` that `tree` does not have.

    >>> list(strangers(tree_of(["Items[].Put"]), {"Items": [{"Put": 1, "Check": 2}], "Token": ""}))
    ['Items[].Check', 'Token']
    """
    if not tree:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            inner = tree.get(key, tree.get("*"))
            here = f"{where}.{key}" if where else key
            if inner is None:
                yield here
            elif inner:
                yield from strangers(inner, item, here)
    elif isinstance(value, list) and "[]" in tree:
        for item in value:
            yield from strangers(tree["[]"], item, f"{where}[]")


def paths_of(shape: Any, value: Any, where: str = "") -> Iterator[str]:
    """Yield the paths of the parameters in `value`; maps of plain values and items of tables end a path."""
    if shape.type_name == "structure" and shape.name != "AttributeValue" and isinstance(value, dict) and value:
        for key, item in value.items():
            yield from paths_of(shape.members[key], item, f"{where}.{key}" if where else key)
    elif shape.type_name == "list" and value and shape.member.type_name in ("structure", "list", "map"):
        for item in value:
            yield from paths_of(shape.member, item, f"{where}[]")
    elif shape.type_name == "map" and value and shape.value.type_name in ("structure", "list", "map"):
        for item in value.values():
            yield from paths_of(shape.value, item, f"{where}.*")
    else:
        yield where
