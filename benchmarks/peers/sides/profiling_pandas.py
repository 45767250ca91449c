"""pandas and scipy: all three statistics, KS exact, and the same checks."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import profiling_turn as turn
from scipy.stats import chi2_contingency, ks_2samp


def measure(path: Path, reference: pd.DataFrame) -> dict[str, Any]:
    frame = pd.read_parquet(path)
    found: dict[str, Any] = {"psi": {}, "ks": {}, "chi2": {}, "rows": len(frame)}
    bad = 0
    for name in turn.NUMBERS:
        before, after = reference[name].dropna().to_numpy(), frame[name].dropna().to_numpy()
        bad += int(((after < turn.LOW) | (after > turn.HIGH)).sum())
        edges = np.quantile(before, turn.QUANTILES)
        histograms = [np.bincount(np.searchsorted(edges, side), minlength=10) for side in (before, after)]
        found["psi"][name] = turn.psi(*(histogram.tolist() for histogram in histograms))
        found["ks"][name] = float(ks_2samp(before, after, method="asymp").statistic)
    for name, values in turn.WORDS.items():
        bad += int((~frame[name].isin(values)).sum())
        sides = [side[name].value_counts().reindex(values, fill_value=0).to_numpy() for side in (reference, frame)]
        found["psi"][name] = turn.psi(*(side.tolist() for side in sides))
        found["chi2"][name] = float(chi2_contingency(np.array(sides), correction=False).statistic)
    return {**found, "bad_rows": bad}


if __name__ == "__main__":
    turn.run(pd.read_parquet, measure)
