"""Functions of the laptop engine, through a client, on real workers."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.functions.pool import CONCURRENCY
from tests.local.functions_world import Lambda, eventually, package, refused, running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Lambda]:
    yield from running(tmp_path)


def test_a_function_answers_with_what_its_handler_returns(engine: Lambda) -> None:
    engine.create()
    payload, answer = engine.invoke({"a": [1, "x"]})
    assert payload == {"a": [1, "x"]}
    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer


def test_a_worker_is_kept_warm_for_the_next_invocation(engine: Lambda) -> None:
    engine.create("import os\ndef handler(event, context):\n    return os.getpid()\n")
    assert engine.invoke()[0] == engine.invoke()[0]


def test_a_function_sees_its_own_environment_and_nothing_of_this_machine(engine: Lambda) -> None:
    engine.create(
        "import os\ndef handler(event, context):\n    return dict(os.environ)\n",
        Environment={"Variables": {"STAGE": "dev"}},
        MemorySize=256,
    )
    seen, _ = engine.invoke()
    assert seen["STAGE"] == "dev"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "us-east-1"
    assert seen["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    foreign = {name for name in seen if not name.startswith(("AWS_", "LAMBDA_", "_"))}
    assert foreign <= {"STAGE", "PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG", "LC_CTYPE", "TZ", "TMPDIR"}


def test_the_clock_of_the_engine_is_the_clock_of_the_function(engine: Lambda) -> None:
    engine.create("import time, datetime\ndef handler(e, c):\n    return [time.time(), datetime.datetime.now().year]\n")
    assert abs(engine.invoke()[0][0] - engine.clock.now()) < 2
    engine.clock.advance(400 * 86_400)
    seen, year = engine.invoke()[0]
    assert abs(seen - engine.clock.now()) < 2
    assert year == time.gmtime(engine.clock.now()).tm_year
    engine.clock.advance(86_400)
    assert abs(engine.invoke()[0][0] - engine.clock.now()) < 2


def test_remaining_time_and_arn_are_those_of_the_invocation(engine: Lambda) -> None:
    engine.create(
        "def handler(e, c):\n"
        "    return [c.get_remaining_time_in_millis(), c.invoked_function_arn, c.function_version]\n",
        Timeout=20,
    )
    engine.clock.advance(5000)
    remaining, arn, version = engine.invoke()[0]
    assert 15_000 < remaining <= 20_100  # a busy machine reads the two clocks some milliseconds apart
    assert arn == "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert version == "$LATEST"


def test_an_exception_keeps_its_class_name_and_the_worker_lives_on(engine: Lambda) -> None:
    engine.create(
        "import os\nclass NotReady(Exception): pass\n"
        "def handler(e, c):\n    if e: raise NotReady('wait')\n    return os.getpid()\n"
    )
    pid = engine.invoke(0)[0]
    payload, answer = engine.invoke(1)
    assert answer["FunctionError"] == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("NotReady", "wait")
    assert payload["stackTrace"]
    assert engine.invoke(0)[0] == pid


def test_a_function_that_takes_too_long_is_killed_with_its_children(engine: Lambda, tmp_path: Path) -> None:
    engine.create(
        "import subprocess, time\n"
        "def handler(e, c):\n    if e:\n        child = subprocess.Popen(['sleep', '60'])\n"
        f"        open('{tmp_path}/child', 'w').write(str(child.pid))\n        time.sleep(60)\n    return 'fine'\n",
        Timeout=1,
    )
    payload, answer = engine.invoke(1)
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    child = Path("/proc") / (tmp_path / "child").read_text()
    assert eventually(lambda: not child.exists() or " Z " in (child / "stat").read_text())
    assert engine.invoke(0)[0] == "fine"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_crash_is_an_exit_error(engine: Lambda, body: str, message: str) -> None:
    engine.create(f"import os\ndef handler(e, c):\n    if e: {body}\n    return 'fine'\n")
    payload, answer = engine.invoke(1)
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.ExitError"
    assert payload["errorMessage"].endswith(message)
    assert engine.invoke(0)[0] == "fine"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("import nothing_like_this", "Runtime.ImportModuleError"),
        ("def other(): pass", "Runtime.HandlerNotFound"),
        ("def broken(:", "Runtime.UserCodeSyntaxError"),
        ("raise ValueError('no')", "ValueError"),
    ],
)
def test_a_function_that_cannot_start_says_why(engine: Lambda, code: str, kind: str) -> None:
    engine.create(code)
    payload, answer = engine.invoke()
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == kind


def test_a_function_that_hangs_at_its_start_times_out(engine: Lambda, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.functions.worker.INIT_SECONDS", 0.5)
    engine.create("import time\ntime.sleep(60)\ndef handler(e, c): pass\n", Timeout=1)
    payload, answer = engine.invoke()
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Sandbox.Timedout"
    assert payload["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured through procfs")
def test_a_function_that_outgrows_its_memory_is_killed(engine: Lambda) -> None:
    engine.create("import time\ndef handler(e, c):\n    block = b'x' * (300 << 20)\n    time.sleep(5)\n", Timeout=10)
    payload, _ = engine.invoke()
    assert payload["errorType"] == "Runtime.OutOfMemory"
    assert payload["errorMessage"].endswith("Runtime exited with error: signal: killed")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured through procfs")
@pytest.mark.parametrize("keep", ["grow()", "KEPT or grow()"])
def test_what_a_function_keeps_counts_however_quickly_it_answers(engine: Lambda, keep: str) -> None:
    grow = "KEPT = []\ndef grow():\n    KEPT.append(b'x' * (140 << 20))\n"
    at_import = "" if keep == "grow()" else "grow()\n"
    engine.create(f"{grow}{at_import}def handler(e, c):\n    {keep}\n    return 1\n")
    payload, answer = engine.invoke()
    assert answer["FunctionError"] == "Unhandled"
    assert payload["errorType"] == "Runtime.OutOfMemory"


def test_payload_limits_are_those_of_lambda(engine: Lambda) -> None:
    engine.create("def handler(e, c):\n    return 'x' * e if isinstance(e, int) else len(e)\n", MemorySize=512)
    assert engine.invoke("x" * 6_000_000)[0] == 6_000_000
    assert refused(engine.invoke, event="x" * 6_291_456) == "RequestEntityTooLargeException"
    event = {"event": "x" * 1_048_576, "InvocationType": "Event"}
    assert refused(engine.invoke, **event) == "RequestEntityTooLargeException"
    assert engine.invoke(6_291_550)[1].get("FunctionError") is None
    assert engine.invoke(6_291_560)[0]["errorType"] == "Function.ResponseSizeTooLarge"
    assert refused(engine.client.invoke, FunctionName="f", Payload=b"{") == "InvalidRequestContentException"


def test_code_wins_over_layers_and_layers_over_the_runtime(engine: Lambda) -> None:
    layer = package(python__first="NAME = 'layer'", python__second="NAME = 'layer'", python__six="NAME = 'layer'")
    newer = package(python__second="NAME = 'newer'")
    arns = [
        engine.client.publish_layer_version(LayerName="deps", Content={"ZipFile": content})["LayerVersionArn"]
        for content in (layer, newer)
    ]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == ["1", "2"]
    files = {
        "code": "import first, second, six\ndef handler(e, c):\n    return [first.NAME, second.NAME, six.NAME]\n",
        "first": "NAME = 'code'",
    }
    engine.create(Code={"ZipFile": package(**files)}, Layers=arns)
    assert engine.invoke()[0] == ["code", "newer", "layer"]


def test_invocations_at_the_same_time_have_workers_of_their_own_up_to_the_limit(engine: Lambda) -> None:
    engine.create("import os, time\ndef handler(e, c):\n    time.sleep(1.5)\n    return os.getpid()\n", Timeout=30)
    answers: list[Any] = []

    def call() -> None:
        try:
            answers.append(engine.invoke()[0])
        except ClientError as error:
            answers.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=call) for _ in range(CONCURRENCY + 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    pids = [answer for answer in answers if isinstance(answer, int)]
    assert len(set(pids)) == len(pids) == CONCURRENCY
    assert answers.count("TooManyRequestsException") == 2


def test_output_reaches_the_log_group(engine: Lambda) -> None:
    logs = engine.clients.client("logs")
    logs.create_log_group(logGroupName="mine")
    engine.create(
        "import sys\ndef handler(e, c):\n    print('one\\ntwo')\n    print('err', file=sys.stderr)\n    return 1\n",
        LoggingConfig={"LogFormat": "Text", "LogGroup": "mine"},
    )
    engine.clock.advance(3600)
    engine.invoke()
    found = eventually(lambda: logs.filter_log_events(logGroupName="mine")["events"])
    tail = [event["message"] for event in found]
    assert tail[0].startswith("START RequestId: ")
    assert tail[1:4] == ["one\n", "two\n", "err\n"]
    assert tail[4].startswith("END RequestId: ")
    assert tail[5].startswith("REPORT RequestId: ")
    assert "Init Duration" in tail[5]
    assert abs(found[0]["timestamp"] / 1000 - engine.clock.now()) < 10


def test_an_event_is_retried_twice_and_then_handed_to_its_destination(engine: Lambda, tmp_path: Path) -> None:
    sqs = engine.clients.client("sqs")
    url = sqs.create_queue(QueueName="lost")["QueueUrl"]
    engine.create(f"def handler(e, c):\n    open('{tmp_path}/calls', 'a').write(c.aws_request_id + ' ')\n    1 / e\n")
    engine.client.put_function_event_invoke_config(
        FunctionName="f",
        Qualifier="$LATEST",
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:lost"}},
    )
    assert engine.invoke(0, InvocationType="Event")[1]["StatusCode"] == 202
    calls = tmp_path / "calls"
    for attempt in (1, 2, 3):
        assert eventually(lambda n=attempt: calls.exists() and len(calls.read_text().split()) == n)
        time.sleep(0.1)
        engine.clock.advance(125)
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=url).get("Messages"))
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"] == 0
    assert record["responsePayload"]["errorType"] == "ZeroDivisionError"
    assert len(set(calls.read_text().split())) == 1


def test_a_worker_frozen_after_its_answer_does_nothing_until_the_next_invocation(engine: Lambda) -> None:
    engine.create(
        "import threading, time\ncount = [0]\n"
        "def run():\n    while True:\n        count[0] += 1\n        time.sleep(0.01)\n"
        "threading.Thread(target=run, daemon=True).start()\n"
        "def handler(e, c):\n    return count[0]\n"
    )
    first = engine.invoke()[0]
    time.sleep(0.5)
    assert engine.invoke()[0] - first < 20


def test_closing_ends_every_worker(engine: Lambda) -> None:
    engine.create("import os\ndef handler(e, c):\n    return os.getpid()\n")
    pid = engine.invoke()[0]
    engine.functions.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_closing_ends_what_is_running_as_a_crash(engine: Lambda) -> None:
    engine.create("import time\ndef handler(e, c):\n    time.sleep(60)\n", Timeout=60)
    ended: list[Any] = []
    thread = threading.Thread(target=lambda: ended.append(engine.invoke()[0]))
    thread.start()
    time.sleep(0.3)
    engine.functions.close()
    thread.join(5)
    assert ended[0]["errorType"] == "Runtime.ExitError"
    assert refused(engine.invoke) == "ServiceException"
