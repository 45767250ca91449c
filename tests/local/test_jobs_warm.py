"""A job's `python3 -m module` runs in a fork of the preloaded interpreter and cannot tell, nor can who ends it."""

import io
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.jobs_world import Account, account_in, await_status, channel, training

PROBE = """
import json, os, pathlib, sys
told = {"preloaded": "wave" in sys.modules, "argv": sys.argv[1:], "cwd": os.getcwd(), "name": __name__,
        "first": sys.path[0], "environment": dict(os.environ), "net": os.readlink("/proc/self/ns/net")}
pathlib.Path(sys.argv[1]).write_text(json.dumps(told))
print("said")
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    # a module that nothing else imports shows whether the preloaded interpreter ran
    with account_in(tmp_path, preloaded=("wave", "module_that_does_not_exist")) as made:
        ready(tmp_path / "jobs" / "python" / "warm")
        yield made


def ready(socket: Path) -> None:
    give_up = time.perf_counter() + 20
    while not socket.exists():
        assert time.perf_counter() < give_up
        time.sleep(0.01)


def job(account: Account, program: str, call: str, **more: Any) -> dict[str, Any]:
    """A training job that makes `call` in the folder of `probe.py`."""
    account.put("code/probe.py", program.encode())
    inputs = [channel("code", "s3://bucket/code/")]
    return training(f"cd /opt/ml/input/data/code && {call}", InputDataConfig=inputs, **more)


def told(account: Account) -> dict[str, Any]:
    with tarfile.open(fileobj=io.BytesIO(account.read("out/job/output/model.tar.gz"))) as tar:
        found: dict[str, Any] = json.loads(tar.extractfile("told").read())  # type: ignore[union-attr]
    return found


def test_a_module_finds_its_arguments_folder_environment_and_no_network(account: Account) -> None:
    call = "exec python3 -m probe /opt/ml/model/told 0"
    assert account.run(job(account, PROBE, call, Environment={"GIVEN": "x"}))["TrainingJobStatus"] == "Completed"
    found = told(account)
    assert found["preloaded"] is True
    assert found["name"] == "__main__"
    assert found["first"] == found["cwd"]
    assert found["environment"]["GIVEN"] == "x"
    assert found["net"] != str(Path("/proc/self/ns/net").readlink())
    assert account.log("/aws/sagemaker/TrainingJobs") == ["said"]


def test_the_exit_code_is_the_module_s(account: Account) -> None:
    described = account.run(job(account, PROBE, "python3 -m probe /opt/ml/model/told 5"))
    assert described["FailureReason"] == "AlgorithmError: , exit code: 5"


ENDINGS = """
import atexit, pathlib, sys, threading, time
from concurrent.futures import ThreadPoolExecutor

ending, told = sys.argv[1:]
atexit.register(lambda: print("exit function", pathlib.Path(told).read_text()))
forgotten = open(told, "w")
forgotten.write("unflushed ")
first = threading.Event()

def write(text):
    time.sleep(0.05)
    forgotten.write(text)
    forgotten.flush()

ThreadPoolExecutor(1).submit(lambda: (write("from a pool "), first.set()))
threading.Thread(target=lambda: (first.wait(), write("from a thread"))).start()
print("before the end")
exec(ending)
"""
WAYS = (
    "pass",
    "sys.exit()",
    "sys.exit(7)",
    "sys.exit(-1)",
    "sys.exit(300)",
    "sys.exit('a reason')",
    "sys.exit([])",
    "1 / 0",
    "raise KeyboardInterrupt",
    "atexit.register(lambda: 1 / 0)",
    "sys.stdout.close()",
)


def test_however_a_module_ends_its_exit_code_and_output_are_those_of_the_real_interpreter(account: Account) -> None:
    # the real one runs what is no module
    calls = [f'{call} "{way}" $TMPDIR/told' for way in WAYS for call in ("python3 -m probe", "python3 probe.py")]
    lines = (f'{call} 2> $TMPDIR/error; echo "exit code $?"; tail -n 1 $TMPDIR/error' for call in calls)
    account.put("code/ways.sh", "\n".join(lines).encode())
    account.run(job(account, ENDINGS, "bash ways.sh"))
    said = "".join(f"{line}\n" for line in account.log("/aws/sagemaker/TrainingJobs")).split("before the end\n")[1:]
    found = dict(zip(WAYS, zip(said[::2], said[1::2], strict=True), strict=True))
    assert {way: pair for way, pair in found.items() if pair[0] != pair[1]} == {}
    assert "exit function unflushed from a pool from a thread\nexit code 7" in found["sys.exit(7)"][0]
    assert "a reason" in found["sys.exit('a reason')"][0]


def test_what_a_module_left_in_an_open_file_is_written(account: Account) -> None:
    program = "import sys\nsys.kept = open(sys.argv[1], 'w')\nsys.kept.write('true')"
    account.run(job(account, program, "python3 -m probe /opt/ml/model/told"))
    assert told(account) is True


def test_what_is_no_module_runs_in_the_real_interpreter(account: Account) -> None:
    program = (
        "import sys, pathlib, json; pathlib.Path('/opt/ml/model/told').write_text(json.dumps('wave' in sys.modules))"
    )
    account.train(f'python3 -c "{program}"')
    assert told(account) is False


def test_python_settings_of_the_template_need_the_real_interpreter(account: Account) -> None:
    account.run(job(account, PROBE, "python3 -m probe /opt/ml/model/told 0", Environment={"PYTHONHASHSEED": "1"}))
    assert told(account)["preloaded"] is False


@pytest.mark.parametrize("ignores", [False, True])
def test_stopping_reaches_the_fork(account: Account, ignores: bool) -> None:
    trap = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" if ignores else ""
    program = f"import os, pathlib, time\n{trap}\nprint(os.getpid(), flush=True)\ntime.sleep(1000)"
    account.sagemaker.create_training_job(**job(account, program, "exec python3 -m probe"))
    await_status(account, "job", "Training")
    time.sleep(1.0)
    account.sagemaker.stop_training_job(TrainingJobName="job")
    if ignores:
        assert not account.jobs.finished("TrainingJob", "job").wait(0.3)
        account.clock.advance(121)
    assert account.jobs.finished("TrainingJob", "job").wait(20)
    (process,) = account.log("/aws/sagemaker/TrainingJobs")
    give_up = time.perf_counter() + 5
    while Path(f"/proc/{process}").exists():
        assert time.perf_counter() < give_up, "the fork outlived its job"
        time.sleep(0.01)
