"""The repository's own rules: sizes, the engine's share, one spelling of names, nothing of one machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("lifecycle", "cloud", "tabular", "lambdas", "training", "stacks", "cli")
MODULE_LINES = 250
FUNCTION_LINES = 40
# docs/decisions/0006-engine-size.md: both may be lowered, never raised
ENGINE_LINES = 12306
ENGINE_SHARE = 0.39  # of engine and product together


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def code_lines(path: Path) -> int:
    """Lines that hold code: neither blank, nor comment, nor docstring, so that explaining costs no budget."""
    documented = {
        number
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    numbered = enumerate(path.read_text().splitlines(), 1)
    return sum(1 for n, text in numbered if text.strip() and not text.strip().startswith("#") and n not in documented)


def test_no_module_of_the_product_or_the_engine_is_longer_than_its_budget() -> None:
    long = {str(p.relative_to(ROOT)): lines(p) for p in modules(*PRODUCT, "local") if lines(p) > MODULE_LINES}
    assert long == {}


def test_no_function_is_longer_than_its_budget() -> None:
    long = {}
    for path in modules(*PRODUCT, "local"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                documented = ast.get_docstring(node) is not None
                first = node.body[1] if documented and len(node.body) > 1 else node.body[0]
                size = (node.end_lineno or 0) - first.lineno + 1
                if size > FUNCTION_LINES:
                    long[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = size
    assert long == {}


def test_the_engine_only_gets_lighter() -> None:
    engine = sum(code_lines(p) for p in modules("local"))
    product = sum(code_lines(p) for p in modules(*PRODUCT))
    assert engine <= ENGINE_LINES
    assert engine <= (engine + product) * ENGINE_SHARE


@pytest.mark.parametrize("name", ["utils", "common", "helpers", "manager", "base", "misc"])
def test_no_module_is_named_after_nothing(name: str) -> None:
    assert [p for p in modules(*PRODUCT, "local") if p.stem == name] == []


def test_nothing_names_a_path_of_one_machine_or_a_registry_host() -> None:
    pattern = re.compile(r"/(?:work|root|farm)/|registry\.npmjs|files\.pythonhosted|/tmp/bash")
    found = []
    for path in tracked():
        if path == Path(__file__).resolve() or path.suffix in (".png", ".lock"):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {m.group()}" for m in pattern.finditer(text)]
    assert found == []


def test_prose_and_code_keep_to_120_columns() -> None:
    wide = []
    for path in tracked():
        if path.suffix in (".py", ".md", ".sh"):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if len(line) > 120 and not line.startswith("|") and "http" not in line:
                    wide.append(f"{path.relative_to(ROOT)}:{number}")
    assert wide == []


def test_error_names_in_the_state_machines_exist() -> None:
    import lifecycle.errors as errors

    known = {name for name in vars(errors) if name[0].isupper()}
    used = set()
    for path in modules("stacks"):
        used |= set(re.findall(r"errors\.([A-Z]\w+)", path.read_text()))
    assert used <= known
