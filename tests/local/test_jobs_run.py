"""Training and processing jobs keep the containers' documented contract."""

import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.jobs.memory import used_mb
from local.jobs.quotas import Quotas
from tests.local.jobs_world import Account, account_in, await_status, channel, processing, training


def free_mb() -> int:
    """Memory that this machine has to give, MiB; 0 where nobody can tell."""
    file = Path("/proc/meminfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return sum(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) // 1024


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with account_in(tmp_path) as made:
        yield made


def test_a_job_finds_its_inputs_and_leaves_its_model(account: Account) -> None:
    account.put("in/a.txt", b"first")
    account.put("in/deep/b.txt", b"second")
    account.put("objects/v1", b"third")
    account.put("manifest.json", json.dumps([{"prefix": "s3://bucket/objects/"}, "v1"]).encode())
    script = (
        "cat /opt/ml/input/data/data/a.txt /opt/ml/input/data/data/deep/b.txt /opt/ml/input/data/rows/v1 "
        "> /opt/ml/model/all; cp /opt/ml/input/config/*.json /opt/ml/model/; echo hello; echo oops >&2"
    )
    channels = [channel("data", "s3://bucket/in/"), channel("rows", "s3://bucket/manifest.json", "ManifestFile")]
    described = account.train(script, InputDataConfig=channels, HyperParameters={"depth": "3"})
    assert described["TrainingJobStatus"] == described["SecondaryStatus"] == "Completed"
    assert described["ModelArtifacts"]["S3ModelArtifacts"] == "s3://bucket/out/job/output/model.tar.gz"
    with tarfile.open(fileobj=io.BytesIO(account.read("out/job/output/model.tar.gz"))) as tar:
        files = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    assert files["all"] == b"firstsecondthird"
    assert json.loads(files["hyperparameters.json"]) == {"depth": "3"}
    assert set(json.loads(files["inputdataconfig.json"])) == {"data", "rows"}
    assert json.loads(files["resourceconfig.json"])["current_host"] == "algo-1"
    assert account.log("/aws/sagemaker/TrainingJobs") == ["hello", "oops"]
    passed = [step["Status"] for step in described["SecondaryStatusTransitions"]]
    assert passed == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


def test_a_prefix_names_a_folder_with_or_without_a_slash_and_an_object_by_its_name(account: Account) -> None:
    account.put("in/code/a.txt", b"inside")
    account.put("in/code-2.txt", b"beside")
    account.put("in/single.txt", b"alone")
    channels = [channel("code", "s3://bucket/in/code"), channel("single", "s3://bucket/in/single.txt")]
    script = "cd /opt/ml/input/data && find code single -type f | sort && cat code/a.txt single/single.txt"
    account.train(script, InputDataConfig=channels)
    assert account.log("/aws/sagemaker/TrainingJobs") == [
        "code/a.txt", "code/code-2.txt", "single/single.txt", "insidealone",
    ]  # fmt: skip


def test_start_scripts_of_the_sagemaker_sdk_find_what_they_name_literally(account: Account) -> None:
    account.put("in/sm_drivers/sm_train.sh", b"test -d /opt/ml/input/config && echo started")
    account.put("in/code/run.sh", b"echo /opt/ml")
    channels = [channel("sm_drivers", "s3://bucket/in/sm_drivers"), channel("code", "s3://bucket/in/code")]
    account.train(
        "bash /opt/ml/input/data/sm_drivers/sm_train.sh; bash /opt/ml/input/data/code/run.sh", InputDataConfig=channels
    )
    assert account.log("/aws/sagemaker/TrainingJobs") == ["started", "/opt/ml"]  # other files stay as they are


def test_a_failing_job_says_why_and_leaves_no_model(account: Account) -> None:
    script = "echo half > /opt/ml/model/half; echo 'DatasetRejected: no rows' > /opt/ml/output/failure; exit 3"
    described = account.train(script)
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"] == "AlgorithmError: DatasetRejected: no rows, exit code: 3"
    assert account.keys("out/") == []


def test_a_job_killed_from_inside_reports_a_shell_s_exit_code(account: Account) -> None:
    assert account.train("kill -9 $$")["FailureReason"] == "AlgorithmError: , exit code: 137"


def test_a_prefix_without_objects_fails_the_job(account: Account) -> None:
    described = account.train("true", InputDataConfig=[channel("data", "s3://bucket/nothing/")])
    assert described["FailureReason"].startswith('ClientError: No S3 objects found under S3 URL "s3://bucket/nothing/"')


def test_nothing_of_this_machine_s_environment_reaches_a_job(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_HOST", "1")
    account.train("env > /opt/ml/model/env", Environment={"AT": "/opt/ml/model"})
    with tarfile.open(fileobj=io.BytesIO(account.read("out/job/output/model.tar.gz"))) as tar:
        text = tar.extractfile("env").read().decode()  # type: ignore[union-attr]
    found = dict(line.split("=", 1) for line in text.splitlines())
    assert "SECRET_OF_HOST" not in found
    assert found["AT"].endswith("/opt/ml/model")
    assert str(Path(sys.executable).parent) in found["PATH"].split(":")[:2]


def test_a_job_over_its_time_is_stopped_with_its_children(account: Account) -> None:
    account.sagemaker.create_training_job(
        **training("sleep 1000 & sleep 1000; true", StoppingCondition={"MaxRuntimeInSeconds": 60})
    )
    await_status(account, "job", "Training")
    account.clock.advance(61)
    assert account.jobs.finished("TrainingJob", "job").wait(20)
    described = account.sagemaker.describe_training_job(TrainingJobName="job")
    assert (described["TrainingJobStatus"], described["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_that_ignores_sigterm_is_killed_after_120_seconds(account: Account) -> None:
    account.sagemaker.create_training_job(**training("trap '' TERM; while true; do sleep 0.05; done"))
    await_status(account, "job", "Training")
    time.sleep(0.2)
    account.sagemaker.stop_training_job(TrainingJobName="job")
    assert account.sagemaker.describe_training_job(TrainingJobName="job")["TrainingJobStatus"] == "Stopping"
    assert not account.jobs.finished("TrainingJob", "job").wait(0.3)
    account.clock.advance(121)
    assert account.jobs.finished("TrainingJob", "job").wait(20)
    assert account.sagemaker.describe_training_job(TrainingJobName="job")["TrainingJobStatus"] == "Stopped"


def test_names_are_unique_for_ever(account: Account) -> None:
    account.train("true")
    with pytest.raises(ClientError, match="ResourceInUse"):
        account.sagemaker.create_training_job(**training("true"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"TrainingJobName": "bad_name"}, "regular expression"),
        ({"TrainingJobName": "x" * 64}, "regular expression"),
        ({"HyperParameters": {"k": "v" * 257}}, "256"),
        ({"HyperParameters": {str(n): "" for n in range(101)}}, "100"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/other"}, "Could not assume role"),
        ({"ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m6g.large", "VolumeSizeInGB": 5}}, "enum value"),
        ({"ResourceConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}}, "InstanceCount"),
        ({"EnableManagedSpotTraining": True}, "EnableManagedSpotTraining"),
    ],
)
def test_what_aws_or_the_engine_cannot_run_is_refused(account: Account, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        account.sagemaker.create_training_job(**{**training("true"), **change})


def test_a_processing_job_uploads_its_outputs(account: Account) -> None:
    account.put("in/a", b"1")
    script = "cd /opt/ml/processing/output/e; mkdir x; cp $2/a x/; printf fine > /opt/ml/output/message"
    given = {"S3Uri": "s3://bucket/in/", "LocalPath": "/opt/ml/processing/input/a", "S3DataType": "S3Prefix"}
    inputs = [{"InputName": "a", "S3Input": {**given, "S3InputMode": "File"}}]
    account.sagemaker.create_processing_job(**processing(script, ProcessingInputs=inputs))
    assert account.jobs.finished("ProcessingJob", "job").wait(20)
    described = account.sagemaker.describe_processing_job(ProcessingJobName="job")
    assert (described["ProcessingJobStatus"], described["ExitMessage"]) == ("Completed", "fine")
    assert account.read("eval/x/a") == b"1"


def test_a_failed_processing_job_uploads_nothing_and_says_why(account: Account) -> None:
    script = "echo x > /opt/ml/processing/output/e/f; printf 'ModelRejected: no' > /opt/ml/output/message; exit 1"
    account.sagemaker.create_processing_job(**processing(script))
    assert account.jobs.finished("ProcessingJob", "job").wait(20)
    described = account.sagemaker.describe_processing_job(ProcessingJobName="job")
    assert (described["ProcessingJobStatus"], described["ExitMessage"]) == ("Failed", "ModelRejected: no")
    assert account.keys("eval/") == []


def test_tags_of_any_language_are_taken(account: Account) -> None:
    tags = [{"Key": "perennial:stage", "Value": "größe"}]
    assert account.train("true", Tags=tags)["TrainingJobStatus"] == "Completed"


def test_an_engine_that_ends_kills_its_jobs_and_uploads_nothing(account: Account) -> None:
    script = "echo half > /opt/ml/model/half; trap '' TERM; while true; do sleep 0.05; done"
    account.sagemaker.create_training_job(**training(script))
    await_status(account, "job", "Training")
    account.jobs.close()
    described = account.sagemaker.describe_training_job(TrainingJobName="job")
    assert described["TrainingJobStatus"] == "Failed"
    assert account.keys("out/") == []


def test_an_object_that_leaves_its_channel_fails_the_job(account: Account) -> None:
    account.put("in/../../evil", b"x")
    described = account.train("true", InputDataConfig=[channel("data", "s3://bucket/in/")])
    assert "leaves its channel" in described["FailureReason"]


def test_jobs_are_listed_newest_first(account: Account) -> None:
    account.train("true", "first")
    account.train("false", "second")
    summaries = account.sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in summaries] == ["second", "first"]


def test_a_job_beyond_the_accounts_quota_is_refused_until_another_is_over(account: Account) -> None:
    account.dispatch.guard(Quotas({"ml.m5.large": 1, "ml.p3.2xlarge": 0}, account.jobs.running))
    account.sagemaker.create_training_job(**training("sleep 60", "first"))
    with pytest.raises(ClientError, match=r"LimitExceeded.*'ml\.m5\.large for training job usage' is 1 Instances"):
        account.sagemaker.create_training_job(**training("true", "second"))
    none = {"InstanceCount": 1, "InstanceType": "ml.p3.2xlarge", "VolumeSizeInGB": 5}
    with pytest.raises(ClientError, match="is 0 Instances, with current utilization of 0 Instances"):
        account.sagemaker.create_training_job(**training("true", "third", ResourceConfig=none))
    account.sagemaker.stop_training_job(TrainingJobName="first")
    assert account.jobs.finished("TrainingJob", "first").wait(30)
    assert account.train("true", "second")["TrainingJobStatus"] == "Completed"


EATER = "python3 -c \"import time; kept = [b'x' * (100 << 20) for _ in range(46)]; time.sleep(20)\""


@pytest.mark.skipif(free_mb() < 8_000, reason="a job eats the 4 GiB of the smallest instance")
def test_a_job_that_outgrows_its_instance_fails_in_sagemakers_words_and_the_next_one_runs(account: Account) -> None:
    small = {"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1}
    described = account.train(EATER, "eater", ResourceConfig=small)
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("ClientError: Please use an instance type with more memory")
    assert account.train("true", "next")["TrainingJobStatus"] == "Completed"


def test_a_jobs_memory_is_that_of_the_processes_at_work_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "eater.py").write_text(
        "import time\nkept = b'x' * (300 << 20)\nprint('full', flush=True)\ntime.sleep(9)\n"
    )
    with subprocess.Popen([sys.executable, "eater.py"], cwd=tmp_path, stdout=subprocess.PIPE) as eater:
        assert eater.stdout is not None
        eater.stdout.readline()
        assert 300 <= used_mb(tmp_path) <= 400
        assert used_mb(tmp_path / "elsewhere") == 0
        eater.kill()
