"""`perennial destroy` on the laptop: nothing that carries the stage's tag is left."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cloud.removal import Removal
from lifecycle import names
from local.engine import write_state
from tests.local.product_world import ROOT, STAGE, product

pytestmark = pytest.mark.slow


def test_nothing_that_carries_the_tag_is_left_after_a_stage_was_destroyed(tmp_path: Path) -> None:
    with product(tmp_path) as world:
        removal = Removal(world.operator)
        world.upload("a.csv", (tmp_path / "houses.csv").read_bytes())
        world.until(lambda: world.executions("deployment"), "deployment")
        services = {arn.split(":")[2] for arn in removal.tagged(STAGE)}
        assert services >= {"lambda", "states", "sagemaker", "s3", "dynamodb", "sqs", "sns", "logs", "kms", "events"}
        assert "apigateway" in services

        write_state(tmp_path / ".perennial" / "engine.json", world.engine.state())
        ran = subprocess.run(
            [sys.executable, "-c", "from cli.main import main; main()", "--json", "destroy", "--yes"],
            cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert json.loads(ran.stdout)["left"] == []
        assert removal.tagged(STAGE) == []
        assert world.stacks.names(names.PRODUCT) == []
