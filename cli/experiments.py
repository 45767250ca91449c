"""One family with given hyperparameters -> a training job as the model's runs start theirs, through `ModelTrainer`."""

import io
import json
import os
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cli import engine, output
from cli.follow import Board
from cli.local_environment import OTHERS, environment_of
from cli.target import Target
from cloud.objects import Bucket
from cloud.training_jobs import request_of
from lifecycle import families, keys, names
from lifecycle.spec import ModelSpec

PYTHON: Final = Path("build/sagemaker/bin/python")
SUBMISSION: Final = Path(__file__).with_name("model_trainer.py")
SETTINGS: Final = Path(__file__).with_name("sagemaker.yaml")
VALUE_LENGTH: Final = 256  # API reference, CreateTrainingJob: of a hyperparameter
_SAID: Final = 2000  # of what the SDK says when it fails


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is tried. `parameters` None: a search, as a run makes it."""

    model: str
    family: str
    version: str
    parameters: Mapping[str, Any] | None


def need_sdk() -> None:
    """End the command when the SageMaker SDK's environment has not been made."""
    if not PYTHON.exists():
        output.fail(
            "an experiment is submitted by the SageMaker Python SDK, which has an environment of its own (1 GB). Make "
            "it once: make sagemaker",
            output.EXIT_USAGE,
        )


def submit(target: Target, experiment: Experiment, board: Board) -> str:
    """Start the training job with the code of this checkout and return its name; ends the command when it cannot."""
    engine.synthesize(target.stage, board)
    code = _code(target.stage, experiment.model)
    spec = ModelSpec.find(code)
    known = [candidate.family for candidate in families.candidates(spec)]
    if experiment.family not in known:
        output.fail(f"{experiment.model} has no family {experiment.family!r}; its candidates: {', '.join(known)}")
    told = {"run_id": f"{experiment.model}-experiment", "family": experiment.family, "version": experiment.version}
    told["spec_id"] = spec.spec_id
    if experiment.parameters is not None:
        told["parameters"] = json.dumps(dict(experiment.parameters))
        if len(told["parameters"]) > VALUE_LENGTH:
            output.fail(f"the values of --set are longer than {VALUE_LENGTH} characters; leave out what is the default")
    with board.doing("submit the training job through ModelTrainer"):
        return _submitted(target, _plan(target, experiment, spec.dataset, code, told))


def result(target: Target, artifact: str) -> dict[str, Any]:
    """Return what a job left: its family's facts, and all trials under `trials`."""
    bucket, _, key = artifact.removeprefix("s3://").partition("/")
    archive = Bucket(target.client("s3"), bucket).need(key)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        by_name = {member.name.removeprefix("./"): member for member in tar.getmembers()}
        family, trials = (json.load(_file(tar, by_name[name])) for name in ("family.json", "trials.json"))
    return {**family, "trials": trials}


def _file(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    found = tar.extractfile(member)
    assert found is not None, f"{member.name} is no file"
    return found


def _code(stage: str, model: str) -> Path:
    """Return the job code that was just synthesized for a model."""
    manifest = engine.ASSEMBLY / f"{names.training_stack(stage, model)}.assets.json"
    if not manifest.exists():
        output.fail(f"this checkout has no model {model!r} (models/{model}/model.yaml)", output.EXIT_USAGE)
    for file in json.loads(manifest.read_text())["files"].values():
        folder = engine.ASSEMBLY / str(file["source"].get("path"))
        if (folder / "training" / "train.py").exists():
            return folder
    raise FileNotFoundError(f"{manifest} names no folder with training/train.py")


def _plan(target: Target, experiment: Experiment, dataset: str, code: Path, told: Mapping[str, str]) -> dict[str, Any]:
    """What `model_trainer.py` needs: all of it as the model's state machine has it, but code, output and name."""
    machine = target.training(experiment.model)[names.OUTPUT_TRAINING_MACHINE]
    request = request_of(target.client("stepfunctions"), machine)
    shared = target.shared()
    data = Bucket(target.client("s3"), shared[names.OUTPUT_DATA_BUCKET])
    channels = {channel["ChannelName"]: channel["DataSource"]["S3DataSource"] for channel in request["InputDataConfig"]}
    return {
        "bucket": shared[names.OUTPUT_ARTIFACT_BUCKET],
        "prefix": keys.experiments(experiment.model),
        "name": f"{experiment.model}-x-{experiment.family}"[: names.JOB_NAME_LENGTH - 20].rstrip("-"),
        "code": str(code),
        "hyperparameters": dict(told),
        "wheels": channels["wheels"]["S3Uri"],
        "data": data.uri(keys.channel(dataset, experiment.version)),
        "manifest": data.uri(keys.manifest(dataset, experiment.version)),
        "image": request["AlgorithmSpecification"]["TrainingImage"],
        "role": request["RoleArn"],
        "key": request["OutputDataConfig"]["KmsKeyId"],
        "instance_type": request["ResourceConfig"]["InstanceType"],
        "volume_gb": request["ResourceConfig"]["VolumeSizeInGB"],
        "max_seconds": request["StoppingCondition"]["MaxRuntimeInSeconds"],
        "tags": {tag["Key"]: tag["Value"] for tag in request["Tags"]},
    }


def _submitted(target: Target, plan: Mapping[str, Any]) -> str:
    ran = subprocess.run(
        [str(PYTHON), "-W", "ignore", str(SUBMISSION)],
        input=json.dumps(plan),
        env=_environment(target),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        output.fail(f"the SageMaker SDK could not submit the job:\n{(ran.stderr or ran.stdout).strip()[-_SAID:]}")
    return str(json.loads(ran.stdout.splitlines()[-1])["job"])


def _environment(target: Target) -> dict[str, str]:
    """The caller's environment: telemetry off, and no check of the role by the SDK.

    Its check simulates a few wide actions without the conditions and resources that a narrow role names, and refuses
    every narrow role. CreateTrainingJob itself refuses a role that SageMaker may not assume.
    """
    kept = {name: value for name, value in os.environ.items() if not (target.is_local and name in OTHERS)}
    own = {"SAGEMAKER_USER_CONFIG_OVERRIDE": str(SETTINGS), "SAGEMAKER_VALIDATE_ROLE": "false"}
    where = {"AWS_REGION": target.operator.region, "AWS_DEFAULT_REGION": target.operator.region}
    if target.operator.endpoint is not None:
        where["AWS_ENDPOINT_URL"] = target.operator.endpoint
    return kept | where | (environment_of(target.engine) if target.engine is not None else {}) | own
