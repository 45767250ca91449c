"""What the keys of a model.yaml say together about columns: every contradiction, with the key where it is mended."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lifecycle.families import MONOTONIC
from lifecycle.schema import Kind, Task
from stacks.column_groups import expand
from stacks.column_rules import Rule
from stacks.learning_checks import learning_problems
from stacks.model_assets import FEATURES
from stacks.model_file import ModelFile
from stacks.plan_checks import plan_problems
from stacks.preparation_rules import preparation_problems
from stacks.python_file import functions_of
from stacks.yaml_file import Problem

ENCODABLE = (Kind.NUMBER, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORY, Kind.DATETIME)
NUMERIC = (Kind.NUMBER, Kind.INTEGER)
TARGETS = {
    Task.BINARY: (Kind.BOOLEAN, Kind.CATEGORY, Kind.INTEGER),
    Task.MULTICLASS: (Kind.CATEGORY, Kind.INTEGER),
    Task.REGRESSION: NUMERIC,
}
Columns = Mapping[str, Rule]
Check = Callable[[ModelFile, Columns], Iterator[Problem]]


def check(written: ModelFile, folder: Path) -> list[Problem]:
    """Return every problem of a file whose keys are valid one by one; `folder` is the model's."""
    problems = list(_name(written, folder))
    if unclear := list(_groups(written)):
        return problems + unclear  # nobody knows the columns then
    columns = columns_of(written)
    for each in (_rules, _roles, _target, _private, _slices, _monotonic):
        problems += each(written, columns)
    problems += _features(written, columns, folder)
    problems += preparation_problems(written, columns)
    problems += plan_problems(written, folder)
    problems += learning_problems(written, columns, folder)
    return problems


def columns_of(written: ModelFile) -> dict[str, Rule]:
    """Return every column with its rules, in file order; what `columns` says wins over a group."""
    found = dict(written.columns)
    for text, rule in written.groups.items():
        for name in expand(text):
            found.setdefault(name, rule)
    return found


def _name(written: ModelFile, folder: Path) -> Iterator[Problem]:
    if (folder / "requirements.txt").exists():
        yield Problem("", "requirements.txt beside it is not supported yet: jobs have the image's packages and polars")
    if written.model != folder.name:
        yield Problem("model", f"must be the folder's name {folder.name!r}, found {written.model!r}")


def _groups(written: ModelFile) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for text in written.groups:
        try:
            names = expand(text)
        except ValueError as error:
            yield Problem(f"groups.{text}", str(error))
            continue
        twice = next((name for name in names if name in seen), None)
        if twice is not None:
            yield Problem(f"groups.{text}", f"holds {twice!r}, which groups.{seen[twice]} holds too")
        seen.update(dict.fromkeys(names, text))


def _rules(written: ModelFile, _columns: Columns) -> Iterator[Problem]:
    for place, rules in (("columns", written.columns), ("groups", written.groups)):
        for name, rule in rules.items():
            for text in _contradictions(rule):
                yield Problem(f"{place}.{name}", text)
    if not written.columns and not written.groups:
        yield Problem("columns", "is missing: name every column of the files that matters, with its kind")


def _contradictions(rule: Rule) -> Iterator[str]:
    if rule.kind not in NUMERIC and (rule.min is not None or rule.max is not None):
        yield f"min and max are for number and integer, found kind {rule.kind}"
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield f"min {rule.min:g} is above max {rule.max:g}"
    if rule.kind is not Kind.CATEGORY and (rule.categories is not None or rule.unseen != "allow"):
        yield f"categories and unseen are for category, found kind {rule.kind}"
    if rule.monotonic is not None and (rule.kind not in NUMERIC or not rule.feature):
        yield f"monotonic is for number and integer features, found kind {rule.kind}, feature {rule.feature}"
    if rule.categories is not None and len(set(rule.categories)) < len(rule.categories):
        yield "categories lists a value twice"
    if (rule.since is None) != (rule.default is None):
        yield "since and default belong together: from when a column exists, and what older rows get"
    if rule.default is not None and not _fits(rule, rule.default):
        yield f"default {rule.default!r} is no value of this column (kind {rule.kind})"


def _monotonic(written: ModelFile, columns: Columns) -> Iterator[Problem]:
    bound = [name for name, rule in columns.items() if rule.monotonic is not None]
    if not bound:
        return
    if written.task is Task.MULTICLASS:
        yield Problem(f"columns.{bound[0]}", "monotonic is for binary and regression: several classes have no order")
    named = [entry.family or entry.estimator or "" for entry in written.candidates or ()]
    if not named or not set(named) <= set(MONOTONIC):
        found = ", ".join(named) or "none, so the usual families of the task"
        yield Problem("candidates", f"monotonic columns need candidates of {', '.join(MONOTONIC)} only; found {found}")


def _fits(rule: Rule, value: object) -> bool:
    if rule.kind is Kind.BOOLEAN:
        return isinstance(value, bool)
    if rule.kind in NUMERIC:
        within = isinstance(value, int | float) and not isinstance(value, bool)
        low, high = rule.min if rule.min is not None else value, rule.max if rule.max is not None else value
        return within and low <= value <= high  # type: ignore[operator]
    return isinstance(value, str) and (rule.categories is None or value in rule.categories)


def _roles(written: ModelFile, columns: Columns) -> Iterator[Problem]:
    text = (Kind.ID, Kind.TEXT, Kind.CATEGORY, Kind.INTEGER)
    roles = (
        ("id", written.id, text),
        ("time", written.time, (Kind.DATETIME,)),
        ("weight", written.weight, NUMERIC),
        ("split.key", written.split.key, (*text, Kind.NUMBER, Kind.BOOLEAN, Kind.DATETIME)),
    )
    for key, name, kinds in roles:
        if name is None:
            continue
        if name not in columns:
            yield Problem(key, f"must be a column, found {name!r}")
        elif columns[name].kind not in kinds:
            allowed = ", ".join(kinds)
            yield Problem(key, f"must be a column of kind {allowed}; {name!r} is {columns[name].kind}")
        elif name == written.target:
            yield Problem(key, f"must not be the target {name!r}")
    if written.split.by == "time" and written.time is None:
        yield Problem("split.by", "time needs the key `time`: the column that orders rows")
    if written.max_age_days is not None and written.time is None:
        yield Problem("max_age_days", "needs the key `time`: the column that says how old a row is")


def _target(written: ModelFile, columns: Columns) -> Iterator[Problem]:
    rule = columns.get(written.target)
    if rule is None:
        yield Problem("target", f"must be a column, found {written.target!r}; columns: {_some(columns)}")
        return
    if rule.kind not in TARGETS[written.task]:
        allowed = ", ".join(TARGETS[written.task])
        yield Problem("target", f"must be of kind {allowed} for task {written.task}; {written.target!r} is {rule.kind}")
    if written.task is not Task.BINARY:
        if written.positive is not None:
            yield Problem("positive", f"is for task binary; this task is {written.task}")
        return
    if written.positive is None:
        yield Problem("positive", 'is missing: the label whose probability is answered, such as positive: "true"')
    elif rule.kind is Kind.BOOLEAN and written.positive not in ("true", "false"):
        yield Problem("positive", f'must be "true" or "false" for a boolean target, found {written.positive!r}')
    elif rule.categories is not None and written.positive not in rule.categories:
        yield Problem("positive", f"must be one of the target's categories, found {written.positive!r}")


def _private(written: ModelFile, columns: Columns) -> Iterator[Problem]:
    if written.gates.replay is None:
        return
    for name, rule in columns.items():
        if rule.private and rule.feature and rule.kind in ENCODABLE and name not in (written.target, written.id):
            text = (
                "a private column cannot be a feature while gates.replay asks for logged rows, which do not hold it: "
                "say `feature: false` here, or leave gates.replay out"
            )
            yield Problem(f"columns.{name}.private", text)


def _slices(written: ModelFile, columns: Columns) -> Iterator[Problem]:
    known = {name: rule.kind for name, rule in columns.items()} | {
        k: Kind(rule.kind) for k, rule in written.derived.items()
    }
    for number, gate in enumerate(written.gates.slices):
        key = f"gates.slices.{number}.column"
        if gate.column not in known:
            yield Problem(key, f"must be a column or a derived one, found {gate.column!r}; columns: {_some(known)}")
        elif known[gate.column] not in (Kind.CATEGORY, Kind.BOOLEAN, Kind.INTEGER):
            yield Problem(key, f"must be a category, boolean or integer; {gate.column!r} is {known[gate.column]}")


def _features(written: ModelFile, columns: Columns, folder: Path) -> Iterator[Problem]:
    file = folder / FEATURES
    if written.derived and not file.is_file():
        yield Problem("derived", f"names what features.py returns, but {file} does not exist")
    elif file.is_file() and not written.derived:
        yield Problem("derived", "is missing: features.py exists, so name what its features() returns, with kinds")
    elif file.is_file():
        found, problem = functions_of(file)
        if problem or "features" not in found:
            yield Problem("derived", problem or f"{file} has no function features(row)")
    if written.target in written.derived:
        yield Problem(f"derived.{written.target}", "is the target; a feature must not replace it")
    used = [
        name
        for name, rule in columns.items()
        if rule.feature and rule.kind in ENCODABLE and name not in (written.target, written.weight, written.id)
    ]
    if columns and not used and not written.derived:
        yield Problem("columns", "leaves no feature: at least one number, integer, boolean, category or datetime")


def _some(names: Mapping[str, object]) -> str:
    listed = list(names)
    return ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
