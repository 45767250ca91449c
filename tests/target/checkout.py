"""The checkout that is deployed: this one's code, one stage and one small model, made by `perennial new`."""

import re
from pathlib import Path

from tests.e2e.conftest import checkout, perennial, rows_as_csv
from tests.target.place import MODEL, STAGE


def made(folder: Path, *, region: str = "us-east-1", account: str | None = None) -> Path:
    """Make `folder` the checkout; `account` pins the stage to an account."""
    checkout(folder)
    pinned = f', account: "{account}"' if account else ""
    (folder / "stages.yaml").write_text(
        f"{STAGE}: {{region: {region}{pinned}, removal: destroy, approval: auto}}\n", encoding="utf-8"
    )
    table = folder / "tables" / f"{MODEL}.csv"
    table.write_bytes(rows_as_csv(600, 1))
    perennial(folder, "new", MODEL, "--from", str(table), "--target", "y")
    file = folder / "models" / MODEL / "model.yaml"
    text = re.sub(r"(?m)^(candidates|serving|training): .*\n?", "", file.read_text())
    # one family in one job of minutes, live at once: what costs time costs money on AWS
    file.write_text(
        f"{text}\ncandidates: [logistic-regression]\ntraining: {{trials: 2, max_minutes: 15}}\n"
        "serving: {auth: iam, rollout: all-at-once}\n"
    )
    return folder
