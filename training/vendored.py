"""Wheels that the job's image lacks: unpacked and put behind the image's own packages, so they never shadow them."""

import io
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path


def add(wheels: Path, package: str) -> Path | None:
    """Make `package` importable from the wheels in folder `wheels`, unless the image has it already.

    The wheels lie in the folder or, as a channel brings them, in a zip there. Those of distributions that the image has
    are left packed: nothing could be imported from them, and one of 50 MB takes a second.

    Returns the folder that was appended to `sys.path` (the other wheels unpacked below $TMPDIR), or None when nothing
    was needed. Raises ModuleNotFoundError when the package is neither in the image nor in the wheels.
    """
    if find_spec(package) is not None:
        return None
    target = Path(tempfile.mkdtemp(prefix="wheels-"))
    found = []
    for name, wheel in _wheels(wheels):
        found.append(name)
        if not _is_installed(name):
            with zipfile.ZipFile(io.BytesIO(wheel())) as archive:
                archive.extractall(target)
    sys.path.append(str(target))
    if find_spec(package) is None:
        names = ", ".join(found) or "no wheel"
        raise ModuleNotFoundError(f"package {package!r} is neither in the image nor in {wheels} ({names})")
    return target


def _wheels(folder: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Yield each wheel's file name and how to read it."""
    for path in sorted(folder.glob("**/*.whl")):
        yield path.name, path.read_bytes
    for path in sorted(folder.glob("**/*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(name for name in archive.namelist() if name.endswith(".whl")):
                yield name, partial(archive.read, name)


def _is_installed(wheel: str) -> bool:
    """Whether there is a distribution of the name that a wheel's file name begins with (PEP 427)."""
    try:
        distribution(Path(wheel).name.partition("-")[0])
    except PackageNotFoundError:
        return False
    return True
