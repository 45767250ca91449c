"""Scorecard -> report.html for people and card.md, the model card that goes with the package."""

from collections.abc import Mapping, Sequence
from typing import Any

from lifecycle import charts, page
from lifecycle.gate import difference_in_words
from lifecycle.metrics import larger_is_better
from lifecycle.page import Section, number

SLICES_SHOWN = 20
SLICE_ROWS = 10


def html(scorecard: Mapping[str, Any], trials: Mapping[str, Sequence[Mapping[str, Any]]], model: str) -> str:
    """Return the evaluation report as one page."""
    winner = scorecard["winner"]
    sections: list[Section] = [
        ("Result", _summary(scorecard)),
        ("Figures on the holdout", [_metrics(scorecard), "The dummy ignores its input; all rows are the same."]),
        ("Against the live model", _comparison(scorecard)),
    ]
    if scorecard["calibration"]:
        sections.append(("Calibration", _calibration(scorecard["calibration"])))
    if scorecard["slices"]:
        sections.append(("Worst slices", _slices(scorecard["slices"])))
    sections.append(("Trials", _trials(trials)))
    sections.append(("Serving", _serving(scorecard)))
    if scorecard["failed_families"]:
        rows = [(entry["family"], entry["reason"]) for entry in scorecard["failed_families"]]
        sections.append(("Families that cannot be used", page.table(["family", "reason"], rows)))
    sections.append(("Settings of the winner", page.table(["name", "value"], _pairs(winner["parameters"]))))
    return page.render(f"{model}: evaluation of {scorecard['run_id']}", sections)


def markdown(scorecard: Mapping[str, Any], model: str, contract: Mapping[str, Any]) -> str:
    """Return the model card."""
    winner, rows = scorecard["winner"], scorecard["rows"]
    figures = scorecard["metrics"]
    lines = [
        f"# {model}",
        "",
        f"Predicts `{contract['target']}` ({scorecard['task']}) with {winner['family']}.",
        "",
        f"- Run `{scorecard['run_id']}`, data version `{scorecard['version']}`, contract `{scorecard['contract_id']}`",
        f"- Trained on {rows['train']:,} rows, tuned on {rows['validation']:,}, judged on {rows['holdout']:,} held out",
        f"- Rows without a label, left out: {rows['unlabelled']:,}",
    ]
    lines.append(f"- {_served(scorecard['serving'])}")
    if winner["threshold"] is not None:
        lines.append(f"- Decides for `{scorecard['classes'][1]}` from a probability of {winner['threshold']:.6g}")
    lines += ["", "| metric | this model | dummy | live model |", "|---|---|---|---|"]
    for name, value in figures["winner"].items():
        live = (figures["champion"] or {}).get(name)
        lines.append(f"| {name} | {number(value)} | {number(figures['dummy'].get(name))} | {number(live)} |")
    lines += ["", "Metrics that end in `_score` are better when larger, the others when smaller.", ""]
    lines += ["## Inputs", "", "| column | kind |", "|---|---|"]
    lines += [f"| {column['name']} | {column['kind']} |" for column in contract["columns"]]
    return "\n".join(lines) + "\n"


def _summary(scorecard: Mapping[str, Any]) -> list[str]:
    rows, winner = scorecard["rows"], scorecard["winner"]
    parts = [
        f"{winner['family']} has the best figure on validation rows of {len(scorecard['metrics']) - 3} families.",
        f"{rows['train']:,} rows to train, {rows['validation']:,} to choose, {rows['holdout']:,} to judge; "
        f"{rows['unlabelled']:,} without a label, {rows['left_out']:,} left out by the split.",
    ]
    if winner["threshold"] is not None:
        parts.append(
            f"The decision is {scorecard['classes'][1]} from a probability of {number(winner['threshold'])}, "
            "chosen on validation rows."
        )
    return parts


def _metrics(scorecard: Mapping[str, Any]) -> page.Html:
    figures = scorecard["metrics"]
    named = [("this model", figures["winner"]), ("dummy", figures["dummy"]), ("live model", figures["champion"] or {})]
    named += [(name, found) for name, found in figures.items() if name not in ("winner", "dummy", "champion")]
    objective = scorecard["objective"]
    units = {objective["metric"]: f" ({objective['unit']} a row)"} if objective["unit"] else {}
    rows = [
        (
            f"{name}{units.get(name, '')}",
            "larger" if larger_is_better(name) else "smaller",
            *(f.get(name) for _, f in named),
        )
        for name in figures["winner"]
    ]
    return page.table(["metric", "better when", *(name for name, _ in named)], rows)


def _comparison(scorecard: Mapping[str, Any]) -> str:
    found = scorecard["comparison"]
    if found is None:
        return f"Not compared: {scorecard['champion']['reason']}."
    return f"{difference_in_words(found, scorecard['objective']['unit'])}, by 1,000 paired resamples of the rows."


def _calibration(bins: Sequence[Mapping[str, Any]]) -> list[str]:
    points = [(entry["predicted"], entry["observed"]) for entry in bins]
    end = max(max(point) for point in points)
    ideal = [(0.0, 0.0), (end, end)]
    plot = charts.lines(
        [("this model", points), ("ideal", ideal)],
        "mean predicted probability",
        "observed share",
        "Ten groups of equally many rows",
    )
    return [plot, page.table(["predicted", "observed", "rows"], [tuple(entry.values()) for entry in bins])]


def _slices(slices: Sequence[Mapping[str, Any]]) -> list[str]:
    enough = [entry for entry in slices if entry["rows"] >= SLICE_ROWS and entry["overall"] > 0]
    worst = sorted(enough, key=lambda entry: entry["overall"] / max(entry["score"], 1e-300))[:SLICES_SHOWN]
    bars = [
        (f"{e['column']} = {e['value']}", e["score"] / e["overall"]) for e in worst if e["metric"] == worst[0]["metric"]
    ]
    rows = [tuple(e[key] for key in ("column", "value", "rows", "metric", "score", "overall")) for e in worst]
    return [
        charts.bars(bars, "Loss in the slice as a multiple of the overall loss"),
        page.table(["column", "value", "rows", "metric", "in the slice", "overall"], rows),
    ]


def _trials(trials: Mapping[str, Sequence[Mapping[str, Any]]]) -> page.Html:
    rows = []
    for family, records in trials.items():
        for record in records:
            figure = record.get("error") or "; ".join(f"{k} {number(v)}" for k, v in record["metrics"].items())
            chosen = ", ".join(f"{key} {value}" for key, value in record["parameters"].items())
            rows.append((family, record["trial"], record["rows"], chosen, figure, record.get("seconds")))
    return page.table(["family", "trial", "rows", "settings", "on validation rows", "seconds"], rows)


def _serving(scorecard: Mapping[str, Any]) -> list[str]:
    found, served = scorecard["compiled"], scorecard["serving"]
    parity = found["parity"]
    return [
        _served(served),
        f"Compiled file: {found['bytes']:,} bytes. Served answers were compared with the fitted estimator's on "
        f"{parity['rows']:,} holdout rows: {parity['equal']:,} equal to the bit, "
        f"worst difference {parity['worst']:.2g}.",
    ]


def _served(served: Mapping[str, Any]) -> str:
    if served["endpoint"] is None:
        return "The predict function scores this model itself."
    size = served["endpoint"]["bytes"]
    return f"A SageMaker serverless endpoint scores this model ({size:,} bytes). Reason: {served['reason']}"


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in values.items()]
