"""Project and stage -> cdk.out: the whole app, offline and the same bytes every time."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.cx_api import CloudAssembly

from lifecycle.spec import ModelSpec
from stacks.deployment import Deployment
from stacks.learning_checks import require_shared_datasets
from stacks.model_assets import stage_assets
from stacks.model_yaml import read_model
from stacks.monitoring_stack import MonitoringStack
from stacks.project import Project, SynthesisRefused
from stacks.serving_stack import ServingStack
from stacks.shared_stack import SharedStack
from stacks.stages import choose_stage
from stacks.training_stack import TrainingStack


def app_of(project: Project, *, stage: str | None = None, outdir: str | None = None) -> App:
    """Return the app of one stage with every model of the project.

    `outdir` None leaves the place to the CDK command line. Raises SynthesisRefused with every problem of the first
    file that has any.
    """
    app = App(
        context=_flags(project),
        outdir=outdir,
        analytics_reporting=False,
        tree_metadata=False,
        stack_traces=False,
        # a third of the time of a synth, and the tests run cfn-lint over the same templates
        builtin_cloud_formation_validation=False,
    )
    chosen = choose_stage(project.stages_file, stage or app.node.try_get_context("stage"))
    deployment = Deployment(project, chosen)
    specs = [read_model(path) for path in project.model_files]
    require_shared_datasets(specs)
    shared = SharedStack(app, deployment)
    for spec in specs:
        _add_model(app, deployment, shared, spec)
    return app


def synthesize(project: Project, *, stage: str | None = None, outdir: Path) -> CloudAssembly:
    """Write the assembly of one stage into `outdir` and return it."""
    return app_of(project, stage=stage, outdir=str(outdir)).synth()


def _add_model(app: App, deployment: Deployment, shared: Stack, spec: ModelSpec) -> None:
    assets = stage_assets(deployment.project, spec)
    serving = ServingStack(app, deployment, assets)
    training = TrainingStack(app, deployment, assets)
    # the exports must exist first; and who deploys models must listen before the first one is registered
    serving.add_stack_dependency(shared)
    training.add_stack_dependency(serving)
    if spec.monitoring.prediction_log:
        MonitoringStack(app, deployment, assets).add_stack_dependency(training)


def _flags(project: Project) -> dict[str, Any]:
    """Return cdk.json's feature flags, so that templates are the same with and without the CDK command line."""
    path = project.code / "cdk.json"
    try:
        context: dict[str, Any] = json.loads(path.read_text())["context"]
    except (OSError, ValueError, KeyError) as error:
        raise SynthesisRefused(f"{path} must be JSON with a `context`: {error}") from error
    return {**context, "aws:cdk:enable-path-metadata": False, "aws:cdk:version-reporting": False}
