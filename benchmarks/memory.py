"""The predict handler's memory over a million requests: the deployed package in a process of its own.

    python benchmarks/memory.py [--requests 1000000]          (three minutes)

Requests vary (600 rows in turn; every thousandth is wrong, every hundredth has 100 rows, every ten-thousandth asks for
an explanation), log lines go to /dev/null. What counts is the growth of the resident set after the first tenth, when
everything has been loaded.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import handler, table  # noqa: E402
from lifecycle.schema import Kind  # noqa: E402
from lifecycle.spec import ModelSpec  # noqa: E402
from stacks.model_yaml import read_model  # noqa: E402
from tabular.read import read_objects  # noqa: E402
from training import rows  # noqa: E402

SERVER = """
import json, os, sys
sys.path.insert(0, ".")
import lambdas.predict as predict
count, samples = int(sys.argv[2]), 11
singles, hundred, wrong, why = json.loads(open(sys.argv[1]).read())
answers = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
page = os.sysconf("SC_PAGE_SIZE")
for number in range(count + 1):
    if number % (count // (samples - 1)) == 0:
        resident = int(open("/proc/self/statm").read().split()[1]) * page
        os.write(answers, f"{number} {resident}\\n".encode())
    if number % 10_000 == 9_999:
        event, status = why, 200
    elif number % 1_000 == 999:
        event, status = wrong, 422
    elif number % 100 == 99:
        event, status = hundred, 200
    else:
        event, status = singles[number % len(singles)], 200
    found = predict.handler(event, None)
    assert found["statusCode"] == status, found
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1_000_000)
    requests = parser.parse_args().requests
    print(table.machine())
    if not handler.JANUARY.exists():
        subprocess.run([sys.executable, handler.MODEL / "monthly.py", "--months", "1"], check=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_world(folder)
        environment = {"LAMBDA_TASK_ROOT": str(folder / "task"), "STAGE": "bench", "MODEL": "flights"}
        command = [sys.executable, "-c", SERVER, str(folder / "events.json"), str(requests)]
        ran = subprocess.run(
            command, cwd=folder / "task", env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    sampled = [tuple(map(int, text.split())) for text in ran.stdout.splitlines()]
    warm, last = sampled[1][1], sampled[-1][1]
    table.show(["requests", "resident"], [[f"{count:,}", f"{size / 1e6:.1f} MB"] for count, size in sampled])
    print(f"growth after the first tenth: {(last - warm) / 1e6:+.2f} MB")


def write_world(folder: Path) -> None:
    """Write the deployed package and the requests that it will be sent."""
    spec: ModelSpec = read_model(handler.MODEL / "model.yaml")
    kinds: dict[str, Kind] = {c.name: c.kind for c in spec.contract.columns}
    frame = rows.clean(read_objects([(handler.JANUARY, handler.JANUARY.name)], spec.contract), kinds)
    frame, labels, _ = rows.labelled(rows.acceptable(frame, spec.contract)[0], spec.contract)
    wide = rows.with_derived(frame.select([c.name for c in spec.contract.inputs]), spec, handler.MODEL)
    handler.write_package(folder / "task", spec, wide, labels == "true")
    sample = handler.requests(frame, spec)
    why = {**handler.event(sample[:1]), "queryStringParameters": {"explain": "true"}}
    wrong = handler.event([{**sample[0], next(iter(sample[0])): []}])
    events = [[handler.event([row]) for row in sample], handler.event(sample[:100]), wrong, why]
    (folder / "events.json").write_text(json.dumps(events))


if __name__ == "__main__":
    main()
