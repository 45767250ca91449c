"""Tables that the example never saw, each from a file to predictions over HTTPS, with nothing but `perennial new`."""

import pytest

from cli.ask import rows_of
from lifecycle.spec import ModelSpec, Task
from tests import tables
from tests.e2e.conftest import Lab, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def uploaded(lab: Lab) -> None:
    """All tables at once: the engine takes them through side by side."""
    for name in tables.MAKERS:
        lab.upload(name, f"{name}.csv", (lab.root / "tables" / f"{name}.csv").read_bytes())


@pytest.mark.parametrize("name", list(tables.MAKERS))
def test_a_table_becomes_predictions(lab: Lab, name: str) -> None:
    wait_until(lambda: lab.live_version(name), f"live model of {name}", seen=lambda: lab.story(name))
    spec = next(
        ModelSpec.from_bytes(p.read_bytes()) for p in lab.root.glob("build/assets/*/spec-*.json") if _is(p, name)
    )
    rows, labels = rows_of(lab.root / "tables" / f"{name}.csv", spec.contract, 200)
    answer = lab.predict(name, rows)
    assert answer.status == 200, answer.body
    predictions = answer.body["predictions"]
    assert len(predictions) == len(rows)
    if spec.contract.task is Task.REGRESSION:
        truth = [float(label) for label in labels]
        mean = sum(truth) / len(truth)
        error = sum((p["value"] - t) ** 2 for p, t in zip(predictions, truth, strict=True))
        assert error < 0.5 * sum((mean - t) ** 2 for t in truth)
    elif spec.contract.task is Task.MULTICLASS:
        right = sum(p["decision"] == label for p, label in zip(predictions, labels, strict=True))
        assert right / len(labels) > 0.6
    else:
        positive = [p["probability"] for p, t in zip(predictions, labels, strict=True) if t == spec.contract.positive]
        negative = [p["probability"] for p, t in zip(predictions, labels, strict=True) if t != spec.contract.positive]
        assert positive
        assert sum(positive) / len(positive) > sum(negative) / len(negative)


def _is(path: object, name: str) -> bool:
    return ModelSpec.from_bytes(path.read_bytes()).model == name  # type: ignore[attr-defined]
