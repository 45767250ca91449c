"""A stage with a live model, its reference, traffic in the prediction log and labels, for the tests of monitoring."""

import gzip
import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cloud.labels import Labels
from lambdas import monitor_model, wiring
from lifecycle import compiled, keys, names
from lifecycle.feedback_label import Change, Label
from lifecycle.live import Live
from lifecycle.monitoring import Monitoring
from lifecycle.objective import Objective
from lifecycle.prediction_id import ids_of
from lifecycle.reference import Reference, category_reference, number_reference
from lifecycle.spec import ModelSpec
from tests import live_package

from .conftest import SPEC, STAGE, World
from .feedback_world import make_labels_table

HOUR = 3600
FUNCTION = names.predict_function(STAGE, SPEC.model)
RULES = Monitoring(window_hours=4, min_rows=100, min_labels=50, confirm=1, clear=1, stale_hours=5)
RUN = "flights-1a2b3c4d-a1"

WRITING = ("Put", "Invoke", "Publish")

Row = Mapping[str, Any]


def rows_of(seed: int, count: int, *, farther: float = 0.0, lost: float = 0.0) -> list[dict[str, Any]]:
    """Rows as callers send them; `farther` shifts the distance, `lost` is the share of rows without one."""
    random = Random(seed)
    return [
        {
            "flight": f"F{seed}-{n}",
            "origin": random.choice(("EWR", "JFK", "LGA")),
            "distance": None if random.random() < lost else random.gauss(1000, 250) + farther,
        }
        for n in range(count)
    ]


def probability(row: Row) -> float:
    """What the model of `live_package` answers."""
    distance = 1000.0 if row["distance"] is None else row["distance"]
    raw = (0.0 if row["distance"] is None else (distance - 1000.0) / 500.0) + {"EWR": 0.5, "JFK": -0.5}.get(
        row["origin"], 0.0
    )
    return 1 / (1 + exp(-raw))


def reference(quality: Mapping[str, Any] | None = None) -> Reference:
    rows = rows_of(0, 4000)
    distance = sorted(row["distance"] for row in rows)
    scores = [probability(row) for row in rows]
    origins = Counter(row["origin"] for row in rows)
    trained = {"metric": "log_loss", "value": 0.62, "low": 0.61, "high": 0.63, "rows": 4000}
    return Reference(
        rows=len(rows),
        columns={
            "origin": replace(category_reference(origins, 0), importance=0.4),
            "distance": replace(_numbers(distance), importance=0.6),
        },
        scores=_numbers(scores),
        quality=trained if quality is None else quality,
    )


def _numbers(values: Sequence[float]) -> Any:
    ordered = sorted(values)
    edges = [ordered[place] for place in range(200, len(ordered), 200)]
    counts = [0] * (len(edges) + 1)
    for value in ordered:
        counts[bisect_left(edges, value)] += 1
    return number_reference(edges, counts, 0)


@dataclass
class Watched:
    """The stage. `put` are the metrics of the last look, `ever` those of all, as CloudWatch bills them.

    `told` are the notices.
    """

    world: World
    spec: ModelSpec
    root: Path
    patch: pytest.MonkeyPatch
    put: list[dict[str, Any]] = field(default_factory=list)
    ever: set[tuple[str, str, frozenset[tuple[str, str]]]] = field(default_factory=set)
    told: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    failing: str | None = None
    dying: int | None = None
    answered: bool = False
    written: int = 0
    serial: int = 0

    def deploy(self, spec: ModelSpec) -> None:
        for old in self.root.glob("spec-*.json"):
            old.unlink()
        (self.root / spec.file_name).write_bytes(spec.to_bytes())
        self.patch.setenv("SPEC_ID", spec.spec_id)
        wiring.settings.cache_clear()
        wiring.packaged_spec.cache_clear()
        self.spec = spec

    def rules(self, **changes: Any) -> None:
        self.deploy(replace(self.spec, monitoring=replace(self.spec.monitoring, **changes)))

    def go_live(
        self,
        number: int = 1,
        run: str = RUN,
        known: Reference | None = None,
        ago: float = 6 * HOUR,
        code: bytes | None = None,
    ) -> None:
        """Make a package live, `ago` seconds ago."""
        self.write(keys.run("flights", run, "evaluation", "compiled.json"), code or self.model())
        found = (known or reference()).to_plain()
        self.write(keys.run("flights", run, "evaluation", "reference.json"), json.dumps(found).encode())
        arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{names.package_group(STAGE, 'flights')}/{number}"
        said = Live(package_arn=arn, run_id=run, since=int(wiring.now() - ago))
        wiring.client("lambda").update_alias(
            FunctionName=FUNCTION, Name=names.LIVE, FunctionVersion="1", Description=said.to_description()
        )

    def model(self) -> bytes:
        return compiled.write(live_package.body(self.spec.contract))

    def write(self, key: str, body: bytes, bucket: str = "artifact-bucket") -> None:
        self.world.s3.put_object(Bucket=bucket, Key=key, Body=body)

    def read(self, *parts: str) -> Any:
        return self.world.read("artifact-bucket", keys.monitoring("flights", *parts))

    def records(self, rows: Sequence[Row], ago: float, version: int = 1, **changes: Any) -> list[dict[str, Any]]:
        """Return the log's records of rows answered `ago` seconds before now."""
        at = wiring.now() - ago
        found = []
        for row in rows:
            self.serial += 1
            entropy = Random(self.serial).randbytes(10)
            said = probability(row)
            fact = {"kind": "prediction", "schema": 2, "time": round(at * 1000), "model_version": str(version)}
            fact |= {"prediction_id": ids_of(round(at * 1000), entropy)[0], "probability": said, "arm": "2"}
            found.append({**fact, "decision": said >= 0.5, "row": row, **changes})
        return found

    def arrive(self, records: Sequence[Any], ago: float, name: str = "") -> str:
        """Deliver records (or raw lines) to the log; the object's hour is that of `ago`."""
        self.serial += 1
        lines = (x if isinstance(x, bytes) else json.dumps(x).encode() for x in records)
        key = keys.predictions_of_hour("flights", wiring.now() - ago) + (name or f"{self.serial:06d}") + ".gz"
        self.write(key, gzip.compress(b"\n".join(lines) + b"\n"), "data-bucket")
        return key

    def traffic(self, hours: int = 4, each: int = 60, first: int = 1, **changes: Any) -> list[dict[str, Any]]:
        """Log rows of the last hours, `first` hours ago being the newest; return the records."""
        found = []
        for ago in range(first, first + hours):
            records = self.records(rows_of(1000 + self.serial, each, **changes), ago * HOUR)
            self.arrive(records, ago * HOUR)
            found += records
        return found

    def label(self, records: Sequence[Mapping[str, Any]], seed: int = 5, wrong: bool = False) -> None:
        """Give records labels, drawn by the probability that they say (or by its opposite)."""
        random = Random(seed)
        changes = []
        for record in records:
            chance = 1 - record["probability"] if wrong else record["probability"]
            label = "true" if random.random() < chance else "false"
            after = Label(
                prediction_id=record["prediction_id"], label=label, recorded_at=wiring.now(), source="test", found=True
            )
            changes.append(Change(before=None, after=after))
        self.labels().write(changes)

    def labels(self) -> Labels:
        return Labels(wiring.client("dynamodb"), "labels", "flights")

    def calls(self) -> list[str]:
        """Return a list that takes every call from now on: its name, and its key."""
        self.asked.clear()
        return self.asked

    def fail(self, operation: str) -> None:
        """Let the calls of an operation fail."""
        self.failing = operation

    def die(self, write: int, *, answered: bool) -> None:
        """Let the writing call of this number, from 0, and all calls after it fail; `answered`: once it is done."""
        self.dying, self.answered, self.written = write, answered, 0

    def heal(self) -> int:
        """Let calls succeed again; return how many writing calls were made."""
        self.failing, self.dying = None, None
        return self.written

    def before_call(self, operation: str, key: str) -> None:
        self.asked.append(f"{operation} {key}".strip())
        self.written += operation.startswith(WRITING)
        dead = self.dying is not None and self.written > self.dying + self.answered
        if dead or operation == self.failing:
            raise ClientError({"Error": {"Code": "InternalFailure", "Message": "out of order"}}, operation)

    def look_key(self) -> str:
        """Run the monitor; return the key of the window that it leaves."""
        return str(monitor_model.handler({}, None)["window"])

    def look(self) -> dict[str, Any]:
        """Run the monitor; return the window that it leaves."""
        answer = monitor_model.handler({}, None)
        assert answer["monitored"]
        found: dict[str, Any] = self.world.read("artifact-bucket", answer["window"])
        return found

    def figures(self) -> dict[str, Any]:
        """The metrics of the last look, by name: the value, or the statistics."""
        return {entry["MetricName"]: entry.get("Value", entry.get("StatisticValues")) for entry in self.put}

    def entries(self) -> list[tuple[str, str]]:
        return [(e["kind"], e["detail"]["alert"]) for e in self.world.ledger("model#flights")]


def make_watched(world: World, root: Path, patch: pytest.MonkeyPatch) -> Iterator[Watched]:
    world.pass_time(HOUR / 2)  # the hour before has been closed for twenty minutes
    make_labels_table()
    patch.setenv("LABELS_TABLE", "labels")
    role = boto3.client("iam").create_role(RoleName="predict", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    functions = wiring.client("lambda")
    functions.create_function(
        FunctionName=FUNCTION, Runtime="python3.12", Role=role, Handler="lambdas.predict.handler",
        Code={"ZipFile": b"none"}, Publish=True,
    )  # fmt: skip
    functions.create_alias(FunctionName=FUNCTION, Name=names.LIVE, FunctionVersion="1", Description="no model yet")
    spec = replace(SPEC, monitoring=RULES, objective=Objective())
    watched = Watched(world, spec, root, patch)
    watched.deploy(spec)
    events = "provide-client-params"

    def published(params: dict[str, Any], **_: Any) -> None:
        watched.put[:] = params["MetricData"]
        for one in watched.put:
            dimensions = frozenset((each["Name"], each["Value"]) for each in one["Dimensions"])
            watched.ever.add((params["Namespace"], one["MetricName"], dimensions))

    wiring.client("cloudwatch").meta.events.register(f"{events}.cloudwatch.PutMetricData", published)
    wiring.client("sns").meta.events.register(f"{events}.sns.Publish", lambda params, **_: watched.told.append(params))

    def counted(params: dict[str, Any], model: Any, **_: Any) -> None:
        watched.before_call(model.name, str(params.get("Key", "")))

    for service in ("s3", "dynamodb", "lambda", "cloudwatch", "sns", "events"):
        wiring.client(service).meta.events.register(f"{events}.{service}.*", counted)
    yield watched
