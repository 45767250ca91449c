"""Assets hold exactly what the architecture page says: our source and its bytecode, readable, the same everywhere."""

import importlib.util
import marshal
import stat
import zipfile
from pathlib import Path

import pytest

from lifecycle.spec import ModelSpec
from stacks.assets import content_hash, modules_behind, stage
from stacks.build import LIMIT_BYTES, pack, trim
from stacks.project import Project, SynthesisRefused
from tests.infrastructure.world import ROOT, Assembly

OURS = {"lifecycle", "cloud", "tabular", "lambdas", "training"}


def asset_of(assembly: Assembly, stack: str, module: str) -> Path:
    for name, _, function in assembly.resources("AWS::Lambda::Function"):
        if name == stack and function["Properties"]["Handler"] == f"lambdas.{module}.handler":
            return assembly.asset(stack, function["Properties"]["Code"]["S3Key"])
    raise KeyError(module)


def tops(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != "__pycache__"}


def test_each_asset_has_the_content_of_the_table(assembly: Assembly) -> None:
    spec = {path.name for path in asset_of(assembly, "perennial-dev-churn-serving", "predict").glob("spec-*.json")}
    serving, training = "perennial-dev-churn-serving", "perennial-dev-churn-training"
    assert len(spec) == 1
    assert tops(asset_of(assembly, "perennial-dev-shared", "cut_version")) == {"lifecycle", "cloud", "lambdas"}
    assert tops(asset_of(assembly, serving, "predict")) == {"lifecycle", "cloud", "lambdas", "features.py"} | spec
    functions = {"lifecycle", "cloud", "tabular", "lambdas", "features.py"} | spec
    assert tops(asset_of(assembly, serving, "plan_deployment")) == functions
    assert tops(asset_of(assembly, training, "start_run")) == functions


def test_the_job_code_has_no_cloud_and_no_functions(assembly: Assembly) -> None:
    text = (assembly.folder / "perennial-dev-churn-training.template.json").read_text()
    (key,) = {part.split("/")[1][:68] for part in text.split("S3Uri")[1:2] for part in [part.split("s3://")[1]]}
    folder = assembly.asset("perennial-dev-churn-training", key)
    spec = {path.name for path in folder.glob("spec-*.json")}
    assert tops(folder) == {"lifecycle", "tabular", "training", "features.py", "estimators.py"} | spec


def test_predict_ships_only_the_modules_it_needs(assembly: Assembly) -> None:
    folder = asset_of(assembly, "perennial-dev-churn-serving", "predict")
    assert {path.name for path in folder.glob("lambdas/*.py")} == {
        Path(name).name for name in modules_behind(Project.at(ROOT), "lambdas", "predict")
    }
    assert not (folder / "lambdas" / "wiring.py").exists()


def test_the_spec_in_an_asset_is_read_back_under_its_hash(assembly: Assembly) -> None:
    spec = ModelSpec.find(asset_of(assembly, "perennial-dev-churn-serving", "predict"))
    assert spec.model == "churn"
    assert len(spec.contract.columns) == 307


def test_assets_hold_source_bytecode_and_the_spec_and_everyone_may_read_them(assembly: Assembly) -> None:
    folders = [path for path in assembly.folder.iterdir() if path.is_dir() and path.name.startswith("asset.")]
    assert len(folders) == 1 + 3 * 3
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_dir():
                assert path.name in OURS | {"__pycache__"}, path
            else:
                assert path.suffix in (".py", ".pyc", ".json"), path
                assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444, path


def test_bytecode_is_valid_for_ever_and_names_lambdas_folder(assembly: Assembly) -> None:
    folder = asset_of(assembly, "perennial-dev-churn-serving", "predict")
    source = folder / "lifecycle" / "scoring.py"
    compiled = Path(importlib.util.cache_from_source(str(source))).read_bytes()
    assert compiled[:4] == importlib.util.MAGIC_NUMBER
    assert int.from_bytes(compiled[4:8], "little") == 0b01, "hash-based, never checked against the source"
    assert marshal.loads(compiled[16:]).co_filename == "/var/task/lifecycle/scoring.py"


def test_the_same_content_gives_the_same_bytes_in_two_checkouts(tmp_path: Path) -> None:
    content = {"lifecycle/names.py": (ROOT / "lifecycle" / "names.py").read_bytes(), "spec-1.json": b"{}"}
    one, two = (stage(Project(code=tmp_path / name, home=tmp_path), content) for name in ("a", "b/c"))

    def files(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert files(one) == files(two)
    assert len(files(one)) == 3
    assert one.name == two.name == content_hash(dict(reversed(content.items())))


def test_names_and_bytes_cannot_be_confused_in_the_hash() -> None:
    assert content_hash({"a": b"b"}) != content_hash({"ab": b""})
    assert content_hash({"a": b"1", "b": b"2"}) != content_hash({"a": b"2", "b": b"1"})


def test_a_file_that_is_no_python_is_named_and_nothing_is_left_behind(tmp_path: Path) -> None:
    with pytest.raises(SynthesisRefused, match="bytecode"):
        stage(Project(code=tmp_path, home=tmp_path), {"lifecycle/broken.py": b"def ("})
    assert list((tmp_path / "build" / "assets").iterdir()) == []


def test_a_missing_module_is_named() -> None:
    with pytest.raises(SynthesisRefused, match=r"nowhere\.py does not exist"):
        modules_behind(Project.at(ROOT), "lambdas", "nowhere")


def test_archives_do_not_depend_on_when_and_where_they_are_made(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "x"
        folder.mkdir(parents=True)
        for file in ("b.py", "a.whl") if name == "one" else ("a.whl", "b.py"):
            (folder / file).write_text(file)
            (folder / file).chmod(0o600 if name == "one" else 0o644)
        pack(folder, tmp_path / f"{name}.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_trimming_keeps_what_runs(tmp_path: Path) -> None:
    for name in (
        "p/tests/test_x.py",
        "p/core.py",
        "p/core.pyi",
        "p/lib.so",
        "p.dist-info/RECORD",
        "p.dist-info/METADATA",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    trim(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"p/core.py", "p/lib.so", "p.dist-info/METADATA"}


def test_layers_and_our_code_together_fit_lambda() -> None:
    total = 0
    for name in ("layer-base", "layer-tabular"):
        total += sum(path.stat().st_size for path in (ROOT / "build" / name).rglob("*") if path.is_file())
    assert total < LIMIT_BYTES


def test_the_wheels_are_for_the_training_image() -> None:
    with zipfile.ZipFile(ROOT / "build" / "wheels.zip") as archive:
        names = archive.namelist()
    assert names
    assert all(name.endswith(("none-any.whl", "x86_64.whl")) for name in names)
