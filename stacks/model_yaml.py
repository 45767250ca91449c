"""models/<name>/model.yaml -> ModelSpec: read, checked, defaults filled in, groups expanded.

`python -m stacks.model_yaml` prints the JSON Schema for editors (models/model.schema.json).
"""

import json
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from lifecycle.families import built_in
from lifecycle.metrics import DEFAULT, MONEY
from lifecycle.schema import Column, Contract, Kind
from lifecycle.serverless import Serverless
from lifecycle.spec import (
    Candidate,
    Decision,
    Gates,
    MetricGate,
    ModelSpec,
    Money,
    Monitoring,
    Objective,
    ReplayGate,
    Retraining,
    Serving,
    SliceGate,
    Split,
    Training,
)
from stacks.candidate_names import family_of
from stacks.column_rules import Rule
from stacks.model_assets import ESTIMATORS, FEATURES
from stacks.model_checks import check, columns_of
from stacks.model_file import CandidateKeys, ModelFile
from stacks.preparation_rules import KEYS, preparation_of, preparations_of
from stacks.rollout_file import rollout_of
from stacks.yaml_file import problems_of, read_yaml, refuse


def read_model(path: Path) -> ModelSpec:
    """Return the spec of a model.yaml and of the Python files beside it.

    Raises SynthesisRefused naming every problem of the file: key, what is allowed, what was found.
    """
    written, problems = problems_of(ModelFile, read_yaml(path))
    if written is None:
        refuse(path, problems)
    if problems := check(written, path.parent):
        refuse(path, problems)
    return _spec(written, path.parent)


def json_schema() -> str:
    """Return the JSON Schema of model.yaml as text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ModelFile.model_json_schema(mode="validation"),
    }
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def _spec(written: ModelFile, folder: Path) -> ModelSpec:
    return ModelSpec(
        model=written.model,
        dataset=written.dataset or written.model,
        contract=_contract(written),
        split=Split(**written.split.model_dump()),
        training=_training(written),
        objective=_objective(written),
        decision=_decision(written),
        gates=_gates(written),
        serving=_serving(written),
        monitoring=Monitoring(**written.monitoring.model_dump()),
        retraining=Retraining(**written.retraining.model_dump()),
        features_sha256=_hash(folder / FEATURES),
        estimators_sha256=_hash(folder / ESTIMATORS),
    )


def _contract(written: ModelFile) -> Contract:
    same = {"task", "target", "positive", "id", "time", "weight", "missing_label", "extra_columns"}
    limits = {"max_invalid_share", "min_rows", "max_age_days"}
    return Contract(
        **{name: getattr(written, name) for name in same | limits},
        columns=tuple(_column(name, rule) for name, rule in columns_of(written).items()),
        derived={name: Kind(rule.kind) for name, rule in written.derived.items()},
    )


def _column(name: str, rule: Rule) -> Column:
    values: dict[str, Any] = rule.model_dump(exclude=KEYS)
    categories = values.pop("categories")
    return Column(name=name, categories=None if categories is None else tuple(categories), **values)


def _training(written: ModelFile) -> Training:
    values = written.training.model_dump()
    objective = _objective(written).metric  # money hangs on a threshold, which the search does not know yet
    values["metric"] = values["metric"] or (DEFAULT[written.task] if objective == MONEY else objective)
    return Training(
        candidates=tuple(_candidate(entry) for entry in _candidates(written)),
        prepare=preparations_of(columns_of(written), written.derived),
        **values,
    )


def _objective(written: ModelFile) -> Objective:
    found = written.objective
    usual = DEFAULT[written.task] if found.money is None else MONEY
    return Objective(
        metric=found.metric or usual,
        money=Money(**found.money.model_dump()) if found.money else None,
    )


def _decision(written: ModelFile) -> Decision:
    """What `decision` says; where it says nothing, the threshold that earns the most, if money is given."""
    given, money = Decision(**written.decision.model_dump()), _objective(written).money
    if money is None or given != Decision():
        return given
    false_positive, false_negative = money.costs
    return Decision(false_positive=false_positive, false_negative=false_negative)


def _candidates(written: ModelFile) -> list[CandidateKeys]:
    if written.candidates is not None:
        return written.candidates
    return [CandidateKeys(family=name) for name in built_in(written.task)]


def _candidate(entry: CandidateKeys) -> Candidate:
    prepare = preparation_of(entry)
    return Candidate(family=family_of(entry), estimator=entry.estimator, search=entry.search, prepare=prepare)


def _gates(written: ModelFile) -> Gates:
    gates = written.gates
    values = gates.model_dump(exclude={"metrics", "slices", "replay"})
    return Gates(
        replay=ReplayGate(**gates.replay.model_dump()) if gates.replay else None,
        metrics=tuple(MetricGate(**gate.model_dump()) for gate in gates.metrics),
        slices=tuple(SliceGate(**gate.model_dump()) for gate in gates.slices),
        **values,
    )


def _serving(written: ModelFile) -> Serving:
    values = written.serving.model_dump(exclude={"rollout"})
    lists = {name: tuple(values[name]) for name in ("jwt_audience", "jwt_scopes")}
    size = Serverless(**values.pop("serverless"))
    return Serving(**{**values, **lists, "serverless": size, "rollout": rollout_of(written.serving.rollout)})


def _hash(path: Path) -> str | None:
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else None


if __name__ == "__main__":
    sys.stdout.write(json_schema())
