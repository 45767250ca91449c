"""The body's place on AWS. It was never run by those who wrote it (docs/verified.md says what was run where).

It refuses to start without the id of the account and a spending limit, deploys a stage of its own, and destroys it in
the end whatever happened.
"""

import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import pytest
from botocore.exceptions import ClientError

from cli.target import ENDPOINT
from cloud.operator import Operator
from cloud.readiness import Readiness
from lifecycle import names
from tests.target import checkout, spending
from tests.target.cdk import Cdk
from tests.target.place import MODEL, STAGE, Place

PATIENCE_SECONDS: Final = 2400.0
"""Jobs wait for an instance for minutes, metrics and alarms take some, too."""
BOOTSTRAP: Final = 6
JOBS: Final = spending.Jobs(count=2, minutes=15)
"""One family and one evaluation, as tests/target/checkout.py writes them into model.yaml."""


@dataclass(frozen=True)
class Allowance:
    """Which account may be used, and what it may cost."""

    account: str
    limit: float

    @classmethod
    def of(cls, account: str | None, limit: float | None) -> Self:
        """Read the options; ends the test run when one is missing or not enough."""
        if account is None or not re.fullmatch(r"\d{12}", account):
            raise pytest.UsageError(
                f"--target aws makes resources that cost money: name the account that may be used, --account "
                f"123456789012 (found {account!r})"
            )
        most = spending.worst(JOBS)
        if limit is None or limit < most:
            raise pytest.UsageError(
                f"--target aws may cost up to ${most:.2f}: say what you allow, --limit {math.ceil(most)} or more "
                f"(found {limit})"
            )
        return cls(account, limit)


@contextmanager
def aws(folder: Path, allowance: Allowance, region: str) -> Iterator[Place]:
    """Deploy the stage into the allowed account and destroy it in the end."""
    if ENDPOINT in os.environ:
        raise pytest.UsageError(f"{ENDPOINT} is set: that is not AWS; unset it")
    operator = Operator(region=region)
    account, arn = operator.identity()
    if account != allowance.account:
        raise pytest.UsageError(f"these credentials are {arn} of account {account}, not of {allowance.account}")
    shared = names.shared_stack(STAGE)
    here = folder / "checkout"
    place = Place(target="aws", folder=here, operator=operator, patience=PATIENCE_SECONDS)
    if _exists(place, shared):
        raise pytest.UsageError(f"{shared} exists in account {account}: destroy it first, or wait for who runs it")
    checkout.made(here, region=region, account=account)
    # tests run without the caller's AWS settings; here they are what is meant
    own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    cdk = Cdk(here, own | {"AWS_REGION": region})
    if (Readiness(operator).bootstrap_version() or 0) < BOOTSTRAP:
        cdk.bootstrap(account, region)
    try:
        cdk.deploy()
        yield place
    finally:
        _stop(place)
        place.command("destroy", "--stage", STAGE, "--yes")


def _exists(place: Place, stack: str) -> bool:
    try:
        place.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        if "does not exist" in str(error):
            return False
        raise
    return True


def _stop(place: Place) -> None:
    """Stop what still runs, so that no job costs anything after the end."""
    if not _exists(place, names.training_stack(STAGE, MODEL)):
        return
    client = place.client("stepfunctions")
    for execution in place.executions():
        if execution["status"] == "RUNNING":
            with suppress(ClientError):  # it ended meanwhile
                client.stop_execution(executionArn=execution["executionArn"], error="Target", cause="end of the tests")
