"""BentoML: a service class around the same pipeline, called in process (its HTTP server comes on top)."""

import json
import sys
from pathlib import Path

import bentoml
import joblib
import pandas as pd
import turns


@bentoml.service
class Scorer:
    def __init__(self) -> None:
        self.pipeline = joblib.load(Path(sys.argv[2]) / "pipeline.joblib")

    @bentoml.api
    def predict(self, rows: list[dict]) -> list[float]:
        return self.pipeline.predict_proba(pd.DataFrame(rows))[:, 1].tolist()


def load(_folder: Path) -> turns.Answer:
    scorer = Scorer()
    return lambda body: json.dumps(scorer.predict(rows=json.loads(body))).encode()


turns.run(load)
