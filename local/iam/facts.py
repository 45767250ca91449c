"""What decisions ask of moto's state on the way of a call: looks that would be too dear by the APIs."""

from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from local.api import ACCOUNT
from local.moto_state import lock_of


def has_object(bucket: str, key: str, version_id: str | None) -> bool:
    """Tell whether S3 would find an object version; where there is no bucket, S3 says so whoever asks."""
    with lock_of("s3"):
        backend = s3_backends[ACCOUNT]["aws"]
        return bucket not in backend.buckets or backend.get_object(bucket, key, version_id=version_id) is not None


def has_tags(bucket: str, key: str, version_id: str | None) -> bool:
    """Tell whether an object version has tags."""
    with lock_of("s3"):
        backend = s3_backends[ACCOUNT]["aws"]
        found = backend.get_object(bucket, key, version_id=version_id)
        return found is not None and bool(backend.tagger.get_tag_dict_for_resource(found.arn))


def hash_key(region: str, table: str) -> str:
    """Return the name of a table's partition key, "" when there is no such table."""
    with lock_of("dynamodb"):
        found = dynamodb_backends[ACCOUNT][region].tables.get(table)
        return "" if found is None else str(found.hash_key_attr)
