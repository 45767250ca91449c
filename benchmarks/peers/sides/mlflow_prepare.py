"""The pipeline -> a model folder as MLflow's scikit-learn flavour saves it."""

import shutil
import sys
from pathlib import Path

import joblib
import mlflow

folder = Path(sys.argv[2])
shutil.rmtree(folder / "mlflow", ignore_errors=True)
mlflow.sklearn.save_model(
    joblib.load(folder / "pipeline.joblib"),
    str(folder / "mlflow"),
    pyfunc_predict_fn="predict_proba",
    serialization_format="cloudpickle",
)
