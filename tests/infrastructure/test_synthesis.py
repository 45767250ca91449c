"""The same input gives the same bytes, and what one model or stage has does not touch another."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.project import Project, SynthesisRefused
from stacks.synthesis import synthesize
from tests.infrastructure.world import FIXTURES, ROOT, Assembly

PROGRAM = """
import sys
from pathlib import Path
from stacks.project import Project
from stacks.synthesis import synthesize
synthesize(Project(code=Path(sys.argv[1]), home=Path(sys.argv[2])), stage="dev", outdir=Path(sys.argv[3]))
"""


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def in_another_process(home: Path, outdir: Path, seed: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", PROGRAM, str(ROOT), str(home), str(outdir)], check=True, env=environment)


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(assembly: Assembly, tmp_path: Path) -> None:
    in_another_process(FIXTURES, tmp_path / "one", "1")
    in_another_process(FIXTURES, tmp_path / "two", "4242")
    assert content(tmp_path / "one") == content(tmp_path / "two")
    assert Assembly(tmp_path / "one").templates == assembly.templates


@pytest.mark.slow
def test_no_credentials_and_no_network_are_needed(tmp_path: Path) -> None:
    guard = "import socket\ndef no(*a, **k): raise OSError('no network here')\nsocket.socket.connect = no\n"
    bare = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-c", guard + PROGRAM, str(ROOT), str(FIXTURES), str(tmp_path / "out")]
    subprocess.run(command, check=True, env=bare)
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_a_new_model_leaves_all_other_templates_byte_equal(
    assembly: Assembly, home: Path, copy_model: Callable[[str], Path], tmp_path: Path
) -> None:
    for name in ("churn", "price"):
        copy_model(name)
    synthesize(Project(code=ROOT, home=home), stage="dev", outdir=tmp_path / "fewer")
    fewer = Assembly(tmp_path / "fewer")
    assert set(assembly.templates) - set(fewer.templates) == {
        "perennial-dev-segment-monitoring",
        "perennial-dev-segment-serving",
        "perennial-dev-segment-training",
    }
    for name in fewer.templates:
        assert (fewer.folder / f"{name}.template.json").read_bytes() == (
            assembly.folder / f"{name}.template.json"
        ).read_bytes()


def test_two_models_may_share_a_dataset(assembly: Assembly) -> None:
    rules = [
        rule["Properties"]["EventPattern"]["detail"]
        for stack, _, rule in assembly.resources("AWS::Events::Rule")
        if ("churn" in stack or "price" in stack) and "EventPattern" in rule["Properties"]
    ]
    assert [detail for detail in rules if detail.get("dataset") == ["customers"]] == [
        {"stage": ["dev"], "dataset": ["customers"]}
    ], "price says `on_upload: false`"


def test_two_stages_share_no_name(assembly: Assembly, production: Assembly) -> None:
    def names(of: Assembly) -> set[str]:
        found = set(of.templates)
        for template in of.templates.values():
            found |= {output["Export"]["Name"] for output in template["Outputs"].values() if "Export" in output}
            for resource in template["Resources"].values():
                properties = resource.get("Properties", {})
                keys = ("FunctionName", "RoleName", "ModelPackageGroupName")
                found |= {properties[key] for key in keys if isinstance(properties.get(key), str)}
        return found

    assert names(assembly) & names(production) == set()


def test_every_import_is_an_export_of_the_shared_stack(assembly: Assembly) -> None:
    shared = assembly.template("perennial-dev-shared")
    exported = {output["Export"]["Name"] for output in shared["Outputs"].values()}
    text = "".join(path.read_text() for path in assembly.folder.glob("*.template.json"))
    imported = {part.split('"')[1] for part in text.replace('"Fn::ImportValue": ', "\0").split("\0")[1:]}
    assert imported <= exported
    assert imported


def test_all_resources_that_can_carry_tags_say_stage_and_model(assembly: Assembly) -> None:
    for stack, name, resource in assembly.resources("AWS::IAM::Role"):
        tags = {tag["Key"]: tag["Value"] for tag in resource["Properties"]["Tags"]}
        assert tags["perennial:stage"] == "dev", (stack, name)
        if "-shared" not in stack:
            assert tags["perennial:model"] in stack


def test_missing_layers_stop_synth_with_the_command_to_run(tmp_path: Path) -> None:
    code = tmp_path / "checkout"
    for name in ("lifecycle", "cloud", "lambdas", "requirements"):
        shutil.copytree(ROOT / name, code / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "cdk.json", code)
    with pytest.raises(SynthesisRefused, match="make build"):
        synthesize(Project(code=code, home=FIXTURES), stage="dev", outdir=tmp_path / "out")


def test_an_unknown_stage_is_refused_with_the_known_ones(project: Project, tmp_path: Path) -> None:
    with pytest.raises(SynthesisRefused, match="no stage 'test'; it has dev, prod"):
        synthesize(project, stage="test", outdir=tmp_path)


def test_an_app_without_models_deploys_the_shared_stack_only(home: Path, tmp_path: Path) -> None:
    synthesize(Project(code=ROOT, home=home), outdir=tmp_path / "out")
    assert list(Assembly(tmp_path / "out").templates) == ["perennial-dev-shared"]


@pytest.mark.slow
def test_the_program_tells_a_wrong_model_file_without_a_stack_trace(tmp_path: Path) -> None:
    for name in ("app.py", "cdk.json"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("stacks", "lifecycle", "cloud", "lambdas", "requirements"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "stages.yaml").write_text("dev: {region: us-east-1}\n")
    folder = tmp_path / "models" / "wrong"
    folder.mkdir(parents=True)
    (folder / "model.yaml").write_text("model: wrong\ntask: forecasting\n")
    result = subprocess.run([sys.executable, "app.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert "task: is not supported" in result.stderr
    assert "Traceback" not in result.stderr
