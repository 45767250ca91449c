"""onnxruntime: the whole pipeline, converted by onnx_prepare.py."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import turns


def load(folder: Path) -> turns.Answer:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "pipeline.onnx", options, providers=["CPUExecutionProvider"])
    kinds = {one.name: np.float32 if one.name[0] == "n" else np.str_ for one in session.get_inputs()}

    def answer(body: bytes) -> bytes:
        rows = json.loads(body)
        given = {name: np.array([[row[name]] for row in rows], dtype=kind) for name, kind in kinds.items()}
        return json.dumps(session.run(None, given)[1][:, 1].tolist()).encode()

    return answer


turns.run(load)
