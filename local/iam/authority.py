"""Whether a role, or an AWS service for a resource of the account, may do what it asks; a guard of every call."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from local.api import ACCOUNT, ApiError, Asked, Clients
from local.iam.decision import Denied, Granted, Need, decide
from local.iam.facts import has_object
from local.iam.handed_over import HANDED, Handed
from local.iam.policies import Policies
from local.iam.refusals import refused, user
from local.iam.service_needs import SERVICES
from local.iam.statements import PolicyError
from local.iam.storage_needs import STORAGE, source_of

NEEDS = {**STORAGE, **SERVICES}
"""What each operation needs; a role's call of any other is refused by name."""

OfFunction = Callable[[str], Sequence[Mapping[str, Any]]]
_LOG_KEY = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
_OVER_TLS = {"aws:securetransport": "true"}  # the loopback address stands in for TLS: nothing leaves the machine


@dataclass(frozen=True, slots=True)
class Acting:
    """An AWS service (`events.amazonaws.com`) that acts for a resource of the account (a rule's ARN)."""

    service: str
    source_arn: str

    @property
    def context(self) -> dict[str, str]:
        """What conditions know of the service's call."""
        return {"aws:sourcearn": self.source_arn, "aws:sourceaccount": ACCOUNT, "sts:externalid": ACCOUNT}


class Authority:
    """Decides by the policies of the account as they are now. The operator is an administrator: nothing is asked."""

    def __init__(self, clients: Clients, region: str, of_function: OfFunction) -> None:
        self._region = region
        self.policies = Policies(clients, of_function)
        self._used: set[tuple[str, Granted]] = set()

    def __call__(self, asked: Asked) -> None:
        """Refuse a role's call that its policies, or those of what it asks for, do not allow. Raises ApiError."""
        if handed := HANDED.get((asked.service, asked.operation)):
            self._hand_over(handed, asked.parameters)
        if asked.service == "logs" and asked.parameters.get("kmsKeyId"):
            self._encrypt_logs(asked.parameters)
        role = asked.caller.role_arn
        if role is None:
            return
        for need in needs_of(asked.service, asked.operation, asked.parameters, self._region):
            self.require(role, asked.service, need)
        if asked.service == "s3":
            self._find(role, asked)

    def require(self, who: str | Acting, service: str, need: Need) -> None:
        """Refuse in the words of `service` unless a role (by ARN) or an acting service may do what a call needs."""
        context = {**_OVER_TLS, **need.context, **({} if isinstance(who, str) else who.context)}
        self._decide(who, service, need, context)
        if not need.kms:
            return
        key = self.policies.key(need.key) if need.key else self.policies.key_of(need.resource)
        if key is None:
            return
        via = context["kms:viaservice"] = f"{need.resource.split(':')[2]}.{self._region}.amazonaws.com"
        told = who if isinstance(who, str) else f"{who.service} {who.source_arn}"
        for action in need.kms:  # the same few, of every call
            name = ("key allows", told, service, action, key, via)
            self.policies.keep(name, partial(self._decide, who, service, Need(action, key), context))

    def service(self, acting: Acting, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Refuse a call that an AWS service is about to make unless the resource's policy lets it. Raises ApiError."""
        for need in needs_of(service, operation, parameters, self._region):
            self.require(acting, service, need)

    def with_role(self, acting: Acting, role_arn: str, needs: Iterable[Need]) -> None:
        """Refuse what an AWS service is about to do with a role that it may not assume or that does not do.

        Raises
        ------
        ApiError
            AccessDeniedException, whatever service is called.
        """
        if not self.assumes(acting, role_arn):
            message = f"{acting.service} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            raise ApiError("AccessDeniedException", f"{message} for {acting.source_arn}")
        for need in needs:
            self.require(role_arn, "", need)

    def assumes(self, acting: Acting, role_arn: str) -> bool:
        """Tell whether a role's trust policy lets a service assume it."""
        need = Need("sts:AssumeRole", role_arn)
        principal, trust = ("Service", acting.service), self.policies.trust(role_arn)
        return isinstance(decide(need, {**_OVER_TLS, **acting.context}, principal, (), trust), Granted)

    def used(self) -> frozenset[tuple[str, Granted]]:
        """Return what allowed calls so far: (role ARN, statement with action and resource as written)."""
        return frozenset(self._used)

    def _decide(self, who: str | Acting, service: str, need: Need, context: Mapping[str, Any]) -> None:
        principal = ("AWS", who) if isinstance(who, str) else ("Service", who.service)
        try:
            others = self.policies.of_resource(need.resource, need.action)
            own = self.policies.of_role(who, need.action) if isinstance(who, str) else ()
        except PolicyError as unknown:
            raise ApiError("AccessDeniedException", f"The laptop engine cannot decide: {unknown}", 403) from unknown
        verdict = decide(need, context, principal, own, others)
        if isinstance(verdict, Denied):
            raise refused(service, user(who) if isinstance(who, str) else who.service, need, verdict)
        if isinstance(who, str):
            self._used.add((who, verdict))

    def _encrypt_logs(self, parameters: Mapping[str, Any]) -> None:
        """CloudWatch Logs takes a key for a log group only if the key's policy lets it use the key for that group.

        Source: CloudWatch Logs user guide, "Encrypt log data"; the error from reports by users.
        """
        arn = f"arn:aws:logs:{self._region}:{ACCOUNT}:log-group:{parameters['logGroupName']}"
        key, acting = self.policies.key(parameters["kmsKeyId"]), Acting(f"logs.{self._region}.amazonaws.com", arn)
        for action in _LOG_KEY:
            try:
                self.require(acting, "", Need(action, str(key), {"kms:encryptioncontext:aws:logs:arn": arn}))
            except ApiError as refusal:
                message = f"The specified KMS key does not exist or is not allowed to be used with LogGroup '{arn}'"
                raise ApiError("AccessDeniedException", message) from refusal

    def _hand_over(self, handed: Handed, parameters: Mapping[str, Any]) -> None:
        role = handed.role(parameters)
        if role is None:
            return
        if not self.assumes(Acting(handed.service, role), role):
            raise handed.error(role)
        for tried in handed.tried(parameters, self._region):
            try:
                for need in tried.needs:
                    self.require(role, "", need)
            except ApiError as refusal:
                raise tried.error from refusal

    def _find(self, role: str, asked: Asked) -> None:
        """Refuse to say that an object is missing to a role that may not list it.

        Source: S3 API reference, GetObject, "Permissions"; the key stands for the prefix that a condition names.
        """
        given = source_of(asked.parameters) if asked.operation == "CopyObject" else asked.parameters
        if asked.operation not in ("GetObject", "HeadObject", "CopyObject"):
            return
        bucket, key = given["Bucket"], given["Key"]
        if not has_object(bucket, key, given.get("VersionId")):
            self.require(role, "s3", Need("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key}))


def needs_of(service: str, operation: str, parameters: Mapping[str, Any], region: str) -> Iterable[Need]:
    """Return what a call needs.

    Raises
    ------
    ApiError
        AccessDeniedException for an operation that no role of the stacks calls.
    """
    needs = NEEDS.get((service, operation))
    if needs is None:
        message = f"The laptop engine does not know what {service}:{operation} needs; local/iam/ has a line for each."
        raise ApiError("AccessDeniedException", message, 403)
    return needs(parameters, region)
