"""scikit-learn + pandas: the pipeline over a data frame, unpickled."""

import json
from pathlib import Path

import joblib
import pandas as pd
import turns


def load(folder: Path) -> turns.Answer:
    pipeline = joblib.load(folder / "pipeline.joblib")
    return lambda body: json.dumps(pipeline.predict_proba(pd.DataFrame(json.loads(body)))[:, 1].tolist()).encode()


turns.run(load)
