"""The models of a simulation, read as files: what the first run made, and what is live now."""

from pathlib import Path

from cli import output
from cli.target import Target
from cloud.functions import Functions
from cloud.objects import Bucket
from lifecycle import keys, live, names
from lifecycle.scoring import CompiledModel


class Models:
    """Compiled models of one model of a stage; each is read once."""

    def __init__(self, target: Target, model: str) -> None:
        self._model = model
        self._artifacts = Bucket(target.client("s3"), target.shared()[names.OUTPUT_ARTIFACT_BUCKET])
        self._functions = Functions(target.client("lambda"))
        self._predict = names.predict_function(target.stage, model)
        self._read: dict[str, CompiledModel] = {}

    def first(self) -> CompiledModel:
        """Return what the first run made. Ends the command when an endpoint serves it: that cannot be kept."""
        runs = sorted(self._artifacts.folders(keys.runs(self._model)))
        found = self._of_run(runs[0].rstrip("/").rsplit("/", 1)[-1])
        if found.remote:
            output.fail(f"{self._model} is served by an endpoint; only a compiled model can be kept as it was")
        return found

    def live(self) -> CompiledModel | None:
        """Return the model that the alias names; None before the first, and when an endpoint serves it."""
        alias = self._functions.alias(self._predict, names.LIVE)
        said = live.parse(alias.description) if alias else None
        found = self._of_run(said.run_id) if said else None
        return None if found is None or found.remote else found

    def _of_run(self, run: str) -> CompiledModel:
        if run not in self._read:
            body = self._artifacts.need(keys.run(self._model, run, "evaluation", "compiled.json"))
            self._read[run] = CompiledModel.load(body, Path("models") / self._model)
        return self._read[run]
