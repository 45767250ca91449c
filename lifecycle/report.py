"""A verdict -> the validation report: JSON for machines, a page for people."""

from collections.abc import Sequence
from typing import Any, Final

from lifecycle import page
from lifecycle.finding import Finding
from lifecycle.profile import ColumnProfile
from lifecycle.spec import ModelSpec
from lifecycle.validation import Verdict

SCHEMA: Final = 1
LISTED: Final = 200


def to_plain(verdict: Verdict, run_id: str, version: str) -> dict[str, Any]:
    """Return `report.json`; at most 200 problems and notes are listed, all are counted."""
    return {
        "schema": SCHEMA,
        "run_id": run_id,
        "version": version,
        "accepted": verdict.accepted,
        "rows": verdict.profile.rows,
        "problem_count": len(verdict.problems),
        "note_count": len(verdict.notes),
        "problems": [finding.to_plain() for finding in verdict.problems[:LISTED]],
        "notes": [finding.to_plain() for finding in verdict.notes[:LISTED]],
    }


def to_page(verdict: Verdict, spec: ModelSpec, version: str) -> str:
    """Return `report.html`."""
    word = "accepted" if verdict.accepted else "rejected: it is not trained on, and the live model keeps answering"
    tone = "good" if verdict.accepted else "bad"
    summary = [
        page.paragraph(f"Version {version[:12]} is {word}.", tone),
        f"{verdict.profile.rows:,} rows, {len(verdict.problems)} problems, {len(verdict.notes)} notes.",
    ]
    sections: list[page.Section] = [("Verdict", summary)]
    for title, findings in (("Problems", verdict.problems), ("Notes", verdict.notes)):
        if findings:
            sections.append((title, [_findings(findings)]))
    if verdict.profile.columns:
        sections.append(("Columns", [_columns(verdict, spec)]))
    return page.render(f"{spec.model}: validation of {spec.dataset} {version[:12]}", sections)


def _findings(findings: Sequence[Finding]) -> page.Html:
    rows = [(one.check, one.column or "", ", ".join(one.objects[:3]), one.text) for one in findings[:LISTED]]
    return page.table(("Check", "Column", "File", "What was found, what is allowed, what to do"), rows)


def _columns(verdict: Verdict, spec: ModelSpec) -> page.Html:
    headers = ("Column", "Kind", "Missing", "Unreadable", "Outside", "Smallest", "Mean", "Largest", "Most frequent")
    rows = []
    for column in spec.contract.columns:
        part = verdict.profile.columns[column.name]
        counts = (part.missing + part.absent, part.unreadable.count, part.outside.count)
        rows.append((column.name, str(column.kind), *counts, *_numbers(part), _frequent(part)))
    return page.table(headers, rows)


def _numbers(part: ColumnProfile) -> tuple[float | None, float | None, float | None]:
    if part.numbers is None or part.numbers.min is None:
        return (None, None, None)
    return (part.numbers.min, part.numbers.mean, part.numbers.max)


def _frequent(part: ColumnProfile) -> str:
    if part.categories is None:
        return ""
    counts = sorted(part.categories.counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{value[:30]} ({count})" for value, count in counts[:3])
