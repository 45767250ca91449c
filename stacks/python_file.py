"""A user's Python file -> the names of its functions, without running it."""

import ast
from pathlib import Path


def functions_of(path: Path) -> tuple[set[str], str | None]:
    """Return (names of the functions at the top of a file, None), or (nothing, why it cannot be read)."""
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        line = f" at line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        return set(), f"{path} is not Python{line}: {error}"
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, None
