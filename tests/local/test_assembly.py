"""Reading a cloud assembly and packing its assets."""

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.assembly import AssemblyError, FileAsset, packaged, read_assembly, write_zip
from tests.local.deployer_world import ASSETS, asset, template, write_assembly

PSEUDO = {"AWS::AccountId": "123456789012", "AWS::Region": "us-east-1", "AWS::Partition": "aws"}


def manifest_with(folder: Path, name: str, artifact: dict[str, object]) -> Path:
    write_assembly(folder, {"one": template()})
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"][name] = artifact
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_stacks_come_in_the_order_of_their_dependencies_whatever_the_manifests_order(tmp_path: Path) -> None:
    write_assembly(tmp_path, {"c": template(), "a": template(), "b": template()})

    assert [stack.name for stack in read_assembly(tmp_path, PSEUDO).stacks] == ["c", "a", "b"]


def test_asset_destinations_are_filled_in_and_shared_assets_are_published_once(tmp_path: Path) -> None:
    asset(tmp_path, "cafe", module="x = 1\n")
    write_assembly(tmp_path, {"one": template(), "two": template()})

    found = read_assembly(tmp_path, PSEUDO).assets

    assert sorted((a.bucket, a.key) for a in found) == [
        (ASSETS, "cafe.zip"),
        (ASSETS, "one.json"),
        (ASSETS, "two.json"),
    ]


def test_a_folder_without_a_manifest_is_no_assembly(tmp_path: Path) -> None:
    with pytest.raises(AssemblyError, match=r"no manifest\.json.*python app\.py"):
        read_assembly(tmp_path, PSEUDO)


def test_an_unknown_kind_of_artifact_is_refused_by_name(tmp_path: Path) -> None:
    folder = manifest_with(tmp_path, "nested", {"type": "cdk:cloud-assembly"})

    with pytest.raises(AssemblyError, match="nested: artifact type cdk:cloud-assembly"):
        read_assembly(folder, PSEUDO)


def test_a_container_image_asset_is_refused_by_name(tmp_path: Path) -> None:
    write_assembly(tmp_path, {"one": template()})
    (tmp_path / "one.assets.json").write_text(json.dumps({"files": {}, "dockerImages": {"feed": {}}}))

    with pytest.raises(AssemblyError, match=r"container image.*feed"):
        read_assembly(tmp_path, PSEUDO)


@given(
    files=st.dictionaries(
        st.text("abcxyz", min_size=1, max_size=5), st.tuples(st.binary(max_size=50), st.sampled_from([0o644, 0o755]))
    )
)
def test_a_zip_depends_on_names_content_and_modes_only(
    files: dict[str, tuple[bytes, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    archives = []
    for order in (sorted(files), sorted(files, reverse=True)):
        folder = tmp_path_factory.mktemp("asset")
        for name in order:
            (folder / name).write_bytes(files[name][0])
            (folder / name).chmod(files[name][1])
        target = tmp_path_factory.mktemp("zip") / "a.zip"
        write_zip(folder, target)
        archives.append(target)

    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as archive:
        found = {e.filename: (archive.read(e), e.external_attr >> 16 & 0o777) for e in archive.infolist()}
        assert found == files
        assert [entry.filename for entry in archive.infolist()] == sorted(files)
        assert {entry.date_time for entry in archive.infolist()} <= {(1980, 1, 1, 0, 0, 0)}


def test_files_that_others_cannot_read_are_refused_by_name(tmp_path: Path) -> None:
    asset(tmp_path, "cafe", open="", closed="", hidden="")
    for name in ("closed", "hidden"):
        (tmp_path / "asset.cafe" / f"{name}.py").chmod(0o600)

    with pytest.raises(AssemblyError, match=r"not readable by others.*closed\.py, hidden\.py.*0644"):
        write_zip(tmp_path / "asset.cafe", tmp_path / "a.zip")


def test_a_folder_is_packed_once_and_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    asset(tmp_path, "cafe", module="x = 1\n")
    folder = FileAsset(source=tmp_path / "asset.cafe", packaging="zip", bucket="b", key="cafe.zip")
    first = packaged(folder, tmp_path / ".cache")
    first.write_bytes(b"kept")

    assert packaged(folder, tmp_path / ".cache").read_bytes() == b"kept"
    ready = FileAsset(source=first, packaging="zip", bucket="b", key="x.zip")
    assert packaged(ready, tmp_path / ".cache") == first


def test_a_torn_or_missing_file_of_the_assembly_is_named(tmp_path: Path) -> None:
    write_assembly(tmp_path, {"one": template()})
    (tmp_path / "one.template.json").write_text('{"Resources": ')
    with pytest.raises(AssemblyError, match=r"one\.template\.json: Expecting value.*python app\.py"):
        read_assembly(tmp_path, PSEUDO)

    (tmp_path / "one.template.json").unlink()
    with pytest.raises(AssemblyError, match=r"one\.template\.json.*python app\.py"):
        read_assembly(tmp_path, PSEUDO)


def test_a_missing_asset_is_named(tmp_path: Path) -> None:
    gone = FileAsset(source=tmp_path / "asset.gone", packaging="zip", bucket="b", key="gone.zip")

    with pytest.raises(AssemblyError, match=r"asset\.gone: this asset is missing"):
        packaged(gone, tmp_path)
