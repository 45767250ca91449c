"""Source files -> build/assets/<content hash>/: what a function or job receives, bytecode included.

The same sources give the same bytes everywhere: modes are fixed, the bytecode carries the runtime's path instead of
this machine's, and its validity does not depend on time stamps (a zip would lose them). A folder that exists is
complete, because it is made beside its place and then renamed into it.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from stacks.project import Project, SynthesisRefused

PYTHON = (3, 12)  # of the Lambda runtime and of the training image; bytecode is only good for one minor version
RUNTIME_FOLDER = "/var/task"

Content = Mapping[str, bytes]
"""What an asset consists of: relative path (with /) -> bytes."""


def packages(project: Project, *names: str) -> dict[str, bytes]:
    """Return every module of the named packages. Packages hold Python source only; anything else is left out."""
    found = {}
    for name in names:
        for path in sorted((project.code / name).rglob("*.py")):
            found[path.relative_to(project.code).as_posix()] = path.read_bytes()
    return found


def modules_behind(project: Project, package: str, module: str) -> dict[str, bytes]:
    """Return `package/module.py` and the modules of the same package that it imports, directly or through others.

    Raises SynthesisRefused when one of them does not exist.
    """
    found: dict[str, bytes] = {}
    waiting = ["__init__", module]
    while waiting:
        path = project.code / package / f"{waiting.pop()}.py"
        key = path.relative_to(project.code).as_posix()
        if key in found:
            continue
        if not path.is_file():
            raise SynthesisRefused(f"{path} does not exist, but the stacks need it: the checkout is not complete.")
        found[key] = path.read_bytes()
        waiting += _siblings(found[key], package)
    return found


def _siblings(source: bytes, package: str) -> Iterable[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{package}."):
            yield str(node.module).split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith(f"{package}."))


def content_hash(content: Content) -> str:
    """Return the SHA-256 (hex) of names and bytes, in any order of insertion."""
    total = sha256()
    for name in sorted(content):
        total.update(f"{name}\0{len(content[name])}\0".encode())
        total.update(content[name])
    return total.hexdigest()


def stage(project: Project, content: Content) -> Path:
    """Return the folder that holds `content` and its bytecode; made once per content.

    Raises SynthesisRefused when this Python's bytecode would not suit the runtime.
    """
    if sys.version_info[:2] != PYTHON:
        raise SynthesisRefused(f"synth needs Python {PYTHON[0]}.{PYTHON[1]}, this is {sys.version.split()[0]}.")
    folder = project.build / "assets" / content_hash(content)
    if folder.is_dir():
        return folder
    making = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(making, ignore_errors=True)
    try:
        for name, data in content.items():
            path = making / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        compile_bytecode(making, RUNTIME_FOLDER)
        fix_modes(making)
        try:
            making.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another synth was faster, with the same bytes
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def compile_bytecode(folder: Path, runtime_folder: str) -> None:
    """Write __pycache__ for every module under `folder`, as if it lay in `runtime_folder`."""
    command = [sys.executable, "-I", "-m", "compileall", "-q", "-s", str(folder), "-p", runtime_folder]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "0"})
    if result.returncode:
        raise SynthesisRefused(f"bytecode of {folder} cannot be made:\n{result.stdout}{result.stderr}")


def fix_modes(folder: Path) -> None:
    """Make files readable by everyone (0644) and folders passable (0755): Lambda runs as another user."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
