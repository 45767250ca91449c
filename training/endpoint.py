"""Fitted estimator -> endpoint.tar.gz, the archive that a SageMaker endpoint serves where nothing can be compiled.

model.skops      the estimator: plain data, and names of classes that may be loaded; no pickle
endpoint.json    task, number of classes, and those names
code/            inference.py and the libraries that it needs besides the image's own
"""

import gzip
import importlib.util
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle.errors import ModelRejected
from lifecycle.remote import KIND
from lifecycle.spec import Task
from training import inference, predict
from training.compile import Fitted

if TYPE_CHECKING:
    from lifecycle.remote import Ask, Vector

FILE = "endpoint.tar.gz"
VENDORED = ("skops", "packaging")
LEFT_OUT = ("tests", "__pycache__", "card", "cli", "hub_utils")  # of skops: what loading a model does not import


def archive(fitted: Fitted, task: Task) -> bytes:
    """Return the archive, equal for equal estimators.

    Raises
    ------
    ModelRejected
        when the estimator holds something that skops cannot write, or a class that is neither skops's own choice nor of
        numpy, scipy or scikit-learn; the message names it.
    """
    from skops import io as skops  # late: needs the vendored wheels

    try:
        data = skops.dumps(fitted.estimator)
        types = sorted(skops.get_untrusted_types(data=data))
    except Exception as error:  # the estimator's own classes decide what is raised here
        raise ModelRejected(f"{fitted.family} cannot be written by skops: {type(error).__name__}: {error}") from error
    foreign = [name for name in types if not name.startswith(inference.STOCK)]
    if foreign:
        raise ModelRejected(
            f"{fitted.family} holds {', '.join(foreign)}: an endpoint loads only classes of scikit-learn, numpy and "
            "scipy. Build the estimator from those."
        )
    facts = {"schema": 1, "task": str(task), "classes": len(fitted.classes or ()), "types": types}
    files = {"model.skops": data, "endpoint.json": json.dumps(facts, sort_keys=True).encode()}
    files["code/inference.py"] = Path(inference.__file__).read_bytes()
    return _packed({**files, **dict(_vendored())})


def served(packed: bytes) -> "Ask":
    """Return what an endpoint of the archive answers for encoded rows, by the very functions that run there."""
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(folder, filter="data")
        model = inference.model_fn(folder)

    def ask(rows: "Sequence[Vector]") -> list[list[float]]:
        given = inference.input_fn(json.dumps({"rows": rows}, allow_nan=False), inference.JSON)
        answer, _ = inference.output_fn(inference.predict_fn(given, model), inference.JSON)
        return json.loads(answer)["outputs"]  # type: ignore[no-any-return]

    return ask


def estimator_data(estimator: Any) -> dict[str, Any]:
    """Return what stands in the compiled file where a compiled estimator would."""
    return {"kind": KIND, "link": "identity", "nan": type(predict.inner(estimator)).__name__ in predict.MISSING_IS_NAN}


def _vendored() -> Iterator[tuple[str, bytes]]:
    for name in VENDORED:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise ModelRejected(f"the jobs' wheels lack {name}, which an endpoint needs. Run `make build`.")
        home = Path(found.origin).parent
        for path in sorted(home.rglob("*.py")):
            inside = path.relative_to(home.parent)
            if not set(inside.parts) & set(LEFT_OUT):
                yield f"code/{inside.as_posix()}", path.read_bytes()


def _packed(files: dict[str, Any]) -> bytes:
    plain, packed = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as squeezed:
        squeezed.write(plain.getvalue())
    return packed.getvalue()
