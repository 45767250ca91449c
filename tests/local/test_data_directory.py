"""What a data directory brings back: moto's state by journal and by snapshot, the engine's own rows; who may use it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import moto_changes, moto_state
from local.clients import Clients
from local.data_directory import DataDirectory
from local.data_folder import DataDirectoryError
from local.dispatch import Dispatcher
from local.identity import Identity
from local.keeping import kept
from local.moto_journal import LARGE_BYTES, Journal

REGION = "us-east-1"


@dataclass
class Store:
    """moto on a data directory, as an engine has it."""

    directory: DataDirectory
    journal: Journal
    clients: Clients

    def client(self, service: str) -> Any:
        return self.clients.client(service)


@contextmanager
def opened(folder: Path) -> Iterator[Store]:
    """Open `folder` as an engine does; leaving it is being killed: nothing more is written."""
    moto_state.reset()
    with closing(DataDirectory(folder)) as directory:
        journal = Journal(directory)
        clients = Clients(Dispatcher(Identity()), REGION)
        journal.restore()
        directory.finish_first()
        moto_changes.tell(journal)
        try:
            yield Store(directory, journal, clients)
        finally:
            moto_changes.tell(None)
            moto_state.reset()


def fill(store: Store) -> None:
    """Make something in each of the services whose ids are drawn."""
    s3, sqs, dynamodb = store.client("s3"), store.client("sqs"), store.client("dynamodb")
    s3.create_bucket(Bucket="data")
    s3.put_bucket_versioning(Bucket="data", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket="data", Key="k", Body=body)
    s3.put_object(Bucket="data", Key="large", Body=b"x" * LARGE_BYTES)
    s3.put_object(Bucket="data", Key="gone", Body=b"y" * LARGE_BYTES)
    s3.delete_object(Bucket="data", Key="k")
    upload = s3.create_multipart_upload(Bucket="data", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="data", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")
    s3.complete_multipart_upload(
        Bucket="data",
        Key="parts",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    for text in ("done", "taken"):
        sqs.send_message(QueueUrl=url, MessageBody=text)
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]:
        if message["Body"] == "done":
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    dynamodb.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "a", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "a", "AttributeType": "S"}],
    )
    for number in range(3):
        dynamodb.put_item(TableName="t", Item={"a": {"S": str(number)}})
    dynamodb.delete_item(TableName="t", Key={"a": {"S": "1"}})
    store.client("kms").create_key(Description="d")
    store.client("sns").create_topic(Name="topic")
    store.client("logs").create_log_group(logGroupName="g")
    store.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument="{}")


def seen(store: Store) -> dict[str, Any]:
    """What a client sees of it, ids and times included."""
    s3, dynamodb = store.client("s3"), store.client("dynamodb")
    listed = s3.list_object_versions(Bucket="data")
    kms = store.client("kms")
    return {
        "versions": [
            (v["Key"], v["VersionId"], v["ETag"], v["LastModified"].isoformat())
            for v in [*listed["Versions"], *({**m, "ETag": "marker"} for m in listed["DeleteMarkers"])]
        ],
        "body": s3.get_object(Bucket="data", Key="parts")["Body"].read(),
        "large": s3.get_object(Bucket="data", Key="large")["Body"].read() == b"x" * LARGE_BYTES,
        "items": sorted(item["a"]["S"] for item in dynamodb.scan(TableName="t")["Items"]),
        "keys": [key["KeyArn"] for key in kms.list_keys()["Keys"]],
        "topics": store.client("sns").list_topics()["Topics"],
        "role": store.client("iam").get_role(RoleName="r")["Role"]["RoleId"],
        "groups": [group["arn"] for group in store.client("logs").describe_log_groups()["logGroups"]],
    }


@pytest.mark.parametrize("snapshot", [False, True], ids=["journal", "snapshot"])
def test_a_killed_store_comes_back_with_the_same_ids_times_and_bytes(tmp_path: Path, snapshot: bool) -> None:
    with opened(tmp_path) as store:
        fill(store)
        before = seen(store)
        if snapshot:
            store.journal.snapshot()
            assert store.directory.journal_length() == 0
    with opened(tmp_path) as store:
        assert seen(store) == before
        store.journal.snapshot()
    with opened(tmp_path) as store:
        assert seen(store) == before


def test_messages_that_somebody_had_are_there_again_and_deleted_ones_are_not(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        fill(store)
    with opened(tmp_path) as store:
        sqs = store.client("sqs")
        url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
        again = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert [message["Body"] for message in again] == ["taken"]


def test_files_of_large_objects_go_with_the_last_version_that_has_them(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        fill(store)
        s3 = store.client("s3")
        gone = s3.list_object_versions(Bucket="data", Prefix="gone")["Versions"][0]["VersionId"]
        store.journal.snapshot()
        assert len(list((tmp_path / "objects").iterdir())) == 2
        s3.delete_object(Bucket="data", Key="gone", VersionId=gone)
        store.journal.snapshot()
        assert len(list((tmp_path / "objects").iterdir())) == 1


def test_reading_is_not_journalled(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        fill(store)
        length = store.directory.journal_length()
        seen(store)
        url = store.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        assert "Messages" not in store.client("sqs").receive_message(QueueUrl=url)
        assert store.directory.journal_length() == length


def test_a_call_that_was_cut_off_is_dropped_and_the_rest_is_there(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        fill(store)
        store.client("sns").create_topic(Name="last")
        # as a kill leaves it: the log is not yet in the file, and its last record lacks its end
        for name in ("state.sqlite3", "state.sqlite3-wal"):
            (tmp_path / f"copied-{name}").write_bytes((tmp_path / name).read_bytes())
    cut = tmp_path / "cut"
    cut.mkdir()
    wal = (tmp_path / "copied-state.sqlite3-wal").read_bytes()
    (cut / "state.sqlite3").write_bytes((tmp_path / "copied-state.sqlite3").read_bytes())
    (cut / "state.sqlite3-wal").write_bytes(wal[:-100])
    (tmp_path / "objects").rename(cut / "objects")
    with opened(cut) as store:
        topics = [topic["TopicArn"].rsplit(":", 1)[1] for topic in store.client("sns").list_topics()["Topics"]]
        assert topics == ["topic"]


def test_rows_of_the_engine_come_back_in_their_order(tmp_path: Path) -> None:
    with closing(DataDirectory(tmp_path)) as directory:
        directory.finish_first()
        rows = kept(directory, "part")
        rows["b"], rows["a", "c"] = 1, {"x": 2}
        rows["gone"] = 3
        del rows["gone"]
        rows["b"] = 4
    with closing(DataDirectory(tmp_path)) as directory:
        assert list(kept(directory, "part").items()) == [("b", 4), (("a", "c"), {"x": 2})]


def test_a_directory_whose_first_deployment_did_not_end_is_begun_afresh(tmp_path: Path) -> None:
    with closing(DataDirectory(tmp_path)) as directory:
        kept(directory, "part")["a"] = 1
    with closing(DataDirectory(tmp_path)) as directory:
        assert dict(kept(directory, "part")) == {}


def test_fresh_deletes_what_is_there(tmp_path: Path) -> None:
    with closing(DataDirectory(tmp_path)) as directory:
        directory.finish_first()
        kept(directory, "part")["a"] = 1
        directory.store(b"large")
    with closing(DataDirectory(tmp_path, fresh=True)) as directory:
        assert dict(kept(directory, "part")) == {}
        assert not (tmp_path / "objects").exists()


def test_a_second_engine_on_the_same_directory_is_refused_by_name(tmp_path: Path) -> None:
    with (
        closing(DataDirectory(tmp_path)),
        pytest.raises(DataDirectoryError, match=r"is used by another laptop engine \(pid \d+\)"),
    ):
        DataDirectory(tmp_path)


def test_a_directory_of_another_version_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    with closing(DataDirectory(tmp_path)) as directory:
        directory.finish_first()
        directory.set_fact("written by", "format 0, moto 1.0, Python 3.8")
    with pytest.raises(DataDirectoryError, match=r"was written by format 0, .* Begin afresh"):
        DataDirectory(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite3").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(DataDirectoryError, match=r"cannot be read \(file is not a database\)"):
        DataDirectory(tmp_path)
