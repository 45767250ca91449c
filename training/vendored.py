"""Wheels that the job's image lacks: unpacked and put behind the image's own packages, so they never shadow them."""

import sys
import tempfile
import zipfile
from importlib.util import find_spec
from pathlib import Path


def add(wheels: Path, package: str) -> Path | None:
    """Make `package` importable from the wheels in folder `wheels`, unless the image has it already.

    Returns the folder that was appended to `sys.path` (all wheels unpacked below $TMPDIR), or None when nothing was
    needed. Raises ModuleNotFoundError when the package is neither in the image nor in the wheels.
    """
    if find_spec(package) is not None:
        return None
    found = sorted(wheels.glob("**/*.whl"))
    target = Path(tempfile.mkdtemp(prefix="wheels-"))
    for wheel in found:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    sys.path.append(str(target))
    if find_spec(package) is None:
        names = ", ".join(wheel.name for wheel in found) or "no wheel"
        raise ModuleNotFoundError(f"package {package!r} is neither in the image nor in {wheels} ({names})")
    return target
