"""S3 key layouts: who writes what where. The only place that builds or takes apart a key.

Data bucket (versioned)
    incoming/<dataset>/<name>                        the user's: data; raises events that we listen to
    objects/<dataset>/<S3 version id>                immutable server-side copies; never overwritten
    versions/<dataset>/<data version>/manifest.json  what a data version consists of (lifecycle.versions)
    versions/<dataset>/<data version>/channel.json   the same objects as a SageMaker ManifestFile
    versions/<dataset>/current.json                  the newest data version's id, sequence and time
    versions/<dataset>/copied.json                   checksums of copies that no version lists yet
    predictions/<model>/<yyyy>/<mm>/<dd>/<hh>/...    the prediction log, gzip NDJSON by arrival hour (UTC); Firehose's
    predictions-failed/<model>/<error type>/...      what Firehose could not deliver there
    feedback/<model>/<name>                          the user's: files of labels; raises events, too
    feedback-reports/<model>/<name>/<version>.json   what became of each label of one version of such a file
Artifact bucket (versioned)
    profiles/<contract id>/<sha256>.json             profile of one object under one contract
    profiles/<contract id>/<sha256>.ids.parquet      hashes of its row ids, when the contract names an id
    runs/<model>/<run>/run.json                      the record of a run, schema versioned
    runs/<model>/<run>/inputs/batch-<n>.json         object lists for the profile step
    runs/<model>/<run>/inputs/champion.json          what is live, or {"live": null}; beside it, if any, ...
    runs/<model>/<run>/inputs/champion.model.json    ... its compiled model
    runs/<model>/<run>/validation/report.{json,html}
    runs/<model>/<run>/train/families.json           the families that were asked for
    runs/<model>/<run>/train/<job>/output/model.tar.gz
    runs/<model>/<run>/evaluation/{scorecard.json,report.html,card.md,baseline.json,compiled.json,probe.json}
    runs/<model>/experiments/<job>/input/...         code of an experiment (`perennial experiment`), by its job's name
    runs/<model>/experiments/<job>/output/model.tar.gz   what it left; no run knows of it
    runs/<model>/<run>/evaluation/reference.json     bins of its training rows and scores: what monitoring compares with
    monitoring/<model>/hours/<yyyy-mm-ddThh>/<yardstick>-<sources>.json   counts of one arrival hour of the log
    monitoring/<model>/hours/<yyyy-mm-ddThh>/<the same>.answers.parquet   its answers by id, .sample.json: some rows
    monitoring/<model>/days/<yyyy-mm-dd>/<yardstick>-<sources>.json       the sum of a day's hours
    monitoring/<model>/windows/<yyyy-mm-ddThhmm>.{json,html}              what one look found
    monitoring/<model>/latest.json                                        the newest of them
    harvests/<model>.json                            which days of labelled predictions became data (lifecycle.harvest)
    runs/<model>/<run>/evaluation/replay.json        its winner beside logged traffic, where a gate asks for it
"""

from datetime import UTC, datetime

INCOMING = "incoming/"
OBJECTS = "objects/"
VERSIONS = "versions/"
PROFILES = "profiles/"
MONITORING = "monitoring/"
HARVESTS = "harvests/"
PREDICTIONS = "predictions/"
PREDICTIONS_FAILED = "predictions-failed/"
FEEDBACK = "feedback/"
FEEDBACK_REPORTS = "feedback-reports/"
READY = "_READY"


def incoming(dataset: str, name: str = "") -> str:
    """Return the key under which a user uploads file `name` (or the prefix of the dataset)."""
    return f"{INCOMING}{dataset}/{name}"


def parse_incoming(key: str) -> tuple[str, str] | None:
    """Return (dataset, name) of an uploaded object's key, or None when the key is no upload.

    >>> parse_incoming("incoming/flights/2013/01.csv")
    ('flights', '2013/01.csv')
    >>> parse_incoming("incoming/stray.csv") is None
    True
    """
    if not key.startswith(INCOMING):
        return None
    dataset, slash, name = key[len(INCOMING) :].partition("/")
    return (dataset, name) if slash and dataset and name else None


def immutable(dataset: str, version_id: str) -> str:
    """Return the key of the immutable copy of one S3 object version."""
    return f"{OBJECTS}{dataset}/{version_id}"


def manifest(dataset: str, version: str) -> str:
    """Return the key of a data version's manifest."""
    return f"versions/{dataset}/{version}/manifest.json"


def channel(dataset: str, version: str) -> str:
    """Return the key of a data version's SageMaker ManifestFile."""
    return f"versions/{dataset}/{version}/channel.json"


def current(dataset: str) -> str:
    """Return the key that names the newest data version of a dataset."""
    return f"versions/{dataset}/current.json"


def copied(dataset: str) -> str:
    """Return the key of the checksums of copies that no data version lists yet (a cut that needs several looks)."""
    return f"versions/{dataset}/copied.json"


def versions(dataset: str) -> str:
    """Return the prefix of all data versions of a dataset."""
    return f"versions/{dataset}/"


def profile(contract_id: str, sha256: str) -> str:
    """Return the key of one object's profile under one contract."""
    return f"profiles/{contract_id}/{sha256}.json"


def row_ids(contract_id: str, sha256: str) -> str:
    """Return the key of the hashed row ids of one object."""
    return f"profiles/{contract_id}/{sha256}.ids.parquet"


def runs(model: str) -> str:
    """Return the prefix of all runs of a model."""
    return f"runs/{model}/"


def run(model: str, run_id: str, *parts: str) -> str:
    """Return the prefix of a run, or the key of something inside it.

    >>> run("flights", "flights-1a2b-a1", "inputs", "batch-0.json")
    'runs/flights/flights-1a2b-a1/inputs/batch-0.json'
    >>> run("flights", "flights-1a2b-a1")
    'runs/flights/flights-1a2b-a1/'
    """
    return f"runs/{model}/{run_id}/" + "/".join(parts)


def experiments(model: str) -> str:
    """Return the prefix of a model's experiments; below its runs, where its jobs may read and write."""
    return f"{runs(model)}experiments/"


def run_record(model: str, run_id: str) -> str:
    """Return the key of a run's record."""
    return run(model, run_id, "run.json")


def monitoring(model: str, *parts: str) -> str:
    """Return the prefix of what monitoring keeps of a model, or the key of something inside it.

    >>> monitoring("flights", "latest.json")
    'monitoring/flights/latest.json'
    """
    return f"{MONITORING}{model}/" + "/".join(parts)


def harvests(model: str) -> str:
    """Return the key of what is known of a model's harvested days."""
    return f"{HARVESTS}{model}.json"


def predictions(model: str) -> str:
    """Return the prefix of a model's prediction log."""
    return f"{PREDICTIONS}{model}/"


def predictions_failed(model: str) -> str:
    """Return the prefix of what could not be delivered to a model's prediction log."""
    return f"{PREDICTIONS_FAILED}{model}/"


def feedback(model: str, name: str = "") -> str:
    """Return the key under which a user uploads labels of a model (or the prefix of all of them)."""
    return f"{FEEDBACK}{model}/{name}"


def feedback_reports(model: str) -> str:
    """Return the prefix of the reports on a model's uploaded labels."""
    return f"{FEEDBACK_REPORTS}{model}/"


def feedback_report(model: str, name: str, version_id: str) -> str:
    """Return the key of the report on one version of an uploaded file of labels."""
    return f"{feedback_reports(model)}{name}/{version_id}.json"


def predictions_of_day(model: str, at: float) -> str:
    """Return the prefix of the log lines that arrived on the day (UTC) of `at`, epoch seconds.

    >>> predictions_of_day("flights", 1795240799.5)
    'predictions/flights/2026/11/21/'
    """
    return f"{predictions(model)}{datetime.fromtimestamp(at, UTC):%Y/%m/%d}/"


def predictions_of_hour(model: str, at: float) -> str:
    """Return the prefix of the log lines that arrived in the hour (UTC) of `at`, epoch seconds.

    >>> predictions_of_hour("flights", 1795240799.5)
    'predictions/flights/2026/11/21/05/'
    """
    return f"{predictions(model)}{datetime.fromtimestamp(at, UTC):%Y/%m/%d/%H}/"


def parse_predictions(key: str) -> float | None:
    """Return the arrival hour (epoch seconds, its beginning) of an object of the log; None when it is no such object.

    >>> parse_predictions("predictions/flights/2026/11/21/05/stream-1-2026-11-21-05-59-59-uuid.gz")
    1795237200.0
    >>> parse_predictions("predictions/flights/notes.txt") is None
    True
    """
    try:
        at = datetime.strptime("/".join(key.split("/")[2:6]), "%Y/%m/%d/%H")
    except ValueError:
        return None
    return at.replace(tzinfo=UTC).timestamp()
