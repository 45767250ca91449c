"""What `cdk bootstrap` makes and a deployment uses: the bucket of assets, and the parameter that tells the version."""

from pathlib import Path
from typing import Any, Final

from local.api import ApiError, Caller
from local.assembly import Assembly, packaged
from local.resources.kind import found_or
from local.resources.s3 import own_region

VERSION: Final = "30"
_NAME = "/cdk-bootstrap/hnb659fds/version"


def make_buckets(s3: Any, assembly: Assembly) -> None:
    """Make the buckets of an assembly's assets that are not there."""
    existing = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for bucket in {asset.bucket for asset in assembly.assets} - existing:
        s3.create_bucket(Bucket=bucket, **own_region(s3))
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        # S3's own default, which moto does not tell: `cdk` asks for it again and again before it uploads
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})


def publish(s3: Any, assembly: Assembly, cache: Path) -> None:
    """Put the assets that are not there into their buckets; keys are content hashes."""
    for asset in assembly.assets:
        if found_or(None, lambda: s3.head_object(Bucket=asset.bucket, Key=asset.key), "404") is None:  # noqa: B023
            s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=packaged(asset, cache).read_bytes())


def get_parameter(parameters: dict[str, Any], _: Caller) -> dict[str, Any]:
    """Answer SSM's GetParameter for the one parameter that there is."""
    if parameters["Name"] != _NAME:
        raise ApiError("ParameterNotFound", f"The laptop engine has one parameter, {_NAME}.")
    return {"Parameter": {"Name": _NAME, "Type": "String", "Value": VERSION, "Version": 1}}
