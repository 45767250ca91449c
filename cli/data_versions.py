"""The first digits of a data version, as a person types them -> the version."""

from cli import output, reports
from cli.target import Target
from lifecycle import keys
from lifecycle.versions import Current


def chosen(target: Target, dataset: str, prefix: str) -> str:
    """Return the one data version that begins with `prefix`; ends the command when none or several do."""
    bucket = reports.data(target)
    known = [key.split("/")[2] for key in bucket.keys(keys.versions(dataset)) if key.endswith("/manifest.json")]
    matching = [version for version in known if version.startswith(prefix)]
    if len(matching) != 1:
        shown = (
            ", ".join(output.short(version) for version in known[:10]) or f"none; perennial upload {dataset} FILE..."
        )
        output.fail(f"{prefix!r} begins {len(matching)} data versions of {dataset}; known: {shown}", output.EXIT_USAGE)
    return matching[0]


def newest(target: Target, dataset: str) -> str:
    """Return the newest data version; ends the command when there is none."""
    raw = reports.data(target).read_json(keys.current(dataset))
    if raw is None:
        output.fail(f"{dataset} has no data version yet: perennial upload {dataset} FILE...")
    return Current.from_plain(raw).version
