"""Files that a person names for upload: what would be refused later, said before anything is sent."""

from collections.abc import Sequence
from pathlib import Path

from cli import output
from lifecycle import formats
from lifecycle.errors import DatasetRejected


def need_uploadable(files: Sequence[Path]) -> None:
    """End the command when two files would become one object, or when one has a name that is never read."""
    names = [file.name for file in files]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        output.fail(
            f"files of one name replace each other in the dataset: {', '.join(twice)}. Rename one.", output.EXIT_USAGE
        )
    for name in names:
        try:
            formats.of_name(name)
        except DatasetRejected as error:
            output.fail(str(error), output.EXIT_USAGE)
