"""A plan on standard input -> a training job by the SageMaker SDK's `ModelTrainer`; its name on standard output.

Run by `cli.experiments` in the SDK's own environment (build/sagemaker), never imported: nothing else of this project
is there.
"""

import json
import sys
from typing import Any

from sagemaker.core.helper.session_helper import Session
from sagemaker.core.shapes import Channel, DataSource, OutputDataConfig, S3DataSource
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, Networking, SourceCode, StoppingCondition, Tag

COMMAND = "python3 -m training.train --root /opt/ml"


def trainer_of(plan: dict[str, Any]) -> ModelTrainer:
    """Return the trainer of a plan; its keys are those of `cli.experiments`."""
    # with a bucket given the session asks STS nothing: it would ask AWS itself, whatever endpoint is configured
    return ModelTrainer(
        sagemaker_session=Session(default_bucket=plan["bucket"]),
        role=plan["role"],
        base_job_name=plan["name"],
        input_s3_key_prefix=plan["prefix"].rstrip("/"),
        training_image=plan["image"],
        source_code=SourceCode(source_dir=plan["code"], command=COMMAND, ignore_patterns=["__pycache__"]),
        compute=Compute(instance_type=plan["instance_type"], instance_count=1, volume_size_in_gb=plan["volume_gb"]),
        networking=Networking(enable_network_isolation=True),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=plan["max_seconds"]),
        output_data_config=OutputDataConfig(
            s3_output_path=f"s3://{plan['bucket']}/{plan['prefix']}", kms_key_id=plan["key"]
        ),
        input_data_config=[
            channel("wheels", plan["wheels"], "S3Prefix"),
            channel("data", plan["data"], "ManifestFile"),
            channel("manifest", plan["manifest"], "S3Prefix"),
        ],
        hyperparameters=plan["hyperparameters"],
        tags=[Tag(key=name, value=value) for name, value in plan["tags"].items()],
    )


def channel(name: str, uri: str, kind: str) -> Channel:
    """Return an input channel of objects that lie in S3 already."""
    source = S3DataSource(s3_data_type=kind, s3_uri=uri, s3_data_distribution_type="FullyReplicated")
    return Channel(channel_name=name, data_source=DataSource(s3_data_source=source), input_mode="File")


def main() -> None:
    """Submit the plan on standard input; the last line of standard output is `{"job": name}`."""
    trainer = trainer_of(json.load(sys.stdin))
    trainer.train(wait=False, logs=False)
    job = trainer._latest_training_job  # the SDK's own examples name it so; there is no public one
    sys.stdout.write(json.dumps({"job": job.training_job_name}) + "\n")


if __name__ == "__main__":
    main()
