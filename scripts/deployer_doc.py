"""What the deployer does with changed properties -> the table of docs/deployer.md.

python -m scripts.deployer_doc
"""

import re
from collections.abc import Iterator
from pathlib import Path

from local.resources.catalogue import KINDS
from local.resources.kind import Kind

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "deployer.md"
HEAD = "| type | in place | in place, but not taken away | by a new resource | refused |\n|---|---|---|---|---|\n"


def names_of(kind: Kind) -> list[str]:
    """Return the properties of a type, without what is below them."""
    return sorted({path.partition(".")[0] for path in kind.properties.split()} | ({"Tags"} if kind.tags else set()))


def change_of(kind: Kind, name: str) -> str:
    """Return what a change of a property does: `update`, `replace` or `refuse`."""
    if kind.replaces == "*" or name in kind.replaces.split():
        return "replace"
    return "update" if name in kind.updates.split() else "refuse"


def table() -> str:
    """Return the table, a row for each type."""
    return HEAD + "".join(f"| {' | '.join([name, *_cells(KINDS[name])])} |\n" for name in sorted(KINDS))


def _cells(kind: Kind) -> Iterator[str]:
    changes = {name: change_of(kind, name) for name in names_of(kind)}
    updated = [name for name, change in changes.items() if change == "update"]
    for names in (
        [name for name in updated if name in kind.defaults],
        [name for name in updated if name not in kind.defaults],
        [name for name, change in changes.items() if change == "replace"],
        [name for name, change in changes.items() if change == "refuse"],
    ):
        yield ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Put the table in place of the one that is there."""
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(re.sub(re.escape(HEAD) + r"(\|.*\n)*", table().replace("\\", "\\\\"), text))


if __name__ == "__main__":
    main()
