"""One look's work on the log: hours counted, drift judged, labels joined. Prints seconds and memory as JSON.

python benchmarks/watching/turn.py FOLDER NOW HOURS [--labels]
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.watching import traffic  # noqa: E402
from benchmarks.watching.folder import Folder  # noqa: E402
from lambdas.monitoring_hours import ANSWERS, Hours  # noqa: E402
from lambdas.monitoring_labels import LabelSearch  # noqa: E402
from lifecycle.drift_alert import AlertState, judge  # noqa: E402
from lifecycle.feedback_label import Value  # noqa: E402
from lifecycle.judged_model import JudgedModel  # noqa: E402
from lifecycle.live import Live  # noqa: E402
from lifecycle.monitoring import Monitoring  # noqa: E402
from lifecycle.objective import Objective  # noqa: E402
from lifecycle.schema import Task  # noqa: E402
from lifecycle.window_hours import Window  # noqa: E402
from tabular import answers_file, labelled_rows  # noqa: E402


class EveryLabel:
    """A label for each prediction of an hour, as `cloud.labels.Labels` yields them."""

    def __init__(self, kept: Folder) -> None:
        self._kept = kept

    def of_hour(self, hour: int) -> Iterator[tuple[str, Value]]:
        for key in list(self._kept.keys("monitoring/")):
            if key.endswith(ANSWERS):
                for packed in answers_file.ids(self._kept.need(key)):
                    text = packed.hex()
                    if int(text[:12], 16) // 3_600_000 == hour:
                        identity = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
                        yield identity, "true" if packed[-1] < 100 else "false"


def main() -> None:
    folder, now, width = Folder(Path(sys.argv[1])), float(sys.argv[2]), int(sys.argv[3])
    live = Live(package_arn="arn:aws:sagemaker:us-east-1:123456789012:model-package/watched/1", run_id="run", since=0)
    model = JudgedModel(
        live=live,
        task=Task.BINARY,
        classes=("false", "true"),
        contract=traffic.contract(),
        reference=traffic.reference(),
        objective=Objective(),
    )
    idle = peak()
    began = time.perf_counter()
    hours = Hours(traffic.MODEL, model, folder, folder, lambda: True)  # type: ignore[arg-type]
    window = Window.at(now, width)
    found = hours.window(window)
    verdict = judge(model.reference, found.counts.tally, Monitoring(), AlertState(), until="2026-11-21T00:00:00Z")
    counted = time.perf_counter() - began
    labelled = 0
    if "--labels" in sys.argv:
        rows = LabelSearch(hours, found, EveryLabel(folder)).search(window, 1).rows  # type: ignore[arg-type]
        labelled = labelled_rows.sums(rows).rows
    said = {"rows": verdict.judged and found.counts.tally.rows, "seconds": counted, "labelled": labelled}
    said |= {"with_labels": time.perf_counter() - began, "idle": idle, "peak": peak(), "read": len(folder.read_keys)}
    print(json.dumps(said))


def peak() -> int:
    """Return the largest resident set so far, in bytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    main()
