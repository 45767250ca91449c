"""`perennial simulate`: a span of time replayed through the whole loop, and what renewing the model brought."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import engine, output, reports, simulated_checkout
from cli.follow import Board
from cli.main import CARE, Shared, app, example, need_checkout
from cli.simulated_rows import Rows, Sample
from cli.simulation import Simulation, Span
from cli.simulation_chart import chart
from cli.simulation_progress import Progress
from cli.target import find
from lifecycle import names, simulation
from lifecycle.simulation_page import page
from lifecycle.spec import ModelSpec

SHARE = 1 / 16
DAYS = 2
JUDGED = 1 / 4
HOURS = 24
LEARNT = 3
CHANGES: dict[str, dict[str, Any]] = {
    "retraining": {
        "learn_from_feedback": True,
        "on_alarm": True,
        "on_upload": True,
        "every_days": 28,
        "cooldown_hours": 660,  # less than four weekly looks: at 672 chance would decide which look comes too early
    },
    "monitoring": {
        "prediction_log": True,
        "every_minutes": 10_080,
        "window_hours": 168,
        "min_rows": 300,
        "confirm": 1,
        "stale_hours": 168,
    },
}
"""What is said in the simulated model.yaml: docs/decisions/0089 tells why."""


@app.command(
    rich_help_panel=CARE,
    epilog=example(
        "perennial simulate models/flights --from 2013-01 --to 2013-12",
        "perennial simulate demand sales-*.csv --from 2024-01 --to 2025-06 --full",
    ),
)
def simulate(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="A model of models/, whose data have a time column.")],
    files: Annotated[
        list[Path] | None,
        typer.Argument(exists=True, dir_okay=False, help="Its data (default: what models/MODEL/monthly.py makes)."),
    ] = None,
    first: Annotated[str, typer.Option("--from", help="First month, as 2013-01.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last month.")] = "",
    full: Annotated[
        bool, typer.Option("--full", help="Every row, not a sample of 1/16 (every other day's 1/8).")
    ] = False,
) -> None:
    """Replay months of data through the real loop on this machine, its clock ahead of the wall's, labels a day late.

    The first three months train a model; it goes live, answers over HTTP, is watched, and is renewed by the loop
    itself. At the end: how well it did each month, beside the first model left as it was.
    """
    began = time.perf_counter()
    shared: Shared = context.obj
    need_checkout()
    name = Path(model).name
    span = _span(name, first, last)
    board = Board(quiet=shared.out.as_json)
    root = Path.cwd()
    given = [file.resolve() for file in files or _made(name, simulated_checkout.place(root, name) / "data", span)]
    folder = simulated_checkout.make(root, name, CHANGES)
    with contextlib.chdir(folder):
        engine.need_none(None)
        engine.synthesize(shared.stage, board)
        spec = _spec(name)
        sample = Sample() if full else Sample(share=SHARE, days=DAYS, since=span.replayed[0], judged=JUDGED)
        progress = Progress(spec, board, quiet=shared.out.as_json)
        # engine time begins when the months to learn from are over
        with engine.start(idle_speed=1, port=None, begin=simulation.begin(span.replayed[0])) as process:
            rows = Rows(given, spec.contract, sample)  # while the engine deploys
            _need_months(rows, span)
            engine.report(process, board)
            with progress:
                run = Simulation(find(stage=shared.stage, where="local"), spec, folder, progress.say)
                frozen = run.learn(rows, span.learnt)
                progress.note(f"the first model is live: {frozen.family}, from {span.learnt[0]} to {span.learnt[-1]}")
                run.replay(rows, span, frozen)
    counted = run.counted
    result = {
        "model": name,
        "metric": spec.objective.metric,
        **simulation.figures(counted.days.in_order(), spec.objective),
        "events": counted.events,
        "seconds": round(time.perf_counter() - began, 1),
        "sampled": not full,
        "asked": counted.asked,
        "beside": counted.beside,
        "refused": counted.refused,
        "labels": counted.labels,
        "lost_labels": counted.lost_labels,
    }
    _show(shared, root, result)


def _span(model: str, first: str, last: str) -> Span:
    if not Path(f"models/{model}/model.yaml").exists():
        known = ", ".join(sorted(path.parent.name for path in Path("models").glob("*/model.yaml"))) or "none"
        output.fail(f"there is no models/{model}/model.yaml (models: {known})", output.EXIT_USAGE)
    if not first or not last:
        output.fail("say which months: --from 2013-01 --to 2013-12", output.EXIT_USAGE)
    try:
        found = simulation.months(first, last)
    except ValueError as error:
        output.fail(str(error), output.EXIT_USAGE)
    if len(found) <= LEARNT:
        months = f"{len(found)} month{'s' if len(found) > 1 else ''}"
        output.fail(
            f"{first} to {last} {'are' if len(found) > 1 else 'is'} {months}: the first {LEARNT} are learnt from, and "
            "at least one must follow",
            output.EXIT_USAGE,
        )
    return Span(learnt=found[:LEARNT], replayed=found[LEARNT:], hours=HOURS)


def _made(model: str, out: Path, span: Span) -> list[Path]:
    """The month files that the model's own monthly.py makes."""
    script = Path("models") / model / "monthly.py"
    if not script.exists():
        output.fail(f"name the files of {model}'s data: there is no {script} that makes them", output.EXIT_USAGE)
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(script), "--out", str(out), "--months", "1-12"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        output.fail(f"`{' '.join(command[1:])}` failed:\n{ran.stderr.strip() or ran.stdout.strip()}")
    found = [out / f"{month}.csv" for month in [*span.learnt, *span.replayed]]
    if missing := [path.stem for path in found if not path.exists()]:
        output.fail(f"{script} makes no data of {', '.join(missing)}", output.EXIT_USAGE)
    return found


def _spec(model: str) -> ModelSpec:
    """The spec that the model's stacks were synthesized with."""
    template = next(iter(engine.ASSEMBLY.glob(f"perennial-*-{model}-training.template.json")))
    wanted = json.loads(template.read_text())["Outputs"][names.OUTPUT_SPEC_ID]["Value"]
    found = next(iter(reports.ASSETS.glob(f"*/spec-{wanted}.json")))
    return ModelSpec.from_bytes(found.read_bytes())


def _need_months(rows: Rows, span: Span) -> None:
    known = rows.months()
    if missing := [month for month in [*span.learnt, *span.replayed] if month not in known]:
        output.fail(f"the data have no rows of {', '.join(missing)}; they have {known[0]} to {known[-1]}")


def _show(shared: Shared, root: Path, result: dict[str, Any]) -> None:
    """Print the result, and leave it as a page and as JSON among the reports of this checkout."""
    folder = root / reports.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    saved = folder / f"{result['model']}-simulation.html"
    saved.write_text(page(result))
    saved.with_suffix(".json").write_text(json.dumps(result, indent=1))
    if shared.out.as_json:
        shared.out.value(result)
        return
    output.console().print(chart(result))
    shared.out.line(
        f"\n{result['asked']:,} rows asked, {result['labels']:,} labels told, {result['beside']:,} rows scored beside, "
        f"in {result['seconds']:.0f} s."
    )
    shared.out.line(f"Page  {saved.relative_to(root)}")
