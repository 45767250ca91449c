"""`perennial models` and `approve`: the registry, what is live, and a person's word."""

from typing import Annotated

import typer
from cloud.functions import Functions
from cloud.packages import Packages

from cli import output
from cli.main import Shared, app
from lifecycle import names


@app.command("models")
def list_models(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Name of a model, to see all its versions.")] = None,
) -> None:
    """List the model packages of each model with their status, and which one is live."""
    shared: Shared = context.obj
    target = shared.target()
    rows = []
    for name in [model] if model else target.models():
        packages = Packages(target.client("sagemaker"), target.training(name)[names.OUTPUT_PACKAGE_GROUP])
        live = Functions(target.client("lambda")).live(target.serving(name)[names.OUTPUT_PREDICT_FUNCTION])
        for package in packages.all():
            rows.append(
                {
                    "model": name,
                    "version": package.version,
                    "status": package.status,
                    "live": live is not None and live.model_version == str(package.version),
                    "run": package.metadata.get("run_id", ""),
                    "data": output.short(package.metadata.get("data_version", "")),
                    "created": package.created,
                    "arn": package.arn,
                }
            )
    shared.out.table(
        rows,
        ["model", "version", "status", "live", "run", "data", "created"],
        empty="No model is registered yet. Upload data: perennial upload MODEL FILE...",
    )


@app.command()
def approve(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    version: Annotated[int, typer.Argument(help="Version of the model package.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the package.")] = "approved by an operator",
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
) -> None:
    """Approve a model package that waits for a person; the deployment starts by itself."""
    shared: Shared = context.obj
    target = shared.target()
    packages = Packages(target.client("sagemaker"), target.training(model)[names.OUTPUT_PACKAGE_GROUP])
    found = [package for package in packages.all() if package.version == version]
    if not found:
        output.fail(f"{model} has no version {version}; see: perennial models {model}")
    said = packages.reject(found[0].arn, reason) if reject else packages.approve(found[0].arn, reason)
    del said
    shared.out.value({"model": model, "version": version, "status": "Rejected" if reject else "Approved"})
    shared.out.line(f"{model} version {version} is {'rejected' if reject else 'approved'}. See: perennial status")
