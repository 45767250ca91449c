"""The whole pipeline -> ONNX by skl2onnx, in the converter's own environment."""

import sys
from pathlib import Path

import joblib
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

folder = Path(sys.argv[2])
pipeline = joblib.load(folder / "pipeline.joblib")
kinds = {"n": FloatTensorType, "c": StringTensorType}
inputs = [(name, kinds[name[0]]([None, 1])) for name in pipeline.feature_names_in_]
model = to_onnx(pipeline, initial_types=inputs, options={"zipmap": False})
(folder / "pipeline.onnx").write_bytes(model.SerializeToString())
