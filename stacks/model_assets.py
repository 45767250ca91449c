"""A model's folder -> the assets that its functions and jobs receive."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lifecycle.spec import ModelSpec
from stacks.assets import modules_behind, packages, stage
from stacks.project import Project

FEATURES: Final = "features.py"
ESTIMATORS: Final = "estimators.py"


@dataclass(frozen=True, kw_only=True)
class ModelAssets:
    """The spec of a model and the staged folders made for it."""

    spec: ModelSpec
    functions: Path
    predict: Path
    job_code: Path


def stage_assets(project: Project, spec: ModelSpec) -> ModelAssets:
    """Stage what a model's functions and jobs receive: our packages, the spec, and the user's files at the root."""
    home = project.home / "models" / spec.model
    described = {spec.file_name: spec.to_bytes()}
    features = _own(home / FEATURES, spec.features_sha256)
    estimators = _own(home / ESTIMATORS, spec.estimators_sha256)
    lifecycle = packages(project, "lifecycle")
    function_code = packages(project, "lifecycle", "cloud", "tabular", "lambdas")
    return ModelAssets(
        spec=spec,
        functions=stage(project, {**function_code, **described, **features}),
        predict=stage(project, {**lifecycle, **_predict(project), **described, **features}),
        job_code=stage(
            project, {**packages(project, "lifecycle", "tabular", "training"), **described, **features, **estimators}
        ),
    )


def _predict(project: Project) -> dict[str, bytes]:
    """Return the modules of predict, with those of cloud/ that a release with an endpoint imports."""
    found = modules_behind(project, "lambdas", "predict") | modules_behind(project, "lambdas", "remote_scores")
    return found | modules_behind(project, "cloud", "endpoint_runtime")


def _own(path: Path, expected: str | None) -> dict[str, bytes]:
    return {path.name: path.read_bytes()} if expected else {}
