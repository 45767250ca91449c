"""What a data version is, whatever the order and timing of uploads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import versions
from lifecycle.versions import Current, Manifest, Upload

names = st.text(min_size=1, max_size=8)
contents = st.dictionaries(names, st.integers(0, 5), min_size=1, max_size=6)


def uploads(content: dict[str, int], salt: str = "") -> list[Upload]:
    return [Upload(name=name, version_id=f"{salt}{name}", size=1, modified=0.0) for name in content]


def manifest(content: dict[str, int], salt: str = "", at: str = "t") -> Manifest:
    digests = {f"{salt}{name}": f"{value:064x}" for name, value in content.items()}
    return versions.assemble("flights", uploads(content, salt), digests, at)


@given(contents, st.randoms())
def test_the_id_depends_on_names_and_content_only(content: dict[str, int], chance: object) -> None:
    items = list(content.items())
    chance.shuffle(items)  # type: ignore[attr-defined]
    assert manifest(content, "a", "now").version == manifest(dict(items), "b", "then").version


@given(contents, contents)
def test_different_content_has_another_id(one: dict[str, int], two: dict[str, int]) -> None:
    assert (manifest(one).version == manifest(two).version) == (one == two)


@given(contents)
def test_a_manifest_survives_its_file(content: dict[str, int]) -> None:
    assert Manifest.from_plain(manifest(content).to_plain()) == manifest(content)


def upload(name: str, modified: float, size: int = 1) -> Upload:
    return Upload(name=name, version_id=name, size=size, modified=modified)


@pytest.mark.parametrize(
    ("listed", "wait"),
    [
        ([upload("a.csv", 100)], 60),
        ([upload("a.csv", 40), upload("b.csv", 99.5)], 60),
        ([upload("a.csv", 41)], 1),
        ([upload("a.csv", 40)], 0),
        ([upload("a.csv", 500)], 60),
        ([upload("a.csv", 100), upload("_READY", 100)], 0),
        ([upload("a.csv", 100), upload("_READY", 99)], 60),
        ([upload("2013/", 100)], 0),
        ([], 0),
    ],
)
def test_a_dataset_is_cut_when_it_is_settled_or_said_to_be_ready(listed: list[Upload], wait: int) -> None:
    assert versions.remaining(listed, 100.0, 60) == wait


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 600))
def test_the_wait_is_within_the_settle_time(modified: float, now: float, settle: int) -> None:
    assert 0 <= versions.remaining([upload("a.csv", modified)], now, settle) <= settle


def test_an_object_that_one_copy_cannot_move_is_named() -> None:
    large = upload("huge.parquet", 0, size=5 * 1024**3 + 1)
    assert versions.too_large([upload("a.csv", 0), large]) == [large]
    assert versions.names_of([large] * 5) == "huge.parquet, huge.parquet, huge.parquet and 2 more"


def test_the_same_content_is_not_announced_again_and_another_counts_on() -> None:
    first = versions.follow(None, manifest({"a": 1}))
    assert first is not None
    assert versions.follow(first, manifest({"a": 1}, "later")) is None
    second = versions.follow(first, manifest({"a": 2}))
    assert second is not None
    assert (first.sequence, second.sequence) == (1, 2)
    assert Current.from_plain(second.to_plain()) == second
