"""What every stack of one synthesis is told: project, stage, and the assets and packages they make alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from aws_cdk import AssetHashType, Environment, RemovalPolicy, Stack, Tags
from aws_cdk.aws_s3_assets import Asset
from constructs import Construct

from lifecycle import names
from lifecycle.families import packages
from lifecycle.spec import ModelSpec
from stacks.constructs.function import Package
from stacks.images import training_image
from stacks.project import Project
from stacks.stages import Removal, Stage

LOG_DAYS: Final = 90


@dataclass(frozen=True)
class Deployment:
    """One project into one stage."""

    project: Project
    stage: Stage

    @property
    def environment(self) -> Environment:
        """Account (any, when the stage names none) and region of every stack."""
        return Environment(account=self.stage.account, region=self.stage.region)

    def tag(self, stack: Stack, model: str | None = None) -> None:
        """Tag the stack and everything in it, so that `perennial destroy` and bills find what belongs together."""
        tags = {names.TAG_STAGE: self.stage.name, **({names.TAG_MODEL: model} if model else {})}
        for key, value in tags.items():
            stack.add_stack_tag(key, value)
            Tags.of(stack).add(key, value)

    @property
    def removal(self) -> RemovalPolicy:
        """What happens to data and logs when a stack is deleted."""
        return RemovalPolicy.RETAIN if self.stage.removal is Removal.RETAIN else RemovalPolicy.DESTROY

    @property
    def image(self) -> str:
        """The address of the training image."""
        return training_image(self.stage.region)

    @cached_property
    def layer_base(self) -> Path:
        """The archive of the layer that every function has."""
        return self.project.built("layer-base.zip")

    @cached_property
    def layer_tabular(self) -> Path:
        """The archive of the layer of functions that read data."""
        return self.project.built("layer-tabular.zip")

    def wheels(self, spec: ModelSpec) -> Path:
        """Return the archive of the wheels that a model's jobs put beside the image's packages."""
        return self.project.built("wheels-families.zip" if packages(spec) else "wheels.zip")

    @staticmethod
    def asset(scope: Construct, title: str, path: Path) -> Asset:
        """Make a folder or archive an asset of the stack; a large archive has its hash written beside it."""
        written = path.with_name(f"{path.name}.sha256")
        known = written.read_text() if written.is_file() else None
        kind = AssetHashType.CUSTOM if known else None
        return Asset(scope, title, path=str(path), asset_hash=known, asset_hash_type=kind)

    def package(self, code: Asset, layers: Sequence[str], log_key_arn: str) -> Package:
        """Return what functions of a stack have in common."""
        return Package(code=code, layers=layers, log_key_arn=log_key_arn, log_days=LOG_DAYS, removal=self.removal)
