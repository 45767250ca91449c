"""Removing what CloudFormation cannot or will not: contents of buckets, model packages, retained resources."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from cloud.endpoints import Endpoints
from cloud.operator import Operator
from lifecycle import names

KEY_WAIT_DAYS = 7  # the shortest waiting time that KMS allows
_JOBS = {"training-job": ("training_job", "TrainingJobName"), "processing-job": ("processing_job", "ProcessingJobName")}
_JOB_POLL_SECONDS = 2
_JOB_POLLS = 300


class Removal:
    """Empties and deletes resources of one stage. Deleting what is already gone is no error."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def tagged(self, stage: str) -> list[str]:
        """Return the ARNs of all resources that carry the stage's tag, sorted.

        Keys that wait for their deletion are left out: they cannot be used or deleted sooner, and cost nothing.
        """
        pager = self._operator.client("resourcegroupstaggingapi").get_paginator("get_resources")
        filters = [{"Key": names.TAG_STAGE, "Values": [stage]}]
        found = [
            r["ResourceARN"] for page in pager.paginate(TagFilters=filters) for r in page["ResourceTagMappingList"]
        ]
        return sorted(arn for arn in found if not (":kms:" in arn and self._waits_for_deletion(arn)))

    def count_objects(self, bucket: str) -> int:
        """Return how many object versions and delete markers a bucket holds."""
        return sum(len(batch) for batch in self._versions(bucket))

    def empty_bucket(self, bucket: str) -> int:
        """Delete all versions of all objects and return how many."""
        s3 = self._operator.client("s3")
        count = 0
        for batch in self._versions(bucket):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
            count += len(batch)
        return count

    def stop_access_logs(self, bucket: str) -> None:
        """Switch a bucket's access logs off, so that emptying it does not fill the log bucket."""
        try:
            self._operator.client("s3").put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise

    def delete_packages(self, group: str) -> int:
        """Delete all model packages of a group and return how many."""
        client = self._operator.client("sagemaker")
        arns: list[str] = []
        try:
            for page in client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group):
                arns += [p["ModelPackageArn"] for p in page["ModelPackageSummaryList"]]
        except ClientError as error:
            if "does not exist" not in error.response["Error"]["Message"]:
                raise
        for arn in arns:
            client.delete_model_package(ModelPackageName=arn)
        return len(arns)

    def delete_endpoints(self, group: str) -> int:
        """Delete the endpoints of the model of a package group, with configuration and model; return how many."""
        endpoints = Endpoints(self._operator.client("sagemaker"))
        found = endpoints.names(names.of_endpoints(group))
        for name in found:
            endpoints.delete(name)
        return len(found)

    def delete_jobs(self, stage: str) -> int:
        """Delete all jobs that carry the stage's tag and return how many; they belong to no stack."""
        client = self._operator.client("sagemaker")
        count = 0
        for arn in self.tagged(stage):
            kind, _, name = arn.rsplit(":", 1)[-1].partition("/")
            if kind in _JOBS:
                operation, member = _JOBS[kind]
                self._await_end(client, operation, {member: name})
                getattr(client, f"delete_{operation}")(**{member: name})
                count += 1
        return count

    def delete(self, kind: str, name: str) -> bool:
        """Delete one retained resource by its CloudFormation type; return False for a type this cannot delete."""
        deletions: dict[str, Callable[[], object]] = {
            "AWS::S3::Bucket": lambda: self._operator.client("s3").delete_bucket(Bucket=name),
            "AWS::DynamoDB::Table": lambda: self._operator.client("dynamodb").delete_table(TableName=name),
            "AWS::KMS::Key": lambda: self._operator.client("kms").schedule_key_deletion(
                KeyId=name, PendingWindowInDays=KEY_WAIT_DAYS
            ),
            "AWS::Logs::LogGroup": lambda: self._operator.client("logs").delete_log_group(logGroupName=name),
            "AWS::IAM::Role": lambda: self._delete_role(name),
        }
        if kind not in deletions:
            return False
        try:
            deletions[kind]()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in ("NoSuchBucket", "ResourceNotFoundException", "NoSuchEntity", "KMSInvalidStateException"):
                raise
        return True

    @staticmethod
    def _await_end(client: Any, operation: str, job: dict[str, str]) -> None:
        """Wait until a job is over; deleting its state machine has stopped it, which takes SageMaker a while."""
        try:
            client.get_waiter(f"{operation}_completed_or_stopped").wait(
                **job, WaiterConfig={"Delay": _JOB_POLL_SECONDS, "MaxAttempts": _JOB_POLLS}
            )
        except WaiterError as error:
            if error.last_response.get(f"{next(iter(job)).removesuffix('Name')}Status") != "Failed":
                raise

    def _waits_for_deletion(self, key: str) -> bool:
        metadata = self._operator.client("kms").describe_key(KeyId=key)["KeyMetadata"]
        return bool(metadata["KeyState"] == "PendingDeletion")

    def _delete_role(self, name: str) -> None:
        iam = self._operator.client("iam")
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=name)

    def _versions(self, bucket: str) -> Iterator[list[dict[str, Any]]]:
        pager = self._operator.client("s3").get_paginator("list_object_versions")
        try:
            for page in pager.paginate(Bucket=bucket):
                found = page.get("Versions", []) + page.get("DeleteMarkers", [])
                if found:
                    yield [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in found]
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise
