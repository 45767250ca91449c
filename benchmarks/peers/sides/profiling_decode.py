"""The floor: every column decoded and forgotten, by polars or by pyarrow, whichever this environment has."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import profiling_turn as turn

if find_spec("pyarrow"):
    from pyarrow.parquet import ParquetFile
else:
    import polars as pl


def with_pyarrow(path: Path, _: None) -> dict[str, Any]:
    return {"rows": sum(batch.num_rows for batch in ParquetFile(path).iter_batches(250_000, use_threads=True))}


def with_polars(path: Path, _: None) -> dict[str, Any]:
    heights = [pl.read_parquet(path, columns=[name]).height for name in (*turn.NUMBERS, *turn.WORDS)]
    return {"rows": heights[0]}


if __name__ == "__main__":
    turn.run(lambda _: None, with_pyarrow if find_spec("pyarrow") else with_polars)
