"""AWS::SageMaker: model package groups."""

from typing import Any

from local.resources.kind import Kind, Subject

_GROUP = "ModelPackageGroupName"


def _read(subject: Subject) -> dict[str, Any]:
    found: dict[str, Any] = subject.aws.describe_model_package_group(**subject.pick(_GROUP))
    return found | {"Tags": subject.aws.list_tags(ResourceArn=subject.id)["Tags"]}


KINDS = (
    Kind(
        type="AWS::SageMaker::ModelPackageGroup",
        service="sagemaker",
        properties=f"{_GROUP} ModelPackageGroupDescription",
        tags=("Tags", "Key", "Value"),
        create=lambda s: str(
            s.aws.create_model_package_group(**s.pick(f"{_GROUP} ModelPackageGroupDescription Tags"))[
                "ModelPackageGroupArn"
            ]
        ),
        read=_read,
        replaces=f"{_GROUP} ModelPackageGroupDescription",
        delete=lambda s: s.aws.delete_model_package_group(**s.pick(_GROUP)),
        attributes=lambda s: {"ModelPackageGroupArn": s.id},
        attribute_names="ModelPackageGroupArn",
        naming=(_GROUP, 63),
    ),
)
