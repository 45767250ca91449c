"""The real `cdk bootstrap` and `cdk deploy`, as every CDK user types them."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.conftest import clean_environment
from tests.target.place import STAGE


class Cdk:
    """The CDK command line in a checkout; `environment` says whose account it speaks to."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        own = {"CDK_DISABLE_CLI_TELEMETRY": "true", "NO_COLOR": "1", "CI": "true"}
        self._environment = clean_environment() | own | dict(environment)

    def bootstrap(self, account: str, region: str) -> None:
        """Make what `deploy` needs in an account; does nothing where it is there."""
        self._run("bootstrap", f"aws://{account}/{region}")

    def deploy(self) -> None:
        """Synthesize the stage and deploy all of its stacks."""
        self._run("deploy", "--all", "--require-approval", "never", "--concurrency", "2")

    def _run(self, *arguments: str) -> None:
        command = ["cdk", *arguments, "-c", f"stage={STAGE}", "--no-notices", "--progress", "events"]
        ran = subprocess.run(
            command, cwd=self._folder, env=self._environment, capture_output=True, text=True, check=False
        )
        with (self._folder / "cdk.log").open("a") as log:
            log.write(f"$ {' '.join(command)}\n{ran.stdout}{ran.stderr}\n")
        assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout[-4000:]}{ran.stderr[-4000:]}"
