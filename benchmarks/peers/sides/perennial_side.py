"""Perennial: the compiled file and the standard library."""

import json
from pathlib import Path

import turns

from lifecycle.scoring import CompiledModel


def load(folder: Path) -> turns.Answer:
    model = CompiledModel.load((folder / "compiled.json").read_bytes())
    return lambda body: json.dumps([found["probability"] for found in model.score(json.loads(body))]).encode()


turns.run(load)
