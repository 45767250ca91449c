"""Handler asset + compiled model -> the zip of a predict version: same bytes for same parts, readable by anyone.

Lambda runs a function as another user than its files' owner, so every entry is readable by others
(AWS Lambda developer guide, "Deploying Python Lambda functions with .zip file archives": permissions).
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Final

from lifecycle.errors import PromotionRejected

MODEL: Final = "model/compiled.json"
RELEASE: Final = "model/release.json"
FEATURES: Final = "features.py"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_FILE: Final = 0o100644 << 16


def build(asset: bytes, compiled: bytes, release: Mapping[str, str]) -> bytes:
    """Return the package. Files of the asset keep their bytes; a model that lies in the asset already is replaced."""
    added = {MODEL: compiled, RELEASE: json.dumps(release, indent=1, sort_keys=True).encode() + b"\n"}
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(asset)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        files = {info.filename: source.read(info) for info in source.infolist() if not info.is_dir()}
        for name, data in sorted((files | added).items()):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _FILE
            info.create_system = 3  # Unix, so that the mode counts whatever system built the zip
            target.writestr(info, data)
    return packed.getvalue()


def require_fit(asset: bytes, compiled: bytes, properties: Mapping[str, str]) -> None:
    """Raise PromotionRejected when a compiled model is not the registered one, or needs another `features.py`."""
    found = hashlib.sha256(compiled).hexdigest()
    if found != properties["compiled_sha256"]:
        raise PromotionRejected(
            f"the compiled model {properties['compiled']} hashes to {found}, the registry says "
            f"{properties['compiled_sha256']}: it was changed after its evaluation. Train again."
        )
    with zipfile.ZipFile(io.BytesIO(asset)) as source:
        there = FEATURES in source.namelist()
        features = hashlib.sha256(source.read(FEATURES)).hexdigest() if there else None
    wanted = properties.get("features_sha256")
    if features != wanted:
        raise PromotionRejected(
            f"the model was trained with features.py {wanted}, the deployed code holds {features}. "
            "Train a model with this code, or deploy the code that the model was trained with."
        )
