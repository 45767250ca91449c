"""`perennial models` and `approve`: the registry, what is live, and a person's word."""

from typing import Annotated

import typer

from cli import output
from cli.main import MODELS, Shared, app, example
from cli.served_by import served_by
from cli.target import Target
from cloud.functions import Functions
from cloud.packages import Packages
from lifecycle import live, names
from lifecycle.registration import Approval


@app.command("models", rich_help_panel=MODELS, epilog=example("perennial models", "perennial models flights"))
def list_models(
    context: typer.Context,
    model: Annotated[str | None, typer.Argument(help="Name of a model, to see all its versions.")] = None,
) -> None:
    """List the model packages of each model with their status, and which one is live."""
    shared: Shared = context.obj
    target = shared.target()
    rows = []
    for name in [model] if model else target.models():
        alias = Functions(target.client("lambda")).alias(
            target.serving(name)[names.OUTPUT_PREDICT_FUNCTION], names.LIVE
        )
        standing = live.parse(alias.description) if alias else None
        for package in _packages(target, name).all():
            rows.append(
                {
                    "model": name,
                    "version": package.number,
                    "status": package.approval,
                    "live": standing is not None and standing.package_arn == package.arn,
                    "run": package.properties.get("run_id", ""),
                    "data": output.short(package.properties.get("data_version", "")),
                    "served by": served_by(package),
                    "why": package.description,
                    "arn": package.arn,
                }
            )
    shared.out.table(
        rows,
        ["model", "version", "status", "live", "served by", "run", "why"],
        empty="No model is registered yet. Upload data: perennial upload MODEL FILE...",
    )


@app.command(
    rich_help_panel=MODELS,
    epilog=example(
        "perennial approve flights 3 --reason 'looked at the slices'", "perennial approve flights 3 --reject"
    ),
)
def approve(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    version: Annotated[int, typer.Argument(help="Version of the model package.")],
    reason: Annotated[str, typer.Option(help="Why; kept with the package.")] = "approved by an operator",
    reject: Annotated[bool, typer.Option("--reject", help="Reject it instead.")] = False,
) -> None:
    """Approve a model that waits for a person's word; its deployment starts by itself.

    For stages with `approval: manual`. The live model answers until then. To bring back an older version: `perennial
    rollback`, or `perennial deploy --package N`.
    """
    shared: Shared = context.obj
    target = shared.target()
    packages = _packages(target, model)
    found = [package for package in packages.all() if package.number == version]
    if not found:
        numbers = ", ".join(str(package.number) for package in packages.all()) or "none yet"
        output.fail(f"{model} has no version {version}; it has: {numbers}")
    status = Approval.REJECTED if reject else Approval.APPROVED
    changed = found[0].approval != status
    if changed:
        packages.decide(found[0].arn, status, reason)
    shared.out.value({"model": model, "version": version, "status": status, "changed": changed})
    shared.out.line(
        f"{model} version {version} {'is now' if changed else 'was already'} {status}. See: perennial status"
    )


def _packages(target: Target, model: str) -> Packages:
    return Packages(target.client("sagemaker"), target.training(model)[names.OUTPUT_PACKAGE_GROUP])
