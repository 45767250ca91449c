"""What happens around a job: wheels, threads, reasons of failures."""

import sys
import zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from training import failure, threads, train, vendored


@pytest.fixture
def untouched_path() -> Iterator[None]:
    before = sys.path.copy()
    yield
    sys.path[:] = before


def wheel(folder: Path, package: str) -> None:
    with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{package}/__init__.py", "ANSWER = 42\n")


@pytest.mark.usefixtures("untouched_path")
def test_a_wheel_is_used_when_the_image_lacks_the_package(tmp_path: Path) -> None:
    wheel(tmp_path, "perennial_probe")
    added = vendored.add(tmp_path, "perennial_probe")
    assert sys.path[-1] == str(added)
    assert import_module("perennial_probe").ANSWER == 42


@pytest.mark.usefixtures("untouched_path")
def test_wheels_are_read_from_the_zip_that_a_channel_brings(tmp_path: Path) -> None:
    wheel(tmp_path, "perennial_zipped")
    made = next(tmp_path.glob("*.whl"))
    (tmp_path / "channel").mkdir()
    with zipfile.ZipFile(tmp_path / "channel" / "wheels.zip", "w") as archive:
        archive.write(made, made.name)
    vendored.add(tmp_path / "channel", "perennial_zipped")
    assert import_module("perennial_zipped").ANSWER == 42


@pytest.mark.usefixtures("untouched_path")
def test_a_wheel_never_shadows_what_the_image_has(tmp_path: Path) -> None:
    wheel(tmp_path, "numpy")
    before = sys.path.copy()
    assert vendored.add(tmp_path, "numpy") is None
    assert sys.path == before


@pytest.mark.usefixtures("untouched_path")
def test_wheels_of_what_the_image_has_stay_packed_when_another_is_needed(tmp_path: Path) -> None:
    for package in ("perennial_third", "scikit_learn"):
        wheel(tmp_path, package)
    added = vendored.add(tmp_path, "perennial_third")
    assert added is not None
    assert [path.name for path in added.iterdir()] == ["perennial_third"]


@pytest.mark.usefixtures("untouched_path")
def test_a_package_that_is_nowhere_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"'perennial_nowhere' is neither in the image nor in .*no wheel"):
        vendored.add(tmp_path, "perennial_nowhere")


def test_any_fault_ends_in_one_line_that_fits_the_failure_reason(tmp_path: Path) -> None:
    def job() -> None:
        raise KeyError("ü" * 2000)

    assert failure.run(job, tmp_path / "output/failure") == 1
    written = (tmp_path / "output/failure").read_bytes()
    assert written.startswith(b"KeyError: ")
    assert len(written) <= 1024
    assert written.decode(errors="ignore").endswith("ü")


def test_a_job_that_succeeds_leaves_no_reason(tmp_path: Path) -> None:
    assert failure.run(lambda: None, tmp_path / "failure") == 0
    assert not (tmp_path / "failure").exists()


def test_a_job_without_hyperparameters_fails_with_a_reason(tmp_path: Path) -> None:
    assert train.main(["--root", str(tmp_path)]) == 1
    assert "hyperparameters.json" in (tmp_path / "output/failure").read_text()


def test_hyperparameters_are_read_as_the_service_and_as_its_sdk_write_them(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text('{"family": "random-forest", "run_id": "\\"r-1\\""}')
    assert train.hyperparameters(tmp_path / "h.json") == {"family": "random-forest", "run_id": "r-1"}


def test_a_job_takes_at_most_half_of_the_cores() -> None:
    assert 1 <= threads.limit() <= max(1, (len(__import__("os").sched_getaffinity(0)) + 1) // 2)
