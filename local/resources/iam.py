"""AWS::IAM: roles and inline policies."""

import json
from typing import Any

from local.resources.kind import Kind, Subject, found_or, spelling

_TRUST = "AssumeRolePolicyDocument"


def _create_role(subject: Subject) -> str:
    subject.aws.create_role(RoleName=subject.name, **subject.pick(f"{_TRUST} Tags"))
    return subject.name


def _put_inline(subject: Subject) -> None:
    wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in subject.api.get("Policies", [])}
    for name in {policy["PolicyName"] for policy in subject.previous.get("Policies", [])} - set(wanted):
        _without(subject, subject.id, name)
    for name, document in wanted.items():
        subject.aws.put_role_policy(RoleName=subject.id, PolicyName=name, PolicyDocument=json.dumps(document))


def _without(subject: Subject, role: str, policy: str) -> None:
    """Take an inline policy from a role; an update that failed half-way may have done so already."""
    found_or(None, lambda: subject.aws.delete_role_policy(RoleName=role, PolicyName=policy), "NoSuchEntity")


def _update_role(subject: Subject) -> None:
    subject.aws.update_assume_role_policy(RoleName=subject.id, PolicyDocument=subject.api[_TRUST])
    _put_inline(subject)


def _inline(subject: Subject, role: str) -> list[dict[str, Any]]:
    names = subject.aws.list_role_policies(RoleName=role)["PolicyNames"]
    return [subject.aws.get_role_policy(RoleName=role, PolicyName=name) for name in names]


def _read_role(subject: Subject) -> dict[str, Any]:
    role: dict[str, Any] = subject.aws.get_role(RoleName=subject.id)["Role"]
    own = {policy["PolicyName"] for policy in subject.api.get("Policies", [])}
    return role | {"Policies": [policy for policy in _inline(subject, subject.id) if policy["PolicyName"] in own]}


def _delete_role(subject: Subject) -> None:
    for policy in _inline(subject, subject.id):
        subject.aws.delete_role_policy(RoleName=subject.id, PolicyName=policy["PolicyName"])
    subject.aws.delete_role(RoleName=subject.id)


def _put_policy(subject: Subject) -> str:
    renamed = subject.previous and subject.changed("PolicyName")
    for role in set(subject.previous.get("Roles", [])) - (set() if renamed else set(subject.properties["Roles"])):
        _without(subject, role, subject.previous.get("PolicyName", subject.api["PolicyName"]))
    for role in subject.properties["Roles"]:
        subject.aws.put_role_policy(RoleName=role, **subject.pick("PolicyName PolicyDocument"))
    return str(subject.properties["PolicyName"])


def _read_policy(subject: Subject) -> dict[str, Any]:
    named = subject.pick("PolicyName")
    found = {role: subject.aws.get_role_policy(RoleName=role, **named) for role in subject.properties["Roles"]}
    first = next(iter(found.values()))["PolicyDocument"]
    same = [role for role, policy in found.items() if policy["PolicyDocument"] == first]
    return {"PolicyDocument": first, "Roles": same, **named}


def _delete_policy(subject: Subject) -> None:
    for role in subject.properties["Roles"]:
        subject.aws.delete_role_policy(RoleName=role, **subject.pick("PolicyName"))


KINDS = (
    Kind(
        type="AWS::IAM::Role",
        service="iam",
        properties=f"RoleName {_TRUST}.* Policies.PolicyName Policies.PolicyDocument.*",
        tags=("Tags", "Key", "Value"),
        spell=spelling(documents=_TRUST),
        create=_create_role,
        configure=_put_inline,
        read=_read_role,
        update=_update_role,
        updates=f"{_TRUST} Policies",
        replaces="RoleName",
        defaults={"Policies": []},
        delete=_delete_role,
        attributes=lambda s: {"Arn": s.aws.get_role(RoleName=s.id)["Role"]["Arn"]},
        attribute_names="Arn",
        naming=("RoleName", 64),
    ),
    Kind(
        type="AWS::IAM::Policy",
        service="iam",
        properties="PolicyName PolicyDocument.* Roles",
        spell=spelling(documents="PolicyDocument"),
        create=_put_policy,
        read=_read_policy,
        update=_put_policy,
        updates="PolicyDocument PolicyName Roles",
        delete=_delete_policy,
    ),
)
