"""MLflow: the saved model folder through its general loader, as `mlflow models serve` loads it."""

import json
from pathlib import Path

import mlflow
import pandas as pd
import turns


def load(folder: Path) -> turns.Answer:
    model = mlflow.pyfunc.load_model(str(folder / "mlflow"))
    return lambda body: json.dumps(model.predict(pd.DataFrame(json.loads(body)))[:, 1].tolist()).encode()


turns.run(load)
