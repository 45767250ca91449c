"""Every function of the product: entry point, memory and time-out, with the reason for each figure.

Lambda gives CPU in proportion to memory (one core at 1,769 MB), so memory is also how fast a function is.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry point: `lambdas/<module>.py`, `memory_mb`, time-out in `seconds`, `tmp_mb` of scratch space."""

    module: str
    memory_mb: int
    seconds: int
    tmp_mb: int = 512  # what Lambda gives without being asked

    @property
    def handler(self) -> str:
        """The handler string."""
        return f"lambdas.{self.module}.handler"

    @property
    def title(self) -> str:
        """The construct id: `cut_version` -> `CutVersion`."""
        return "".join(word.capitalize() for word in self.module.split("_"))


# Shared. A look at a dataset copies what is new, server-side; what does not fit into one look is left to the next one,
# which the message that returns starts. Two minutes, because the queue hides a message six times as long.
CUT_VERSION: Final = Entry("cut_version", 512, 120)
RECORD_EVENT: Final = Entry("record_event", 256, 30)
REFUSE_ROUTE: Final = Entry("refuse_route", 128, 5)
DESCRIBE_API: Final = Entry("describe_api", 512, 29)

# Training. Profiling decodes data with polars: all the memory that a new account gives (3,008 MB), all the time there
# is for one batch, and scratch space for an object of 256 MiB with the hashes of its ids. Validation merges profiles
# and the hashes of all objects. The others read and write small documents.
START_RUN: Final = Entry("start_run", 512, 60)
PROFILE_OBJECTS: Final = Entry("profile_objects", 3008, 900, tmp_mb=2048)
VALIDATE_VERSION: Final = Entry("validate_version", 3008, 300, tmp_mb=2048)
REGISTER_MODEL: Final = Entry("register_model", 512, 120)
# A replay scores some hundred thousand logged rows: a core of its own, and all the time there is.
REPLAY_CANDIDATE: Final = Entry("replay_candidate", 1769, 900)
CLOSE_RUN: Final = Entry("close_run", 512, 60)

# Serving. Publishing builds a zip in memory and waits for Lambda. API Gateway gives up after 30 seconds (fixed limit),
# so predict answers or fails within 29; its memory is the model owner's.
PREDICT_SECONDS: Final = 29
PLAN_DEPLOYMENT: Final = Entry("plan_deployment", 512, 60)
PUBLISH_MODEL: Final = Entry("publish_model", 1024, 120)
PROMOTE_MODEL: Final = Entry("promote_model", 512, 60)
CLOSE_DEPLOYMENT: Final = Entry("close_deployment", 512, 60)
# A probe may have to wait for predict's time-out several times; a judge reads the log of all steps so far.
PROBE_VERSION: Final = Entry("probe_version", 512, 300)
SHIFT_TRAFFIC: Final = Entry("shift_traffic", 512, 60)
JUDGE_ROLLOUT: Final = Entry("judge_rollout", 1024, 600)
WITHDRAW_VERSION: Final = Entry("withdraw_version", 512, 60)
ROLL_BACK: Final = Entry("roll_back", 512, 120)

# Feedback. A request may have to read 32 MB of the prediction log within predict's time; a file of 200,000 labels,
# 512 MB of it, and make as many writes as labels.
RECORD_FEEDBACK: Final = Entry("record_feedback", 1769, PREDICT_SECONDS)
READ_FEEDBACK: Final = Entry("read_feedback", 3008, 900)

# Monitoring. A look counts the log of an hour or two, which may be some hundred thousand rows, and models are asked for
# what drifted: a core of its own, and all the time there is. The judge of what is live scores labelled rows again.
MONITOR_MODEL: Final = Entry("monitor_model", 1769, 900)
JUDGE_LIVE: Final = Entry("judge_live", 1769, 900)
# A decision reads small documents; with feedback to learn from it also joins a log of months, file by file on disk.
DECIDE_RETRAINING: Final = Entry("decide_retraining", 1769, 900, tmp_mb=2048)

SHARED: Final = (CUT_VERSION, RECORD_EVENT, REFUSE_ROUTE, DESCRIBE_API)
TRAINING: Final = (START_RUN, PROFILE_OBJECTS, VALIDATE_VERSION, REPLAY_CANDIDATE, REGISTER_MODEL, CLOSE_RUN)
DEPLOYMENT: Final = (
    PLAN_DEPLOYMENT, PUBLISH_MODEL, PROBE_VERSION, SHIFT_TRAFFIC, JUDGE_ROLLOUT, PROMOTE_MODEL, WITHDRAW_VERSION,
    CLOSE_DEPLOYMENT, ROLL_BACK,
)  # fmt: skip
MONITORING: Final = (MONITOR_MODEL, JUDGE_LIVE)


def predict(memory_mb: int) -> Entry:
    """Return the predict function's entry with the memory that model.yaml asks for."""
    return Entry("predict", memory_mb, PREDICT_SECONDS)
