"""docs/limits.md: every test that it names exists, and so does every row of docs/unverified.md."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = re.findall(r"^\| .+ \| (tests/\S+)::(\w+) \| (\d+) \|$", (ROOT / "docs/limits.md").read_text(), re.MULTILINE)
CHECKED = re.findall(r"^\| (\d+) \|", (ROOT / "docs/unverified.md").read_text(), re.MULTILINE)


def test_every_row_of_the_table_is_read() -> None:
    lines = [line for line in (ROOT / "docs/limits.md").read_text().splitlines() if line.startswith("| ")]
    assert len(ROWS) == len(lines) - 1


@pytest.mark.parametrize(("file", "name", "row"), ROWS, ids=[name for _, name, _ in ROWS])
def test_each_limit_has_its_test_and_the_call_that_would_confirm_it(file: str, name: str, row: str) -> None:
    defined = {node.name for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)}
    assert name in defined
    assert row in CHECKED


def test_each_assumption_has_a_number_of_its_own() -> None:
    assert [str(number + 1) for number in range(len(CHECKED))] == CHECKED
