"""`perennial doctor`: what is missing before the first deployment; each line ends in what to do."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from cli import output
from cli.main import BEGIN, Shared, app, example
from cli.open_models import open_models, warning
from cli.target import Target
from cloud.readiness import Readiness
from lifecycle.errors import LifecycleError

BOOTSTRAP_NEEDED = 6  # the first bootstrap version whose roles and version parameter the default synthesizer uses


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: whether it holds, what was found, and what to do when it does not hold."""

    check: str
    ok: bool
    found: str
    do: str = ""


@app.command(rich_help_panel=BEGIN, epilog=example("perennial doctor", "perennial doctor --aws --stage prod"))
def doctor(context: typer.Context) -> None:
    """Check what a first deployment needs, on this machine and in the account; each line says what to do.

    Credentials, region, CDK bootstrap, SageMaker quotas, training image, the pinned CDK, layers.
    """
    shared: Shared = context.obj
    target = shared.target()
    findings = [*_machine(), *_account(target)]
    shared.out.line(f"[dim]{output.escape(target.where)}[/dim]")
    shared.out.table([_row(f) for f in findings], ["check", "ok", "found", "to_do"], empty="")
    if found := open_models(Path("cdk.out"), target.stage):
        shared.out.line(f"[yellow]{output.escape(warning(found))}[/yellow]")
    if not all(f.ok for f in findings):
        raise SystemExit(output.EXIT_FAILED)


def _row(finding: Finding) -> dict[str, Any]:
    return {**asdict(finding), "to_do": "" if finding.ok else finding.do}


def _machine() -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Finding("Python 3.12", sys.version_info[:2] == (3, 12), python, "make setup")
    pinned = json.loads(Path("package.json").read_text())["devDependencies"]["aws-cdk"]
    found = _version("cdk")
    yield Finding(f"CDK command line {pinned}", found.startswith(pinned), found, "make setup")
    node = _version("node")
    yield Finding("Node", node.startswith("v"), node, "make setup")
    layers = all(Path(f"build/{name}").exists() for name in ("layer-base", "layer-tabular", "wheels"))
    yield Finding("layers built", layers, "build/" if layers else "missing", "make build")


def _account(target: Target) -> Iterator[Finding]:
    """Findings that need the account; without credentials nothing but the region can be known."""
    yield Finding("region", bool(target.operator.region), target.operator.region, "set region in stages.yaml")
    try:
        account, arn = target.operator.identity()
    except LifecycleError as error:
        yield Finding("credentials", False, str(error), "aws configure, or aws sso login; then perennial doctor again")
        for check in ("CDK bootstrap", "quotas", "image"):
            yield Finding(check, False, "not looked at without credentials", "first the credentials")
        return
    yield Finding("credentials", True, f"account {account} as {arn.rsplit('/', 1)[-1]}")
    if target.is_local:
        yield Finding("bootstrap and quotas", True, "not needed by the laptop engine")
        return
    if target.operator.endpoint:
        yield Finding("bootstrap and quotas", True, f"not asked of {target.operator.endpoint}, which is not AWS")
        return
    readiness = Readiness(target.operator)
    try:
        version = readiness.bootstrap_version()
        bootstrap = f"cdk bootstrap aws://{account}/{target.operator.region}"
        yield Finding("CDK bootstrap", (version or 0) >= BOOTSTRAP_NEEDED, f"version {version}", bootstrap)
        for name, value in readiness.job_quotas(_instance_types()).items():
            yield Finding(name, value >= 1, f"{value:.0f}", "ask for 2 or more in Service Quotas, SageMaker")
        for name, there in readiness.images(_images()).items():
            yield Finding(
                f"image {name.rsplit('/', 1)[-1]}", there, name, "check that ECR may be read from this account"
            )
    except LifecycleError as error:
        yield Finding("permissions", False, str(error), "give the operator read access to SSM, Service Quotas and ECR")


def _version(command: str) -> str:
    path = Path(sys.executable).parent / command
    if not path.exists():
        return "missing"
    ran = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False)
    return ran.stdout.strip() or ran.stderr.strip()


def _definitions() -> Iterator[str]:
    for template in sorted(Path("cdk.out").glob("*-training.template.json")):
        yield template.read_text()


def _instance_types() -> set[str]:
    """Instance types that the synthesized state machines use."""
    return {word for text in _definitions() for word in text.replace('\\"', '"').split('"') if word.startswith("ml.")}


def _images() -> set[str]:
    """Images that the synthesized state machines use, as far as they are plain text in the templates."""
    found = {
        word for text in _definitions() for word in text.replace('\\"', '"').split('"') if "sagemaker-scikit" in word
    }
    return {word for word in found if ".dkr.ecr." in word}
