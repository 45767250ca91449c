"""Training rows -> baseline.json: their profile, which later data versions are compared with for drift."""

import json

from lifecycle.profile_file import profile_to_plain
from lifecycle.spec import Contract
from tabular.profile import profile_frame
from training.rows import Rows


def of(rows: Rows, contract: Contract) -> bytes:
    """Return the file's bytes (the same profile as of any stored object, private columns as counts only)."""
    return json.dumps(profile_to_plain(profile_frame(rows.raw, contract)), ensure_ascii=False).encode()
