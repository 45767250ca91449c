"""moto's tables: attributes that are asked for, and transactions undone without a copy of the table."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models.dynamo_type import Item

from cloud.labels import Labels
from lifecycle.feedback_label import Change, Label
from lifecycle.prediction_id import ids_of
from tests.local.core_world import world

TEN = 1_795_255_200.0  # 2026-11-21T10:00:00Z


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with world() as engine:
        client = engine.client("dynamodb")
        keys = {"labels": {"hour": "HASH", "prediction_id": "RANGE"}, "heads": {"subject": "HASH"}}
        for name, schema in keys.items():
            client.create_table(
                TableName=name,
                KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in schema.items()],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in schema],
                BillingMode="PAY_PER_REQUEST",
            )
        yield client


def item(**values: str) -> dict[str, dict[str, str]]:
    return {name: {"S": value} for name, value in values.items()}


def label(number: str, **others: str) -> dict[str, dict[str, str]]:
    return item(hour="ten", prediction_id=number, **others)


def put(of: dict[str, dict[str, str]], table: str = "labels", **condition: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": of, **condition}}


def new(of: dict[str, dict[str, str]], table: str = "labels") -> dict[str, Any]:
    absent = "attribute_not_exists(prediction_id)" if table == "labels" else "attribute_not_exists(subject)"
    return put(of, table, ConditionExpression=absent)


def stored(dynamodb: Any, table: str = "labels") -> list[Any]:
    return sorted(dynamodb.scan(TableName=table)["Items"], key=repr)


def refused(dynamodb: Any, *actions: dict[str, Any]) -> dict[str, Any]:
    with pytest.raises(ClientError) as refusal:
        dynamodb.transact_write_items(TransactItems=list(actions))
    return dict(refusal.value.response)


def test_only_the_attributes_that_are_asked_for_are_answered_and_none_is_lost(dynamodb: Any) -> None:
    one = label("1", label="true") | {"seen": {"BOOL": True}, "parts": {"M": {"a": {"N": "1"}, "b": {"N": "2"}}}}
    dynamodb.put_item(TableName="labels", Item=one)
    key = {name: one[name] for name in ("hour", "prediction_id")}
    for wanted, found in {
        "prediction_id, seen": ("prediction_id", "seen"),
        "unsaid, parts": ("parts",),
    }.items():
        kept = {name: one[name] for name in found}
        asked = {"TableName": "labels", "ProjectionExpression": wanted}
        assert dynamodb.get_item(**asked, Key=key)["Item"] == kept
        queried = dynamodb.query(
            **asked, KeyConditionExpression="#h = :h", ExpressionAttributeNames={"#h": "hour"},
            ExpressionAttributeValues={":h": one["hour"]},
        )  # fmt: skip
        assert queried["Items"] == [kept]
    nested = dynamodb.get_item(TableName="labels", Key=key, ProjectionExpression="parts.a")["Item"]
    assert nested == {"parts": {"M": {"a": {"N": "1"}}}}
    assert dynamodb.get_item(TableName="labels", Key=key)["Item"] == one


def test_a_transaction_writes_all_of_its_items(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[new(label("a")), new(label("b")), new(item(subject="s"), "heads")])
    assert stored(dynamodb) == [label("a"), label("b")]
    assert stored(dynamodb, "heads") == [item(subject="s")]


def test_a_cancelled_transaction_tells_why_in_order_and_leaves_everything_as_it_was(dynamodb: Any) -> None:
    before = [label("a", value="1"), label("b", value="1"), label("d")]
    for one in before:
        dynamodb.put_item(TableName="labels", Item=one)
    dynamodb.put_item(TableName="heads", Item=item(subject="s", value="1"))
    changed = {
        "Update": {
            "TableName": "labels",
            "Key": label("b"),
            "UpdateExpression": "SET #v = :v",
            "ExpressionAttributeNames": {"#v": "value"},
            "ExpressionAttributeValues": {":v": {"S": "2"}},
        }
    }
    gone = {"Delete": {"TableName": "heads", "Key": item(subject="s")}}
    actions = [put(label("a", value="2")), changed, gone, new(label("c")), new(item(subject="t"), "heads")]
    reasons = refused(dynamodb, *actions[:3], new(label("d")), *actions[3:])["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "None", "None", "ConditionalCheckFailed", "None", "None"]
    assert stored(dynamodb) == sorted(before, key=repr)
    assert stored(dynamodb, "heads") == [item(subject="s", value="1")]


def test_a_refused_transaction_leaves_nothing(dynamodb: Any) -> None:
    twice = refused(dynamodb, new(label("a")), new(label("b")), new(label("a")))
    many = refused(dynamodb, *[new(label(str(number))) for number in range(101)])
    assert {twice["Error"]["Code"], many["Error"]["Code"]} == {"ValidationException"}
    assert stored(dynamodb) == []


def test_a_transaction_copies_only_what_it_touches(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(50):
        dynamodb.put_item(TableName="labels", Item=label(f"{number:02}"))
    copied: list[str] = []
    original = Item.__deepcopy__

    def counted(one: Item, memo: dict[int, Any]) -> Item:
        copied.append(one.range_key.value if one.range_key else "")
        return original(one, memo)

    monkeypatch.setattr(Item, "__deepcopy__", counted)
    dynamodb.transact_write_items(TransactItems=[put(label("07")), put(label("08")), new(label("new"))])
    assert copied == ["07", "08"]


def made(count: int, source: str = "s") -> list[Label]:
    identities = [ids_of(round(TEN * 1000), (number << 8).to_bytes(10))[0] for number in range(count)]
    return [Label(prediction_id=one, label="a", recorded_at=1.5, source=source) for one in identities]


def test_a_document_of_a_thousand_labels_is_written_again_only_where_it_is_new(dynamodb: Any) -> None:
    labels, wanted = Labels(dynamodb, "labels", "flights"), made(1_000)
    assert labels.write([Change(before=None, after=one) for one in wanted[::2]]) == []
    lost = labels.write([Change(before=None, after=one) for one in wanted])
    assert lost == [one.prediction_id for one in wanted[::2]]
    assert labels.of(one.prediction_id for one in wanted) == {one.prediction_id: one for one in wanted}


def test_of_three_deliveries_at_once_each_label_is_written_by_exactly_one(dynamodb: Any) -> None:
    labels = Labels(dynamodb, "labels", "flights")

    def write(source: str) -> set[str]:
        wanted = made(150, source)
        lost = labels.write([Change(before=None, after=one) for one in wanted])
        return {one.prediction_id for one in wanted} - set(lost)

    with ThreadPoolExecutor(3) as pool:
        written = dict(zip("abc", pool.map(write, "abc"), strict=True))
    stored_by = {identity: one.source for identity, one in labels.of(one.prediction_id for one in made(150)).items()}
    assert stored_by == {identity: source for source, identities in written.items() for identity in identities}
    assert sum(map(len, written.values())) == len(stored_by) == 150
