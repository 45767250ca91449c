"""The seeded test tables are what the tests that use them believe."""

import csv

import pytest

from tests.tables import MAKERS, TARGETS


@pytest.mark.parametrize("name", MAKERS)
def test_a_seed_gives_the_same_bytes_and_another_seed_others(name, tmp_path):
    first, again, other = (MAKERS[name](tmp_path / f"{i}.csv", 200, seed) for i, seed in enumerate((1, 1, 2)))
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


@pytest.mark.parametrize("name", MAKERS)
def test_a_table_has_its_rows_and_its_target_takes_several_values(name, tmp_path):
    text = MAKERS[name](tmp_path / "t.csv", 800, 5).read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(text.splitlines(), delimiter=";" if name == "contracts" else ","))
    assert len(rows) == 800
    assert len({row[TARGETS[name]] for row in rows}) > 1


def test_the_rare_table_has_about_one_percent_of_positives(tmp_path):
    lines = MAKERS["fraud"](tmp_path / "t.csv", 8000, 3).read_text().splitlines()[1:]
    assert 0.005 < sum(line.endswith(",1") for line in lines) / 8000 < 0.015


def test_the_german_table_begins_with_a_byte_order_mark(tmp_path):
    assert MAKERS["contracts"](tmp_path / "t.csv", 10, 1).read_bytes().startswith(b"\xef\xbb\xbf")
