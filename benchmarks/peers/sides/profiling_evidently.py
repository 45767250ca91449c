"""evidently's data drift preset with PSI for every column (reading the file included, no checks)."""

import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402
import profiling_turn as turn  # noqa: E402
from evidently import DataDefinition, Dataset, Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402

DEFINITION = DataDefinition(numerical_columns=turn.NUMBERS, categorical_columns=list(turn.WORDS))


def prepare(path: Path) -> Dataset:
    return Dataset.from_pandas(pd.read_parquet(path), data_definition=DEFINITION)


def measure(path: Path, reference: Dataset) -> dict[str, Any]:
    frame = pd.read_parquet(path)
    window = Dataset.from_pandas(frame, data_definition=DEFINITION)
    report = Report([DataDriftPreset(method="psi")]).run(window, reference).dict()
    assert report["metrics"]
    return {"rows": len(frame)}


if __name__ == "__main__":
    turn.run(prepare, measure)
