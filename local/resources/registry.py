"""AWS::SageMaker: model package groups."""

from typing import Any

from local.resources.kind import Kind, Subject, removed_tags, tag_list, tag_map


def _create(subject: Subject) -> str:
    created = subject.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=subject.properties["ModelPackageGroupName"],
        Tags=tag_list(subject.properties.get("Tags", {})),
        **subject.picked("ModelPackageGroupDescription"),
    )
    return str(created["ModelPackageGroupArn"])


def _name(subject: Subject) -> str:
    return subject.id.rsplit("/", 1)[1]


def _read(subject: Subject) -> dict[str, Any]:
    sagemaker = subject.client("sagemaker")
    found: dict[str, Any] = sagemaker.describe_model_package_group(ModelPackageGroupName=_name(subject))
    return found | {"Tags": tag_map(sagemaker.list_tags(ResourceArn=subject.id)["Tags"])}


def _update(subject: Subject) -> None:
    sagemaker = subject.client("sagemaker")
    sagemaker.delete_tags(ResourceArn=subject.id, TagKeys=removed_tags(subject))
    sagemaker.add_tags(ResourceArn=subject.id, Tags=tag_list(subject.properties.get("Tags", {})))


KINDS = (
    Kind(
        type="AWS::SageMaker::ModelPackageGroup",
        properties="ModelPackageGroupName ModelPackageGroupDescription Tags.*",
        create=_create,
        read=_read,
        update=_update,
        delete=lambda s: s.client("sagemaker").delete_model_package_group(ModelPackageGroupName=_name(s)),
        attributes=lambda s: {"ModelPackageGroupArn": s.id},
        attribute_names="ModelPackageGroupArn",
        fixed="ModelPackageGroupName ModelPackageGroupDescription",
    ),
)
