"""`perennial doctor`: what is missing before the first deployment; each line ends in what to do."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from cli import output
from cli.main import Shared, app
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


@app.command()
def doctor(context: typer.Context) -> None:
    """Check this machine and the account: credentials, region, bootstrap, quotas, image, pinned CDK, layers."""
    shared: Shared = context.obj
    target = shared.target()
    findings = [*_machine(), *_account(target)]
    rows = [{**asdict(f), "ok": f.ok} for f in findings]
    shared.out.line(target.where)
    shared.out.table(rows, ["check", "ok", "found", "do"], empty="")
    if not all(f.ok for f in findings):
        raise SystemExit(output.EXIT_FAILED)


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
    """Findings that need the account; they stop at the first one that the others depend on."""
    try:
        account, arn = target.operator.identity()
    except LifecycleError as error:
        yield Finding("credentials", False, str(error), "aws configure, or aws sso login")
        return
    yield Finding("credentials", True, f"account {account} as {arn.rsplit('/', 1)[-1]}")
    yield Finding("region", bool(target.operator.region), target.operator.region, "set region in stages.yaml")
    if target.is_local:
        yield Finding("bootstrap and quotas", True, "not needed by the laptop engine")
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
