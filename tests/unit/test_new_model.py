"""A file of the user's becomes models/<name>/model.yaml."""

import csv
import gzip
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.model_file import bounds, null_share, quoted
from cli.new import new_model
from lifecycle.errors import DatasetRejected, LifecycleError, SpecRejected
from stacks.model_yaml import read_model
from tests.tables import MAKERS, TARGETS

TASKS = dict.fromkeys(TARGETS, "binary") | {"fish": "multiclass", "houses": "regression"}
KINDS = {
    "wide": {"faulty": "category"},
    "tickets": {
        "ticket_id": "id",
        "opened_at": "datetime",
        "due_on": "datetime",
        "subject": "text",
        "channel": "category",
        "vip": "boolean",
        "waiting_minutes": "number",
        "escalated": "category",
    },
    "fraud": {
        "transaction": "id",
        "amount": "number",
        "country": "category",
        "merchant": "category",
        "hour": "integer",
        "fraud": "category",
    },
    "visits": {
        "patient": "id",
        "visit": "integer",
        "age": "integer",
        "ward": "category",
        "pulse": "integer",
        "pressure": "integer",
        "readmitted": "boolean",
    },
    "contracts": {
        "kunde_nr": "id",
        "tarif": "category",
        "laufzeit_monate": "integer",
        "umsatz": "number",
        "ort": "category",
        "gekündigt": "category",
    },
    "fish": {"length": "number", "width": "number", "colour": "category", "depth": "number", "species": "category"},
    "houses": {
        "area": "number",
        "rooms": "integer",
        "built": "integer",
        "district": "category",
        "garden": "boolean",
        "price": "number",
    },
}


def made(folder: Path, name: str, source: Path, target: str) -> dict:
    return yaml.safe_load(new_model(name, source, target, folder).read_text(encoding="utf-8"))


def from_text(folder: Path, text: str, target: str = "y") -> dict:
    source = folder / "table.csv"
    source.write_text(text)
    return made(folder, "table", source, target)


@pytest.fixture(scope="module", params=list(MAKERS))
def table(request, tmp_path_factory) -> tuple[str, Path, Path]:
    folder = tmp_path_factory.mktemp(request.param)
    source = MAKERS[request.param](folder / "table.csv", 1500, 11)
    return request.param, source, new_model(request.param, source, TARGETS[request.param], folder)


def test_every_test_table_gets_its_kinds_and_its_task(table):
    name, _, file = table
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert {column: rule["kind"] for column, rule in found["columns"].items()} == KINDS[name]
    assert (found["task"], found["target"]) == (TASKS[name], TARGETS[name])


def test_every_file_passes_the_checks_of_synth(table):
    name, _, file = table
    spec = read_model(file)
    assert (spec.model, spec.contract.target, str(spec.contract.task)) == (name, TARGETS[name], TASKS[name])


def test_the_same_table_gives_the_same_file(table, tmp_path):
    name, source, file = table
    assert new_model(name, source, TARGETS[name], tmp_path).read_bytes() == file.read_bytes()


def test_the_rarer_or_the_yes_like_label_is_positive(tmp_path):
    for name, positive in {"tickets": "yes", "fraud": "1", "visits": "true", "contracts": "ja"}.items():
        source = MAKERS[name](tmp_path / f"{name}.csv", 1500, 11)
        assert made(tmp_path, name, source, TARGETS[name])["positive"] == positive
    rows = "".join(f"{i * 7 % 89},{'left' if i % 9 == 0 else 'stayed'}\n" for i in range(1, 400))
    assert from_text(tmp_path, f"x,y\n{rows}")["positive"] == "left"


def test_300_numbered_columns_become_one_group(tmp_path):
    found = made(tmp_path, "wide", MAKERS["wide"](tmp_path / "w.csv", 300, 1), "faulty")
    [(span, rule)] = found["groups"].items()
    assert span == "s_001..s_300"
    assert rule["kind"] == "number"
    assert rule["min"] < -3 < 3 < rule["max"]


@pytest.mark.parametrize(
    ("names", "spans"),
    [
        ([f"s{i}" for i in range(1, 31)], ["s1..s30"]),
        ([f"s{i:02}" for i in range(1, 121)], ["s01..s99", "s100..s120"]),
        ([f"s{i}" for i in [*range(1, 16), *range(20, 41)]], ["s1..s15", "s20..s40"]),
        ([f"s{i}" for i in range(5)], None),
    ],
)
def test_groups_are_ranges_that_synth_can_expand(tmp_path, names, spans):
    rows = "".join(",".join(str((i * 7 + j * j) % 23) for j in range(len(names))) + f",{i % 2}\n" for i in range(100))
    found = from_text(tmp_path, f"{','.join(names)},y\n{rows}")
    assert (list(found["groups"]) if spans else found.get("groups")) == spans
    columns = read_model(tmp_path / "models" / "table" / "model.yaml").contract.by_name
    assert columns.keys() == {*names, "y"}


def test_a_unique_id_is_named_and_a_repeating_key_decides_the_split(tmp_path):
    tickets = made(tmp_path, "tickets", MAKERS["tickets"](tmp_path / "t.csv", 500, 1), "escalated")
    visits = made(tmp_path, "visits", MAKERS["visits"](tmp_path / "v.csv", 500, 1), "readmitted")
    assert tickets["id"] == "ticket_id"
    assert "id" not in visits
    assert visits["split"]["key"] == "patient"


def test_suspects_of_time_and_leak_are_comments(tmp_path):
    rows = "".join(
        f"2024-01-{1 + i % 28:02}T{i % 24:02}:00:00Z,{i % 7},{i % 2 * 50 + i % 9},{i % 2}\n" for i in range(400)
    )
    source = tmp_path / "table.csv"
    source.write_text(f"seen,a,delay,y\n{rows}")
    text = new_model("table", source, "y", tmp_path).read_text()
    lines = text.splitlines()
    assert any(line.startswith("# time: seen") for line in lines)
    [warning] = [number for number, line in enumerate(lines) if "LEAK?" in line]
    assert lines[warning + 1].strip().startswith("delay:")


def test_a_missing_label_is_dropped_and_missing_values_get_room(tmp_path):
    rows = "".join(f"{i * 3 if i % 10 else ''},{'' if i % 50 == 0 else i % 2}\n" for i in range(1, 1000))
    found = from_text(tmp_path, f"x,y\n{rows}")
    assert found["missing_label"] == "drop"
    assert 0.1 < found["columns"]["x"]["max_null_share"] < 0.4


def test_a_constant_column_is_no_feature_and_has_no_range(tmp_path):
    rule = from_text(tmp_path, "x,k,y\n" + "".join(f"{i * 7 % 89},5,{i % 2}\n" for i in range(100)))["columns"]["k"]
    assert rule == {"kind": "integer", "feature": False, "max_null_share": 0}


def test_gzip_parquet_tab_and_pipe_are_read(tmp_path):
    lines = [["a", "b", "y"], *[[str(i), f"t{i % 3}", str(i % 2)] for i in range(100)]]
    comma = "\n".join(",".join(line) for line in lines)
    (tmp_path / "zipped.csv.gz").write_bytes(gzip.compress(comma.encode()))
    (tmp_path / "tab.csv").write_text("\n".join("\t".join(line) for line in lines))
    (tmp_path / "pipe.csv").write_text("\n".join("|".join(line) for line in lines))
    pl.read_csv(comma.encode()).write_parquet(tmp_path / "stored.parquet")
    (tmp_path / "comma.csv").write_text(comma)
    files = ["comma.csv", "zipped.csv.gz", "tab.csv", "pipe.csv", "stored.parquet"]
    found = [made(tmp_path, f"m{i}", tmp_path / file, "y") for i, file in enumerate(files)]
    assert all(rules["columns"] == found[0]["columns"] for rules in found)


def test_long_labels_are_written_in_full(tmp_path):
    long = "a label that is longer than what a comment shows"
    found = from_text(
        tmp_path, "x,y\n" + "".join(f"{i * 7 % 89},{long if i % 4 == 0 else 'other'}\n" for i in range(100))
    )
    assert found["positive"] == long
    assert long in found["columns"]["y"]["categories"]


def test_names_that_yaml_would_misread_are_quoted(tmp_path):
    header = "no,2013,a: b,# c,y"
    found = from_text(tmp_path, f"{header}\n" + "".join(f"{i},{i}.5,{i % 9},{i % 8},{i % 2}\n" for i in range(100)))
    assert list(found["columns"]) == ["no", "2013", "a: b", "# c", "y"]


@pytest.mark.parametrize("name", ["Churn", "1st", "a_b", "", "x" * 21, "a-", "../up", "é"])
def test_a_name_that_no_resource_could_have_is_refused(tmp_path, name):
    with pytest.raises(SpecRejected, match="lower-case letters"):
        new_model(name, tmp_path / "any.csv", "y", tmp_path)


def test_an_existing_folder_is_left_alone(tmp_path):
    (tmp_path / "models" / "churn").mkdir(parents=True)
    with pytest.raises(SpecRejected, match="exists"):
        new_model("churn", tmp_path / "any.csv", "y", tmp_path)


def test_a_target_that_is_not_there_lists_the_columns(tmp_path):
    with pytest.raises(DatasetRejected, match="its columns are: x, y"):
        from_text(tmp_path, "x,y\n1,2\n", target="z")


BAD = {
    "one value": ("x,y\n1,2\n3,2\n", "at least two"),
    "no value": ("x,y\n1,\n3,\n", "0 distinct"),
    "only words": ("x,y\n" + "".join(f"{i},word {i} here\n" for i in range(200)), "neither classes"),
    "only the target": ("y\n1\n2\n", "only the target"),
    "only ids": ("id,k,y\n" + "".join(f"K{i},1,{i % 2}\n" for i in range(100)), "no column can be a feature"),
    "empty": ("", "empty"),
    "header only": ("x,y\n", "no rows"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_file_that_teaches_nothing_is_refused_and_leaves_nothing(tmp_path, case):
    text, said = BAD[case]
    with pytest.raises(DatasetRejected, match=said):
        from_text(tmp_path, text)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("latin.csv", "x,y\nK\xf6ln,1\n".encode("latin-1")),
        ("cut.csv.gz", gzip.compress(b"x,y\n1,2\n" * 100, mtime=0)[:-9]),
        ("fake.parquet", b"PAR1 not really"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path, file, data):
    (tmp_path / file).write_bytes(data)
    with pytest.raises(LifecycleError):
        new_model("table", tmp_path / file, "y", tmp_path)
    with pytest.raises(DatasetRejected, match="is not a file"):
        new_model("table", tmp_path / "nowhere.csv", "y", tmp_path)


@given(low=st.floats(-1e300, 1e300), width=st.floats(0, 1e300), whole=st.booleans())
def test_bounds_hold_what_was_seen_and_cross_zero_only_if_it_did(low, width, whole):
    high = low + width
    down, up = bounds(low, high, whole=whole)
    if abs(low) < 1e37 and abs(high) < 1e37:
        assert down <= low
        assert up >= high
    assert (down < 0) == (low < 0)
    assert down <= up


CELLS = st.one_of(
    st.sampled_from(["", "NA", "0", "1", "yes", "2024-01-01", "1e9", "-3.5", "x y", "ä", "007", "nan", "inf"]),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(str),
    st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"]), max_size=40),
)
HEADERS = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=8).map(str.strip),
    min_size=2,
    max_size=4,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), header=HEADERS)
def test_any_table_is_refused_or_gives_a_file_that_passes_the_checks_of_synth(data, header):
    few = data.draw(st.lists(st.lists(CELLS, min_size=len(header), max_size=len(header)), min_size=1, max_size=6))
    with TemporaryDirectory() as name:
        source = Path(name) / "table.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([header, *few * data.draw(st.sampled_from([1, 30]))])
        try:
            written = new_model("table", source, header[-1], Path(name))
        except DatasetRejected:
            return
        assert read_model(written).contract.target == header[-1]


@given(missing=st.integers(0, 1000), more=st.integers(1, 1000))
def test_room_for_missing_values_is_a_share_that_covers_what_was_seen(missing, more):
    share = null_share(missing, missing + more)
    assert missing / (missing + more) <= share <= 1
    assert (share == 0) == (missing == 0)


@given(text=st.text(min_size=1, max_size=12))
def test_a_quoted_name_is_read_back_as_itself(text):
    assert yaml.safe_load(f"{quoted(text)}: 1") == {text: 1}
