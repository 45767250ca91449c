"""The example model: its monthly files and its features."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

MODEL = Path(__file__).parents[2] / "models" / "flights"
AFTERWARDS = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}


def module(name: str):
    spec = importlib.util.spec_from_file_location(f"flights_{name}", MODEL / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def january(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("months")
    command = [sys.executable, MODEL / "monthly.py", "--out", folder, "--months", "1"]
    subprocess.run(command, check=True, capture_output=True)
    assert [file.name for file in folder.iterdir()] == ["2013-01.csv"]
    return folder / "2013-01.csv"


@pytest.fixture(scope="module")
def table(january) -> pl.DataFrame:
    return pl.read_csv(january, schema_overrides={"wind_gust": pl.Float64})


def test_a_month_holds_all_its_flights_once(table):
    assert table.height == 27_004
    assert table["flight_id"].n_unique() == table.height
    assert table["month"].unique().to_list() == [1]


def test_nothing_is_known_before_departure_that_is_not(table):
    assert not AFTERWARDS & set(table.columns)


def test_cancelled_flights_have_no_label_and_the_others_are_late_or_not(table):
    assert table["late"].null_count() == 606
    assert 0.2 < table["late"].mean() < 0.25


def test_the_weather_is_that_of_the_scheduled_hour(table):
    [first] = table.filter(pl.col("flight_id") == "2013-01-01-UA1545-EWR").to_dicts()
    assert (first["scheduled"], first["temp"], first["wind_dir"]) == ("2013-01-01T10:15:00Z", 39.02, 260)


def test_rows_are_in_the_order_of_their_schedule(table):
    assert table["scheduled"].is_sorted()


def test_the_same_month_has_the_same_bytes(january):
    again = january.with_name("again")
    assert module("monthly").write(again, 1, 1)[0].read_bytes() == january.read_bytes()


@pytest.mark.parametrize("text", ["0", "13", "3-1", "x", ""])
def test_months_that_do_not_exist_are_refused(text):
    with pytest.raises(ValueError, match=r".*"):
        module("monthly").months(text)


def test_features_say_what_the_clock_the_calendar_and_the_route_mean():
    row = {"year": 2013, "month": 1, "day": 1, "sched_dep_time": 1745, "sched_arr_time": 1915}
    found = module("features").features({**row, "origin": "JFK", "dest": "BOS", "carrier": "B6"})
    assert found == {
        "hour": 17,
        "departs": 1065,
        "planned_minutes": 90,
        "weekday": "Tue",
        "route": "JFK-BOS",
        "carrier_origin": "B6-JFK",
    }


def test_a_flight_that_lands_after_midnight_has_no_negative_duration():
    row = {"year": 2013, "month": 1, "day": 1, "sched_dep_time": 2330, "sched_arr_time": 45}
    found = module("features").features({**row, "origin": "JFK", "dest": "BOS", "carrier": "B6"})
    assert found["planned_minutes"] == 75
