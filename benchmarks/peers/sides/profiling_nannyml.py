"""nannyml's univariate drift: KS for numbers, chi-square for categories (reading the file included, no PSI)."""

import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

import nannyml  # noqa: E402
import pandas as pd  # noqa: E402
import profiling_turn as turn  # noqa: E402

nannyml.usage_logging.disable_usage_logging() if hasattr(nannyml, "usage_logging") else None


def prepare(path: Path) -> nannyml.UnivariateDriftCalculator:
    reference = pd.read_parquet(path)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*turn.NUMBERS, *turn.WORDS],
        continuous_methods=["kolmogorov_smirnov"],
        categorical_methods=["chi2"],
        chunk_number=1,
    )
    return calculator.fit(reference)


def measure(path: Path, calculator: nannyml.UnivariateDriftCalculator) -> dict[str, Any]:
    frame = pd.read_parquet(path)
    result = calculator.calculate(frame).filter(period="analysis").to_df()
    return {
        "rows": len(frame),
        "ks": {n: float(result[(n, "kolmogorov_smirnov", "value")].iloc[0]) for n in turn.NUMBERS},
    }


if __name__ == "__main__":
    turn.run(prepare, measure)
