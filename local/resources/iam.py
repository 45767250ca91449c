"""AWS::IAM: roles and inline policies."""

from typing import Any

from local.resources.kind import Kind, Subject, document_of, removed_tags, tag_list, tag_map, text_of


def _create_role(subject: Subject) -> str:
    iam = subject.client("iam")
    iam.create_role(
        RoleName=subject.name,
        AssumeRolePolicyDocument=text_of(subject.properties["AssumeRolePolicyDocument"]),
        Tags=tag_list(subject.properties.get("Tags", {})),
        **subject.picked("Description", "MaxSessionDuration"),
    )
    return subject.name


def _put_inline(subject: Subject) -> None:
    iam, role = subject.client("iam"), subject.id
    wanted = {p["PolicyName"]: p["PolicyDocument"] for p in subject.properties.get("Policies", [])}
    for name in {p["PolicyName"] for p in subject.previous.get("Policies", [])} - set(wanted):
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    for name, document in wanted.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=text_of(document))


def _update_role(subject: Subject) -> None:
    iam = subject.client("iam")
    trust = text_of(subject.properties["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=subject.id, PolicyDocument=trust)
    iam.update_role(RoleName=subject.id, **subject.picked("Description", "MaxSessionDuration"))
    _put_inline(subject)
    if subject.changed("Tags"):
        iam.untag_role(RoleName=subject.id, TagKeys=removed_tags(subject))
        iam.tag_role(RoleName=subject.id, Tags=tag_list(subject.properties["Tags"]))


def _read_role(subject: Subject) -> dict[str, Any]:
    iam = subject.client("iam")
    role = iam.get_role(RoleName=subject.id)["Role"]
    names = [policy["PolicyName"] for policy in subject.properties.get("Policies", [])]
    return {
        "RoleName": role["RoleName"],
        "Description": role.get("Description", ""),
        "MaxSessionDuration": role["MaxSessionDuration"],
        "AssumeRolePolicyDocument": document_of(role["AssumeRolePolicyDocument"]),
        "Policies": [{"PolicyName": name, "PolicyDocument": _inline(subject, subject.id, name)} for name in names],
        "Tags": tag_map(iam.list_role_tags(RoleName=subject.id)["Tags"]),
    }


def _inline(subject: Subject, role: str, name: str) -> Any:
    return document_of(subject.client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])


def _delete_role(subject: Subject) -> None:
    iam = subject.client("iam")
    for policy in subject.properties.get("Policies", []):
        iam.delete_role_policy(RoleName=subject.id, PolicyName=policy["PolicyName"])
    iam.delete_role(RoleName=subject.id)


def _role_attributes(subject: Subject) -> dict[str, str]:
    role = subject.client("iam").get_role(RoleName=subject.id)["Role"]
    return {"Arn": role["Arn"], "RoleId": role["RoleId"]}


def _put_policy(subject: Subject) -> str:
    iam, name = subject.client("iam"), subject.properties["PolicyName"]
    for role in set(subject.previous.get("Roles", [])) - set(subject.properties["Roles"]):
        iam.delete_role_policy(RoleName=role, PolicyName=name)
    for role in subject.properties["Roles"]:
        document = text_of(subject.properties["PolicyDocument"])
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
    return str(name)


def _read_policy(subject: Subject) -> dict[str, Any]:
    roles = subject.properties["Roles"]
    documents = [_inline(subject, role, subject.properties["PolicyName"]) for role in roles]
    return {
        "PolicyName": subject.properties["PolicyName"],
        "PolicyDocument": documents[0],
        "Roles": [role for role, found in zip(roles, documents, strict=True) if found == documents[0]],
    }


def _delete_policy(subject: Subject) -> None:
    for role in subject.properties["Roles"]:
        name = subject.properties["PolicyName"]
        subject.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


KINDS = (
    Kind(
        type="AWS::IAM::Role",
        properties="""RoleName Description MaxSessionDuration AssumeRolePolicyDocument.* Tags.*
            Policies.PolicyName Policies.PolicyDocument.*""",
        create=_create_role,
        configure=_put_inline,
        read=_read_role,
        update=_update_role,
        delete=_delete_role,
        attributes=_role_attributes,
        attribute_names="Arn RoleId",
        fixed="RoleName",
        defaults={"Description": "", "MaxSessionDuration": 3600, "Policies": []},
        naming=("RoleName", 64),
    ),
    Kind(
        type="AWS::IAM::Policy",
        properties="PolicyName PolicyDocument.* Roles",
        create=_put_policy,
        read=_read_policy,
        update=_put_policy,
        delete=_delete_policy,
        fixed="PolicyName",
    ),
)
