"""A cloud assembly on disk -> the stacks it describes and the assets to publish, as the CDK CLI reads it.

Source of the format: the `cloud-assembly-schema` package of AWS CDK; of the zips: `cdk-assets` (files sorted by name,
dated 1980-01-01, modes kept, symbolic links followed, no entries for folders).
"""

import json
import os
import stat
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from local.intrinsics import substitute

_READABLE_BY_OTHERS = 0o004
_STACK = "aws:cloudformation:stack"
_ASSETS = "cdk:asset-manifest"
_IGNORED = frozenset({"cdk:tree", "cdk:feature-flag-report"})


class AssemblyError(Exception):
    """The assembly cannot be deployed; the message lists every reason at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackArtifact:
    """One stack of the assembly. `environment` is `aws://ACCOUNT/REGION`; `assets` are the manifests to publish."""

    name: str
    file: str
    environment: str
    tags: Mapping[str, str]
    template: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileAsset:
    """A file or folder to publish to S3; `packaging` is `zip` or `file`."""

    source: Path
    packaging: str
    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Assembly:
    """What an assembly holds, stacks in the order in which they must be deployed."""

    stacks: tuple[StackArtifact, ...]
    assets: tuple[FileAsset, ...]


def read_assembly(folder: Path, pseudo: Mapping[str, str]) -> Assembly:
    """Read `folder` (a `cdk.out`); `pseudo` gives `AWS::AccountId`, `AWS::Region` and `AWS::Partition`.

    Raises
    ------
    AssemblyError
        when there is no manifest, or it holds a kind of artifact or asset that the laptop engine does not know.
    """
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise AssemblyError(f"{folder} is no cloud assembly: it has no manifest.json. Make it with `python app.py`.")
    artifacts = _json(manifest)["artifacts"]
    unknown = [
        f"{manifest}: {name}: artifact type {artifact['type']} is not supported"
        for name, artifact in artifacts.items()
        if artifact["type"] not in _IGNORED | {_STACK, _ASSETS}
    ]
    if unknown:
        raise AssemblyError("\n".join(unknown))
    order = TopologicalSorter({name: artifact.get("dependencies", []) for name, artifact in artifacts.items()})
    stacks: list[StackArtifact] = []
    assets: dict[tuple[str, str], FileAsset] = {}
    for name in order.static_order():
        artifact = artifacts[name]
        properties = artifact.get("properties", {})
        if artifact["type"] == _STACK:
            stacks.append(_stack(folder, name, artifact))
        elif artifact["type"] == _ASSETS:
            assets |= {(a.bucket, a.key): a for a in _assets(folder / properties["file"], pseudo)}
    return Assembly(tuple(stacks), tuple(assets.values()))


def _json(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise AssemblyError(f"{file}: {error}. Synthesize again with `python app.py`.") from error
    return content


def _stack(folder: Path, name: str, artifact: Mapping[str, Any]) -> StackArtifact:
    properties = artifact["properties"]
    return StackArtifact(
        name=properties.get("stackName", name),
        file=properties["templateFile"],
        environment=artifact["environment"],
        tags=properties.get("tags", {}),
        template=_json(folder / properties["templateFile"]),
    )


def _assets(manifest: Path, pseudo: Mapping[str, str]) -> list[FileAsset]:
    content = _json(manifest)
    if images := content.get("dockerImages"):
        raise AssemblyError(f"{manifest}: container image assets are not supported: {', '.join(sorted(images))}")
    return [
        FileAsset(
            source=manifest.parent / entry["source"]["path"],
            packaging=entry["source"]["packaging"],
            bucket=substitute(destination["bucketName"], pseudo),
            key=substitute(destination["objectKey"], pseudo),
        )
        for entry in content.get("files", {}).values()
        for destination in entry["destinations"].values()
    ]


def packaged(asset: FileAsset, cache: Path) -> Path:
    """Return the file to upload for `asset`: the file itself, or the folder's zip, made once per key in `cache`.

    Raises
    ------
    AssemblyError
        when the asset is missing, or a file of the folder cannot be read by others: Lambda runs as another user.
    """
    if not asset.source.exists():
        raise AssemblyError(f"{asset.source}: this asset is missing. Synthesize again with `python app.py`.")
    if asset.packaging == "file" or asset.source.is_file():
        return asset.source
    target = cache / Path(asset.key).name
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        # written aside and renamed, so that a killed deployment leaves no half archive under the final name
        aside = target.with_name(f".{target.name}.{os.getpid()}")
        write_zip(asset.source, aside)
        aside.replace(target)
    return target


def write_zip(folder: Path, target: Path) -> None:
    """Write the deterministic zip of `folder` to `target`; see `packaged`."""
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    hidden = [name for name, path in files if not path.stat().st_mode & _READABLE_BY_OTHERS]
    if hidden:
        raise AssemblyError(
            f"{folder}: not readable by others, so Lambda could not read them: {', '.join(hidden)}. "
            "Stage assets with mode 0644."
        )
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in files:
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr = stat.S_IMODE(path.stat().st_mode) << 16 | stat.S_IFREG << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
