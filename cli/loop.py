"""The whole loop on the laptop engine, watched from the terminal: upload, follow, ask, compare."""

import json
import time
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli import ask as asking
from cli import output, reports
from cli.follow import Board, first_after, wait_for
from cli.target import Target
from cloud.executions import Executions
from cloud.history import Execution, History
from cloud.objects import Bucket
from lifecycle import keys, names
from lifecycle.progress import readable

CUT_SECONDS = 120.0  # machine time within which the settle time has surely run down
DEPLOY_SECONDS = 30.0
APPROVE_SECONDS = 86_400.0  # how long a person may take
ASK_ROWS = 400
QUIET_SECONDS = 150.0  # of engine time, after which no version is cut of an upload any more
ASKED = "perennial local run"


class Loop:
    """One pass of one model. Every method ends the command when its stage did not succeed."""

    def __init__(self, target: Target, model: str, board: Board, out: output.Output) -> None:
        self._target, self._model, self._board, self._out = target, model, board, out
        self._history = History(target.client("stepfunctions"))
        self._shared = target.shared()
        self._training = target.training(model)
        self._serving = target.serving(model)
        self._spec = reports.spec(target, model)

    def run(self, files: list[Path], ask: Path | None, *, patient: bool) -> None:
        """Upload `files`, follow what that starts, and ask for predictions of rows of `ask`.

        Where a stage asks for approval by hand, a `patient` loop waits for it.
        """
        self._out.line(f"\n[bold]{self._model}[/bold]: upload to prediction")
        self._upload(files)
        began, since = time.perf_counter(), self._now()
        training = self._train(since)
        settled = time.perf_counter()
        ended = self._board.watch(self._history, training.arn)
        if (known := self._trained_before(ended)) is not None:
            self._board.note(f"nothing is new since run {known['run_id']}: the live model answers")
            run = known
        else:
            run = self._verdict(ended)
            self._approval(run, patient=patient)
            self._deploy(since, DEPLOY_SECONDS if run["approval"] == "Approved" else APPROVE_SECONDS)
        asked = self._ask(ask or files[-1])
        seconds = time.perf_counter() - began
        self._say(run, asked, seconds, settled - began, ask)

    def slow_down(self) -> None:
        """Let engine time pass as the wall clock does, now that nobody waits for it."""
        request = urllib.request.Request(  # noqa: S310  the engine's own loopback address
            f"{self._engine['endpoint']}/_engine/clock", data=b'{"idle_speed": 1}', method="POST"
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310

    @property
    def _engine(self) -> dict[str, Any]:
        assert self._target.engine is not None
        return self._target.engine

    def _now(self) -> datetime:
        """Engine time a moment ago: executions that an upload starts begin later."""
        return datetime.fromtimestamp(self._target.now() - 1, UTC)

    def _upload(self, files: list[Path]) -> None:
        bucket = Bucket(self._target.client("s3"), self._shared[names.OUTPUT_DATA_BUCKET])
        total = sum(file.stat().st_size for file in files)
        count = f"{len(files)} file{'s' if len(files) > 1 else ''}"
        with self._board.doing(f"upload {count}, {output.size(total)}, to s3://.../incoming/{self._spec.dataset}/"):
            for file in files:
                bucket.upload(file, keys.incoming(self._spec.dataset, file.name))

    def _train(self, since: datetime) -> Execution:
        machine = self._training[names.OUTPUT_TRAINING_MACHINE]

        def begun() -> Execution | None:
            found = first_after(self._history, machine, since)
            if found is None and self._engine["resumed"] and self._target.now() > since.timestamp() + QUIET_SECONDS:
                self._ask_for_run(machine)
            return found

        with self._board.doing("settle (60 s of engine time, which runs fast), cut the version"):
            return wait_for(begun, CUT_SECONDS, "a training run for the upload")

    def _ask_for_run(self, machine: str) -> None:
        """Start a run of the version that there is: the files were uploaded before, so they make no new one."""
        bucket = Bucket(self._target.client("s3"), self._shared[names.OUTPUT_DATA_BUCKET])
        current = bucket.need_json(keys.current(self._spec.dataset))
        detail = {"stage": self._target.stage, "dataset": self._spec.dataset, "version": current["version"]}
        started = Executions(self._target.client("stepfunctions"))
        started.start(machine, f"asked-{int(self._target.now())}", {"detail": {**detail, "reason": ASKED}})

    def _trained_before(self, execution: Execution) -> dict[str, Any] | None:
        """Return the record of the run that this model.yaml had on this version before, if that is why none began."""
        started = json.loads(execution.output or "{}").get("run") or {}
        if started.get("decision") != "duplicate":
            return None
        records = reports.run_records(self._target, self._model)
        return next((r for r in records if (r["version"], r["status"]) == (started["version"], "succeeded")), None)

    def _verdict(self, execution: Execution) -> dict[str, Any]:
        """Return the run's record; ends the command when nothing was registered, with the reasons."""
        found = json.loads(execution.output or "{}")
        started = found.get("run") or {}
        if started and not started["go"]:
            output.fail(f"no run was started: {started['decision']}")
        if execution.status != "SUCCEEDED":
            faults = [step.error for step in self._history.steps(execution.arn) if step.error]
            said = _listed(dict.fromkeys([*faults, readable(execution.error, execution.cause)]))
            output.fail(f"training ended {execution.status.lower()}:{said}{self._where(self._run_of(execution))}")
        run_id = str(started["run_id"])
        if not found.get("validation", {}).get("accepted", True):
            problems = reports.validation_problems(self._target, self._model, run_id)
            output.fail("the data version was rejected:" + _listed(problems) + self._where(run_id))
        registered = found.get("registered", {})
        if registered.get("status") == "Rejected":
            reasons = _listed(registered.get("reasons", []))
            output.fail(f"{self._model} was trained, and its gates reject it:{reasons}{self._where(run_id)}")
        record = reports.run_record(self._target, self._model, run_id)
        return record | {"run_id": run_id, "package": registered.get("package"), "approval": registered.get("status")}

    def _run_of(self, execution: Execution) -> str | None:
        """The run that an execution without output was about: its record names the execution."""
        records = reports.run_records(self._target, self._model)
        return next((r["run_id"] for r in records if r.get("execution") == execution.arn), None)

    def _where(self, run_id: str | None) -> str:
        """Where a person finds the whole story of a run."""
        if run_id is None:
            return "\nSee: perennial logs"
        folder = reports.fetch(self._target, self._model, run_id)
        pages = sorted(str(page) for page in folder.rglob("report.html"))
        return f"\nReports: {', '.join(pages)}" if pages else f"\nSee: perennial runs {self._model} {run_id}"

    def _approval(self, run: dict[str, Any], *, patient: bool) -> None:
        """Say that a person must approve; ends the command when it may not wait for that."""
        if run["approval"] == "Approved":
            return
        version = str(run["package"]).rsplit("/", 1)[-1]
        command = f"perennial approve {self._model} {version}"
        if not patient:
            output.fail(
                f"{self._model} version {version} waits for a person, as stages.yaml says. Approve it: {command}"
            )
        self._out.line(f"Waiting for a person's word. In another terminal: [bold]{command}[/bold]")

    def _deploy(self, since: datetime, seconds: float) -> None:
        machine = self._serving[names.OUTPUT_DEPLOYMENT_MACHINE]
        known: set[str] = set()
        while True:
            execution = wait_for(
                lambda: first_after(self._history, machine, since, frozenset(known)), seconds, "a deployment"
            )
            known.add(execution.arn)
            ended = self._board.watch(self._history, execution.arn)
            if ended.status != "SUCCEEDED":
                output.fail(f"the deployment ended {ended.status.lower()}: {readable(ended.error, ended.cause)}")
            said = json.loads(ended.output)
            if "withdrawn" in said:
                output.fail(f"the new version was rolled back:{_listed(said['rollout']['reasons'])}")
            if said["plan"]["go"]:
                return

    def _ask(self, file: Path) -> asking.Asked:
        door = self._target.door()
        rows, labels = asking.rows_of(file, self._spec.contract, ASK_ROWS)
        with self._board.doing(f"ask for {len(rows)} predictions over HTTP ({file.name})"):
            return asking.ask(door, self._model, rows, labels)

    def _say(self, run: dict[str, Any], asked: asking.Asked, seconds: float, settle: float, ask: Path | None) -> None:
        contract = self._spec.contract
        metrics = asking.score(asked, contract)
        url = self._shared[names.OUTPUT_API_URL]
        folder = reports.fetch(self._target, self._model, run["run_id"])
        if self._out.as_json:
            self._out.value({"run": run, "seconds": seconds, "settle_seconds": settle, "metrics": metrics, "api": url})
            return
        self._out.line(f"\nPredictions of version {asked.model_version} beside what really happened:")
        shown = asking.table(asked, contract)
        self._out.table(shown, list(shown[0]), empty="")
        self._out.line("  ".join(f"{name} {value:.4g}" for name, value in metrics.items()))
        if ask is None:
            self._out.line("(rows of the uploaded file: the model has seen most of them; the holdout is in the report)")
        self._out.line(f"\nUpload to first answers: {seconds:.1f} s, of which {settle:.1f} s settling and cutting.")
        self._out.line(f"API      {url}")
        self._out.line(f"Reports  {folder}/")
        self._out.line("Try it:")
        self._out.raw(reports.curl(self._target, self._model, asked.rows[0], url))


def _listed(sentences: Iterable[str]) -> str:
    return "".join(f"\n  - {sentence}" for sentence in sentences)
