"""Lock files -> Lambda layers and the jobs' wheels, without Docker. Run as `python -m stacks.build` (`make build`).

    build/layer-base/python/     powertools: every function
    build/layer-tabular/python/  polars and numpy: the functions that read data
    build/wheels/                the wheels of layer-tabular and endpoint, which jobs put beside the image's own
    build/wheels-families/       the same and families' (XGBoost, LightGBM), for models that name one of them

and beside each an archive of the same name, which the stacks ship. Each is made again only when its lock (or this
module) changes. What is built is for Lambda's Linux on x86-64 whatever the machine; it is tried out where the machine
can run it.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from stacks.assets import PYTHON, compile_bytecode, fix_modes

ROOT = Path(__file__).resolve().parent.parent
LIMIT_BYTES = 262_144_000 - 10_000_000  # Lambda: function and layers unzipped, with a margin for our own code
PLATFORM = "x86_64-manylinux_2_28"
# pip does not widen one tag to older ones: without the others a package may resolve to something else
PIP_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
NOT_AT_RUN_TIME = ("tests", "test", "include", "__pycache__", "bin")
FIXED_TIME = "315532800"  # 1980-01-01, the first second a zip can hold


class BuildFailed(Exception):
    """A layer could not be built, is too large or does not work."""


@dataclass(frozen=True)
class Part:
    """One folder under build/: its name, the locks it is made from, how, and a program that proves that it works."""

    name: str
    locks: tuple[str, ...]
    make: Callable[[tuple[Path, ...], Path], None]
    proof: str = ""


def layer(locks: tuple[Path, ...], target: Path) -> None:
    """Install the locks' packages for Lambda into `target`/python, without what no function needs."""
    uv = ROOT / "build" / "tools" / "bin" / "uv"
    packages = target / "python"
    _run(
        *(str(uv), "pip", "install", "-q", "--target", str(packages), "--python-platform", PLATFORM),
        *("--python-version", "3.12", "--only-binary", ":all:", "--require-hashes", "--no-deps", "--no-config"),
        *("--link-mode", "copy", *_required(locks)),
    )
    trim(packages)
    compile_bytecode(packages, "/opt/python")
    fix_modes(target)


def wheels(locks: tuple[Path, ...], target: Path) -> None:
    """Download the locks' wheels for the training image into `target`."""
    pip = ROOT / "build" / "tools" / "bin" / "pip"
    platforms = [word for tag in PIP_PLATFORMS for word in ("--platform", tag)]
    _run(
        *(str(pip), "download", "-q", "--dest", str(target), "--no-deps", "--require-hashes", "--only-binary=:all:"),
        *(*platforms, "--python-version", "3.12", "--implementation", "cp", *_required(locks)),
    )
    fix_modes(target)


def _required(locks: Iterable[Path]) -> list[str]:
    return [word for lock in locks for word in ("-r", str(lock))]


def trim(packages: Path) -> None:
    """Remove tests, type stubs, headers, launchers and installer notes; never touch a shared library."""
    for path in sorted(packages.rglob("*"), reverse=True):
        if path.is_dir() and path.name in NOT_AT_RUN_TIME:
            shutil.rmtree(path)
        elif path.is_file() and (path.suffix == ".pyi" or path.name in ("RECORD", "INSTALLER", "REQUESTED", ".lock")):
            path.unlink()


def pack(folder: Path, archive: Path) -> None:
    """Write a folder as an archive whose bytes depend on its content only, and its SHA-256 beside it."""
    making = archive.with_name(f".{archive.name}.{os.getpid()}")
    with zipfile.ZipFile(making, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as written:
        for path in sorted(_files(folder)):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())  # dated 1980, as the format begins
            entry.external_attr = 0o100644 << 16
            # wheels and the like are compressed already
            entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".whl" else zipfile.ZIP_DEFLATED
            written.writestr(entry, path.read_bytes())
    beside = archive.with_name(f"{archive.name}.sha256")
    beside.unlink(missing_ok=True)
    making.rename(archive)
    with archive.open("rb") as file:
        beside.write_text(file_digest(file, "sha256").hexdigest())


PARTS = (
    Part(
        "layer-base",
        ("layer-base.lock",),
        layer,
        "from aws_lambda_powertools import Logger\n"
        "from aws_lambda_powertools.metrics import MetricUnit, Metrics\n"
        "Logger(service='proof').info('works')",
    ),
    Part(
        "layer-tabular",
        ("layer-tabular.lock", "layer-numpy.lock"),
        layer,
        "import io, numpy, polars\n"
        "table = polars.read_csv(io.BytesIO(b'a,b\\n1,x\\n3,y\\n'))\n"
        "assert table['a'].sum() == 4 and table.group_by('b').len().height == 2\n"
        "assert numpy.bincount(table['a'].to_numpy())[3] == 1",
    ),
    Part("wheels", ("layer-tabular.lock", "endpoint.lock"), wheels),
    Part("wheels-families", ("layer-tabular.lock", "endpoint.lock", "families.lock"), wheels),
)


def main() -> int:
    """Build what is missing or out of date, and say so. Returns the exit status."""
    if sys.version_info[:2] != PYTHON:
        _say(f"Layers need Python {PYTHON[0]}.{PYTHON[1]}'s bytecode; this is {sys.version.split()[0]}.")
        return 1
    for part in PARTS:
        started = time.monotonic()
        try:
            if build(part):
                size = _megabytes(ROOT / "build" / part.name)
                _say(f"  {'build':9} {part.name}: {size} MB, {time.monotonic() - started:.0f} s")
        except BuildFailed as error:
            _say(f"{part.name} could not be built: {error}")
            return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def build(part: Part) -> bool:
    """Make one part unless it is current; return whether anything was done. Raises BuildFailed."""
    locks = tuple(ROOT / "requirements" / name for name in part.locks)
    stamp = sha256(b"".join(lock.read_bytes() for lock in locks) + Path(__file__).read_bytes()).hexdigest()
    target = ROOT / "build" / part.name
    note, archive = target.with_name(f"{part.name}.stamp"), target.with_name(f"{part.name}.zip")
    if target.is_dir() and archive.is_file() and note.is_file() and note.read_text() == stamp:
        return False
    making = target.with_name(f".{part.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        part.make(locks, making)
        _check(part, making)
        note.unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        making.rename(target)
        pack(target, archive)
        note.write_text(stamp)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return True


def _check(part: Part, folder: Path) -> None:
    size = sum(path.stat().st_size for path in _files(folder))
    if not size:
        raise BuildFailed("it is empty")
    if size > LIMIT_BYTES:
        raise BuildFailed(f"{size:,} bytes; Lambda allows {LIMIT_BYTES:,} with the margin for our own code")
    if part.proof and platform.system() == "Linux" and platform.machine() == "x86_64":
        program = f"import sys; sys.path.insert(0, {str(folder / 'python')!r})\n{part.proof}"
        # -I -S: nothing of this environment may lend a module to the layer
        _run(sys.executable, "-I", "-S", "-c", program)


def _run(*command: str) -> None:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": FIXED_TIME}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if result.returncode:
        tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-8:])
        raise BuildFailed(f"`{' '.join(command[:4])} ...` ended with status {result.returncode}:\n{tail}")


def _files(folder: Path) -> Iterable[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _megabytes(folder: Path) -> int:
    return round(sum(path.stat().st_size for path in _files(folder)) / 1e6)


if __name__ == "__main__":
    sys.exit(main())
