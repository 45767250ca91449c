"""A model of this checkout -> a checkout of its own with that model alone, in which a simulation may do as it likes.

Only what a simulation needs is said in its model.yaml; everything else is as the owner wrote it.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PACKAGES = ("lifecycle", "cloud", "tabular", "lambdas", "training", "stacks", "local", "requirements")
ENVIRONMENTS = (".venv", ".venv-jobs", ".venv-runtime")
COPIED = ("app.py", "cdk.json", "stages.yaml", "package.json")
LEFT_OUT = ("data", "__pycache__")
DESCRIBED = "model.yaml"


def place(root: Path, model: str) -> Path:
    """Return where the private checkout of a model of the checkout `root` is, or will be."""
    return root / ".perennial" / "simulate" / model


def make(root: Path, model: str, changes: Mapping[str, Mapping[str, Any]]) -> Path:
    """Return the private checkout of a model of the checkout `root`; made, or renewed.

    `changes` are laid over the sections of model.yaml. What was synthesized there before stays, so that it need not be
    again when nothing changed.
    """
    folder = place(root, model)
    (folder / "build").mkdir(parents=True, exist_ok=True)
    for name in [*PACKAGES, *ENVIRONMENTS]:
        _link(folder / name, root / name)
    for built in [*(root / "build").glob("layer-*"), *(root / "build").glob("wheels*")]:
        _link(folder / "build" / built.name, built)
    for name in COPIED:
        shutil.copy2(root / name, folder / name)
    _copy_model(root / "models" / model, folder / "models" / model, changes)
    return folder


def changed(text: str, changes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a model.yaml with `changes` laid over its sections.

    >>> print(changed("model: m", {"retraining": {"every_days": 7}}), end="")
    model: m
    retraining:
      every_days: 7
    """
    described = yaml.safe_load(text)
    for section, keys in changes.items():
        described[section] = {**(described.get(section) or {}), **keys}
    return yaml.safe_dump(described, sort_keys=False, allow_unicode=True)


def _copy_model(source: Path, target: Path, changes: Mapping[str, Mapping[str, Any]]) -> None:
    for stale in target.glob("*"):
        if stale.is_file() and not (source / stale.name).exists():
            stale.unlink()
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(DESCRIBED, *LEFT_OUT))
    wanted = changed((source / DESCRIBED).read_text(), changes)
    described = target / DESCRIBED
    if not described.exists() or described.read_text() != wanted:  # a younger file would be synthesized again
        described.write_text(wanted)


def _link(link: Path, to: Path) -> None:
    if not to.exists():
        return
    if link.is_symlink():
        link.unlink()
    link.symlink_to(to.resolve() if not to.is_symlink() else to)
