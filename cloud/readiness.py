"""What a first deployment needs to find in an account: bootstrap, quotas, the training image."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from cloud.faults import code
from cloud.operator import Operator, in_words

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_ABSENT = frozenset({"ParameterNotFound", "NoSuchResourceException", "ImageNotFoundException"})


class Readiness:
    """Reads an account's state for `perennial doctor`; every method raises a LifecycleError when it may not look."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def bootstrap_version(self) -> int | None:
        """Return the version of the CDK bootstrap stack of this account and region, None when there is none."""
        ssm = self._operator.client("ssm")
        try:
            return int(_answer(lambda: ssm.get_parameter(Name=BOOTSTRAP_PARAMETER))["Parameter"]["Value"])
        except KeyError:
            return None

    def job_quotas(self, instance_types: Iterable[str]) -> dict[str, float]:
        """Return how many training and processing instances of each type may run at once, by quota name."""
        kinds = ("training job", "processing job")
        wanted = {f"{instance} for {kind} usage" for instance in instance_types for kind in kinds}
        pager = self._operator.client("service-quotas").get_paginator("list_service_quotas")
        pages = _answer(lambda: {"pages": list(pager.paginate(ServiceCode="sagemaker"))})["pages"]
        return {q["QuotaName"]: float(q["Value"]) for page in pages for q in page["Quotas"] if q["QuotaName"] in wanted}

    def images(self, uris: Iterable[str]) -> dict[str, bool]:
        """Return for each image URI (registry/repository:tag) whether ECR knows the tag."""
        found = {}
        ecr = self._operator.client("ecr")
        for uri in uris:
            registry, _, rest = uri.partition("/")
            repository, _, tag = rest.partition(":")
            arguments = {
                "registryId": registry.split(".")[0],
                "repositoryName": repository,
                "imageIds": [{"imageTag": tag}],
            }
            found[uri] = bool(_answer(partial(ecr.batch_get_image, **arguments)).get("images"))
        return found


def _answer(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return the answer, an empty dictionary where the thing asked for does not exist."""
    with in_words():
        try:
            return call()
        except ClientError as error:
            if code(error) in _ABSENT:
                return {}
            raise
