"""features.py and estimators.py: the user's own code, loaded by path and only when its hash is the spec's.

The same features.py, by hash, runs in training and in the predict function. It offers `features(row: dict) -> dict`:
standard library only, no clock, no input or output; `row` is typed by `lifecycle.encoding.typed_row`.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from lifecycle.checksum import sha256_hex
from lifecycle.errors import ModelRejected, RequestRejected, SpecRejected

FEATURES_FILE = "features.py"
ESTIMATORS_FILE = "estimators.py"

Features = Callable[[dict[str, Any]], dict[str, Any]]

_ALLOWED: Mapping[str, tuple[tuple[type, ...], str]] = {
    "number": ((int, float), "a number"),
    "integer": ((int,), "a whole number"),
    "boolean": ((bool,), "True or False"),
    "category": ((str,), "text"),
}


def load(path: Path, sha256: str) -> ModuleType:
    """Return the module of one file of the user's.

    It is registered under the file's stem, so that objects of its classes can be unpickled within the same job.

    Raises
    ------
    SpecRejected
        when the file is not there, has another hash than the spec says, or fails on import.
    """
    if not path.is_file():
        raise SpecRejected(f"{path.name} is named by the spec but is not in the package; synthesize and deploy again")
    source = path.read_bytes()
    found = sha256_hex(source)
    if found != sha256:
        raise SpecRejected(
            f"{path.name} was changed after synth: its SHA-256 begins {found[:12]}, the spec says {sha256[:12]}"
        )
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        # S102: the owner's own file, checked by hash; whatever it raises is a fault of that file
        exec(compile(source, str(path), "exec"), module.__dict__)  # noqa: S102
    except Exception as error:
        raise SpecRejected(f"{path.name} fails on import: {type(error).__name__}: {error}") from error
    sys.modules[path.stem] = module
    return module


def load_function(folder: Path, file: str, sha256: str, name: str) -> Callable[..., Any]:
    """Return function `name` of a user's file. Raises SpecRejected when there is none, or as `load` does."""
    function = getattr(load(folder / file, sha256), name, None)
    if not callable(function):
        raise SpecRejected(f"{file} has no function {name!r}")
    return function  # type: ignore[no-any-return]


def load_features(folder: Path, sha256: str) -> Features:
    """Return `features` of features.py in `folder`. Raises SpecRejected as `load` does."""
    return load_function(folder, FEATURES_FILE, sha256, "features")


def derive(features: Features, declared: Mapping[str, str], row: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the derived values of typed row `number` (counted from 0).

    Raises
    ------
    RequestRejected
        when features.py fails on the row, or returns other keys or kinds than `declared` (name to kind).
    """
    try:
        values = features(row)
    except Exception as error:  # the user's code may raise anything
        raise RequestRejected(f"row {number}: features.py raised {type(error).__name__}: {error}") from error
    if not isinstance(values, dict):
        raise RequestRejected(f"row {number}: features.py returned {type(values).__name__}, not a dict")
    if values.keys() != declared.keys():
        missing, extra = sorted(declared.keys() - values.keys()), sorted(map(str, values.keys() - declared.keys()))
        raise RequestRejected(
            f"row {number}: features.py left out {missing} and added {extra}; model.yaml declares them"
        )
    for name, kind in declared.items():
        value = values[name]
        types, wanted = _ALLOWED[kind]
        if value is None or value.__class__ in types:
            continue
        if not isinstance(value, types) or isinstance(value, bool):
            shown = f"{value!r:.40} ({type(value).__name__})"
            raise RequestRejected(f"row {number}: features.py returned {shown} for {name!r}; declared {kind}: {wanted}")
    return values


def check_declared(declared: Mapping[str, str]) -> None:
    """Raise ModelRejected when a derived value has a kind that cannot be one."""
    for name, kind in declared.items():
        if kind not in _ALLOWED:
            raise ModelRejected(f"derived value {name!r} has kind {kind!r}; allowed: {', '.join(_ALLOWED)}")
