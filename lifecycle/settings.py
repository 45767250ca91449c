"""Environment variables of the functions: the stack writes them, the function reads them, no name is typed twice.

One frozen class per function that needs any. `to_env` runs at synth (values may be CDK tokens, hence only `str` and
literal `int` fields); `from_env` runs in the function and reports every missing variable at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from lifecycle.errors import MissingSetting


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Base of all settings: `stage` names the stage in events, tags and ledger entries."""

    stage: str

    def to_env(self) -> dict[str, str]:
        """Return the environment variables, upper case field names."""
        return {entry.name.upper(): str(getattr(self, entry.name)) for entry in fields(self)}

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings.

        Raises
        ------
        MissingSetting
            when one or more variables are absent or an integer one is not a number; the message names all of them.
        """
        values: dict[str, str | int] = {}
        wrong = []
        for entry in fields(cls):
            text = environment.get(entry.name.upper())
            if text is None:
                wrong.append(f"{entry.name.upper()} is missing")
            elif entry.type in (int, "int"):
                try:
                    values[entry.name] = int(text)
                except ValueError:
                    wrong.append(f"{entry.name.upper()} must be a whole number, got {text!r}")
            else:
                values[entry.name] = text
        if wrong:
            raise MissingSetting(f"{cls.__name__}: {'; '.join(wrong)}. The stack sets them: deploy it again.")
        return cls(**values)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True, slots=True)
class CutVersion(Settings):
    """lambdas/cut_version.py (stage-wide)."""

    data_bucket: str
    claims_table: str
    ledger_writer: str
    settle_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordEvent(Settings):
    """lambdas/record_event.py (stage-wide): the only writer of the ledger."""

    ledger_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DescribeApi(Settings):
    """lambdas/describe_api.py (stage-wide)."""

    api_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Run(Settings):
    """start_run, profile_objects, validate_version, register_model and close_run (one set per model)."""

    model: str
    spec_id: str
    data_bucket: str
    artifact_bucket: str
    claims_table: str
    ledger_writer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StartRun(Run):
    """lambdas/start_run.py: also names what the run is made of, for its record."""

    code_asset: str
    lock_sha256: str
    image: str
    package_group: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterModel(Run):
    """lambdas/register_model.py."""

    package_group: str
    image: str
    approval: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CloseRun(Run):
    """lambdas/close_run.py: starts the data version that waited."""

    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Deploy(Settings):
    """Every step of a deployment, its closer and roll_back (one set per model)."""

    model: str
    artifact_bucket: str
    claims_table: str
    ledger_writer: str
    package_group: str
    predict_function: str
    asset_bucket: str
    asset_key: str
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishModel(Deploy):
    """lambdas/publish_model.py: also makes the endpoint of a model that Lambda cannot score."""

    image: str
    endpoint_role: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeRollout(Deploy):
    """lambdas/judge_rollout.py: also reads the prediction log."""

    data_bucket: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeLive(Deploy):
    """lambdas/judge_live.py: also reads the prediction log and the labels, and may move the alias."""

    data_bucket: str
    labels_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordFeedback(Settings):
    """lambdas/record_feedback.py (one per model)."""

    model: str
    data_bucket: str
    artifact_bucket: str
    labels_table: str
    predict_function: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadFeedback(RecordFeedback):
    """lambdas/read_feedback.py (one per model): also tells of files that it cannot read."""

    ledger_writer: str
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Retrain(Settings):
    """lambdas/decide_retraining.py (one per model); `training_machine` is the ARN of the machine that it starts."""

    model: str
    spec_id: str
    data_bucket: str
    artifact_bucket: str
    labels_table: str
    claims_table: str
    ledger_writer: str
    training_machine: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Monitor(Settings):
    """lambdas/monitor_model.py (one per model)."""

    model: str
    spec_id: str
    data_bucket: str
    artifact_bucket: str
    labels_table: str
    claims_table: str
    ledger_writer: str
    predict_function: str
    topic: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Predict(Settings):
    """lambdas/predict.py (one per model)."""

    model: str
