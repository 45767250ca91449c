"""`perennial monitor`: what the newest look at a model found, what follows from it, and the whole report as a page."""

import webbrowser
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from cli import monitoring, output
from cli.main import CARE, Shared, app, example
from cli.moment import moment
from cli.sparkline import sparkline
from cloud.alarms import IN_ALARM
from lifecycle import monitor_words as words
from lifecycle.page import number, percent

SHOWN: Final = 10  # features in the terminal; the page has all
_HEADS: Final = {"bad": "[bold red]▲ alert[/bold red]", "good": "[bold green]● ok[/bold green]", "": "○ not judged"}
_STATES: Final = {IN_ALARM: IN_ALARM, "OK": "ok", "INSUFFICIENT_DATA": "no data"}
_COLUMNS: Final = ("feature", "state", "severity", "PSI", "p corrected", "missing", "for")


@app.command(
    rich_help_panel=CARE,
    epilog=example(
        "perennial monitor flights", "perennial monitor flights --now --open", "perennial monitor flights --window 2d"
    ),
)
def monitor(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    browse: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
    now: Annotated[bool, typer.Option("--now", help="Look now, and wait for what is found.")] = False,
    at: Annotated[
        str | None, typer.Option("--window", metavar="WHEN", help="The last look by then: ISO 8601, or 2h, 3d.")
    ] = None,
) -> None:
    """Show how a model is doing: drift, quality, alarms, and whether a new run starts."""
    shared: Shared = context.obj
    if now and at is not None:
        output.fail("--now and --window exclude each other", output.EXIT_USAGE)
    target = shared.target()
    if now:
        monitoring.look(target, model)
    window = monitoring.window(target, model, None if at is None else moment(at, target.now()))
    if at is None:
        window = monitoring.with_decision(window, monitoring.decided(target, model))
    alarms = monitoring.alarms(target, model)
    path = monitoring.save(window)
    shared.out.value({"window": window, "alarms": alarms, "report": str(path)})
    _show(shared.out, window, alarms, str(path))
    if browse and not webbrowser.open(path.resolve().as_uri()):
        shared.out.line("There is no browser here to open it with.")


def _show(out: output.Output, window: Mapping[str, Any], alarms: Sequence[Mapping[str, Any]], path: str) -> None:
    if out.as_json:
        return
    out.line(f"[bold]{output.escape(window['model'])}[/bold]  {_HEADS[words.tone(window)]}")
    out.line(output.escape(words.wrong(window)))
    out.line(output.escape(words.next_step(window)))
    if any(one["what"] == "monitor" and one["value"] == IN_ALARM for one in alarms):
        out.line("The looks themselves fail: what stands here may be old. See: perennial logs monitor")
    out.line()
    out.record(dict(_facts(window, alarms)))
    features = [one for one in window["drift"]["features"] if one["drifted"] or (one["severity"] or 0) > 0]
    if features:
        features.sort(key=lambda one: (not one["drifted"], -(one["severity"] or 0)))
        out.line()
        out.table([_feature(one, window["until"], window["judged"]) for one in features[:SHOWN]], _COLUMNS, empty="")
        if len(features) > SHOWN:
            out.line(f"and {len(features) - SHOWN} more; the report has all")
    out.line(f"\nThe whole report: {output.escape(path)}   (or add --open)")


def _facts(window: Mapping[str, Any], alarms: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, Any]]:
    live = f"version {window['model_version']}, run {window['run_id']}" if window["run_id"] else "none"
    yield "live", f"{live}, stage {window['stage']}"
    yield "window", f"{words.moment(window['since'])} to {words.moment(window['until'])}"
    yield "looked at", words.moment(window["at"])
    yield "rows", f"{window['rows']:,}, with a label {words.labelled(window)}"
    yield "quality", words.quality(window)
    money = (window["quality"] or {}).get("money")
    if money:
        yield "money", f"{number(money['per_row'])} {money['unit']} a row, {number(money['total'])} in the window"
    yield "alarms", [_alarm(one) for one in alarms] or "none is deployed"
    history = window["history"]
    if history:
        yield from _history(history)
    if window["notes"]:
        yield "notes", list(window["notes"])


def _alarm(one: Mapping[str, Any]) -> str:
    return f"{one['what']:<9} {_STATES.get(one['value'], one['value']):<8} since {output.when(one['since'])}"


def _history(history: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, str]]:
    drift = [entry["worst_drift"] for entry in history]
    quality = [entry["quality"] for entry in history]
    yield "drift so far", f"{sparkline(drift, scale=(0.0, 1.0))}  {_range(drift)}, alert from 1"
    if any(value is not None for value in quality):
        yield "quality so far", f"{sparkline(quality)}  {_range(quality)}"


def _range(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{words.rounded(min(known))} to {words.rounded(max(known))}" if known else "no figure"


def _feature(one: Mapping[str, Any], until: str, judged: bool) -> dict[str, Any]:
    return {
        "feature": one["name"],
        "state": words.state(one, judged=judged),
        "severity": one["severity"],
        "PSI": one["psi"],
        "p corrected": "" if one["corrected"] is None else f"{one['corrected']:.2g}",
        "missing": f"{percent(one['missing_before'])} → {percent(one['missing'])}",
        "for": _age(words.epoch(until) - words.epoch(one["since"])) if one.get("since") else "",
    }


def _age(seconds: float) -> str:
    """A span of time in whole hours, from two days on in days.

    >>> _age(7200.0), _age(4 * 86400.0)
    ('2 h', '4 d')
    """
    hours = max(0, round(seconds / 3600))
    return f"{hours} h" if hours < 48 else f"{hours // 24} d"
