"""What a file says about its columns -> the text of models/<name>/model.yaml, with comments that say what to check."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from typing import Final

from cli.numbered_columns import runs_of
from lifecycle import names
from lifecycle.encoding import NUMBER_LIMIT
from lifecycle.schema import Kind, Task
from tabular.infer import NUMERIC, ColumnFacts

LISTED: Final = 6
SHOWN_LENGTH: Final = 24
YAML_WORDS: Final = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Everything that the text is made from; `leaks` maps columns to the reason of the suspicion."""

    model: str
    source: str
    target: str
    task: Task
    positive: str | None
    facts: Mapping[str, ColumnFacts]
    cut: bool = False
    id: str | None = None
    key: tuple[str, float] | None = None
    times: Sequence[str] = ()
    leaks: Mapping[str, str] = field(default_factory=dict)


def text_of(draft: Draft) -> str:
    """Return the whole file."""
    parts = [_head(draft), _columns(draft), _groups(draft), _training(draft)]
    return "\n".join("\n".join(part) + "\n" for part in parts if part)


def quoted(text: str) -> str:
    """Return a text as YAML, in quotes unless it can only be read as that text.

    >>> quoted("origin"), quoted("no"), quoted("a: b")
    ('origin', '"no"', '"a: b"')
    """
    plain = text.replace("-", "_").isidentifier() and text[0] != "-" and text.lower() not in YAML_WORDS
    return text if plain else in_quotes(text)


def in_quotes(text: str) -> str:
    """Return a text in double quotes as YAML reads it; characters that cannot be printed are escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def bounds(low: float, high: float, *, whole: bool) -> tuple[float, float]:
    """Return a range with slack around what was seen: half its width on each side, round numbers, no new sign.

    >>> bounds(12, 94, whole=True), bounds(-3.1, 4.2, whole=False)
    ((0, 140), (-6.8, 7.9))
    """
    slack = (high - low) / 2 or abs(high) or 1.0
    down = 0.0 if low >= 0 else _rounded(low - slack, ROUND_FLOOR)
    up = 0.0 if high < 0 else _rounded(high + slack, ROUND_CEILING)
    return (math.floor(down), math.ceil(up)) if whole else (down, up)


def null_share(missing: int, rows: int) -> float:
    """Return how much may be missing: nothing where nothing was, else twice as much and a little more."""
    return 0.0 if not missing else min(1.0, math.ceil(200 * missing / rows + 2) / 100)


def _rounded(value: float, rounding: str) -> float:
    """Two significant digits, within what a model can compute with."""
    kept = max(-NUMBER_LIMIT, min(value, NUMBER_LIMIT))
    return float(Context(prec=2, rounding=rounding).create_decimal(repr(kept)))


def _head(draft: Draft) -> list[str]:
    facts = draft.facts[draft.target]
    rows = f"the first {facts.rows:,} rows" if draft.cut else f"{facts.rows:,} rows"
    lines = [
        "# yaml-language-server: $schema=../model.schema.json",
        f"# Written by `perennial new` from {rows} of {draft.source}. It is yours now: read it, correct it.",
        f"model: {quoted(draft.model)}",
        f"dataset: {quoted(draft.model)}   # files uploaded to incoming/{draft.model}/ feed this model",
        f"task: {draft.task}   # {_task_reason(draft.task, facts)}",
        f"target: {quoted(draft.target)}",
    ]
    if draft.positive is not None:
        lines.append(f"positive: {in_quotes(draft.positive)}   # probabilities are those of this label")
    if draft.id is not None:
        lines.append(
            f"id: {quoted(draft.id)}   # a value of its own in every row; a repeated one refuses the data version"
        )
    for name in draft.times[:3]:
        lines.append(
            f"# time: {quoted(name)}   # a time in every row: with it, `split: {{by: time}}` holds the newest rows out"
        )
    if facts.missing:
        lines.append(f"missing_label: drop   # {facts.missing:,} rows have no label; they stay out of training")
    lines += [
        "extra_columns: ignore   # `reject` refuses files and requests with columns that are not listed here",
        "max_invalid_share: 0.01   # share of rows that may hold an unreadable or out-of-range value",
        f"min_rows: {max(50, facts.rows // 10)}",
    ]
    return lines


def _task_reason(task: Task, facts: ColumnFacts) -> str:
    if task is Task.REGRESSION:
        return f"numbers from {facts.low:g} to {facts.high:g}"
    total = facts.rows - facts.missing
    shares = ", ".join(f"{_shown(value)} {count / total:.1%}" for value, count in facts.values[:LISTED])
    return f"{facts.distinct} values: {shares}{', ...' if facts.distinct > LISTED else ''}"


def _columns(draft: Draft) -> list[str]:
    lines = [
        "# kind: number, integer, boolean, category, datetime, text or id; text and id are not features by themselves.",
        "# min and max have slack around what was seen. max_null_share: 0 means that a value must always be there.",
        "# A column that is only known after the moment of prediction must get `feature: false`, or be deleted here.",
        "columns:",
    ]
    grouped = {name for members in _runs(draft) for name in members}
    for name, facts in draft.facts.items():
        if name not in grouped:
            lines += _column(draft, name, facts)
    return lines


def _column(draft: Draft, name: str, facts: ColumnFacts) -> list[str]:
    is_target = name == draft.target
    kind = _target_kind(draft, facts) if is_target else facts.kind
    rule = [f"kind: {kind}"]
    constant = facts.distinct <= 1 and not is_target
    if kind in NUMERIC and facts.low is not None and facts.high is not None and not (is_target or constant):
        low, high = bounds(facts.low, facts.high, whole=kind is Kind.INTEGER)
        rule += [f"min: {_number(low)}", f"max: {_number(high)}"]
    if is_target and kind is Kind.CATEGORY:
        values = ", ".join(in_quotes(value) for value, _ in facts.values)
        rule.append(f"categories: [{values}]")
    if constant and kind in (*NUMERIC, Kind.BOOLEAN, Kind.CATEGORY, Kind.DATETIME):
        rule.append("feature: false")
    if not is_target and name != draft.id:
        rule.append(f"max_null_share: {_number(null_share(facts.missing, facts.rows))}")
    warnings = []
    if name in draft.leaks:
        warnings.append(f"  # LEAK? {draft.leaks[name]}. If it is known only afterwards, it must go.")
    notes = [text for text in (_remark(facts, constant=constant), facts.note) if text and not is_target]
    comment = f"   # {'; '.join(notes)}" if notes else ""
    return [*warnings, f"  {quoted(name)}: {{{', '.join(rule)}}}{comment}"]


def _target_kind(draft: Draft, facts: ColumnFacts) -> Kind:
    if draft.task is Task.REGRESSION or facts.kind is Kind.BOOLEAN:
        return facts.kind if facts.kind is not Kind.ID else Kind.INTEGER
    return Kind.CATEGORY


def _remark(facts: ColumnFacts, *, constant: bool) -> str | None:
    if facts.odd:
        return f"{facts.odd:,} values do not fit, such as {_shown(facts.example or '')}: they count as invalid"
    if constant and facts.distinct:
        return f"always {_shown(facts.values[0][0])}" if facts.values else "always the same"
    shown = [_shown(value) for value, _ in facts.values]
    if facts.kind is Kind.CATEGORY:
        more = ", ..." if facts.distinct > LISTED else ""
        return f"{facts.distinct} values: {', '.join(shown[:LISTED])}{more}"
    if facts.kind in (Kind.TEXT, Kind.ID, Kind.DATETIME) and shown:
        return f"such as {shown[0]}"
    return None


def _groups(draft: Draft) -> list[str]:
    lines = []
    for members in _runs(draft):
        facts = [draft.facts[name] for name in members]
        whole = all(fact.kind is Kind.INTEGER for fact in facts)
        low, high = bounds(
            min(f.low for f in facts if f.low is not None),
            max(f.high for f in facts if f.high is not None),
            whole=whole,
        )
        share = max(null_share(fact.missing, fact.rows) for fact in facts)
        kind = Kind.INTEGER if whole else Kind.NUMBER
        rule = f"kind: {kind}, min: {_number(low)}, max: {_number(high)}, max_null_share: {_number(share)}"
        lines.append(f"  {in_quotes(f'{members[0]}..{members[-1]}')}: {{{rule}}}   # {len(members)} columns")
    return ["# Columns that share one rule, from the first to the last of a range.", "groups:", *lines] if lines else []


def _runs(draft: Draft) -> list[list[str]]:
    """Numbered numeric columns without a rule of their own that can share one entry."""
    sharing = {
        name
        for name, facts in draft.facts.items()
        if facts.kind in NUMERIC and facts.note is None and not facts.odd and name not in {draft.target, *draft.leaks}
    }
    return runs_of(list(draft.facts), sharing)


def _training(draft: Draft) -> list[str]:
    first = names.RIDGE if draft.task is Task.REGRESSION else names.LOGISTIC_REGRESSION
    lines = []
    if draft.key is not None:
        name, each = draft.key
        lines += [
            f"# {_shown(name)} repeats ({each:.1f} rows each): such rows resemble each other and stay on one side.",
            f"split: {{by: hash, key: {quoted(name)}, holdout: 0.2, validation: 0.2}}",
        ]
    else:
        lines.append("split: {by: hash, holdout: 0.2, validation: 0.2}   # `by: time` when rows have a time")
    lines.append(f"candidates: [{first}, {names.RANDOM_FOREST}, {names.HIST_GRADIENT_BOOSTING}]")
    if draft.task is Task.BINARY:
        lines += [
            "# The threshold is chosen on validation data: by a metric, or by what mistakes cost, such as",
            "# decision: {false_positive: 1, false_negative: 10}",
            "decision: {metric: f1_score}",
        ]
    lines += [
        "# A candidate must beat a dummy that ignores the columns. More can be asked for, such as",
        "# gates: {metrics: [{metric: " + _gate(draft.task) + "}]}",
        "serving: {auth: iam, max_rows: 1000}",
    ]
    return lines


def _gate(task: Task) -> str:
    return {
        Task.BINARY: "pr_auc_score, min: 0.5",
        Task.MULTICLASS: "macro_f1_score, min: 0.5",
        Task.REGRESSION: "r2_score, min: 0.5",
    }[task]


def _shown(value: str) -> str:
    cut = value if len(value) <= SHOWN_LENGTH else f"{value[:SHOWN_LENGTH]}…"
    return in_quotes(cut)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
