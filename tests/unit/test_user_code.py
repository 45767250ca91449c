import hashlib
from pathlib import Path
from typing import Any

import pytest

from lifecycle import user_code
from lifecycle.errors import ModelRejected, RequestRejected, SpecRejected

DECLARED = {"n": "number", "i": "integer", "b": "boolean", "c": "category"}
GOOD = {"n": 1.5, "i": 2, "b": True, "c": "x"}


def load(folder: Path, source: str, sha256: str | None = None) -> Any:
    (folder / "features.py").write_text(source)
    return user_code.load_features(folder, sha256 or hashlib.sha256(source.encode()).hexdigest())


def test_a_file_of_the_users_is_loaded_by_hash(tmp_path: Path) -> None:
    assert load(tmp_path, "def features(row):\n    return {'n': row['a']}\n")({"a": 3}) == {"n": 3}


@pytest.mark.parametrize(
    ("source", "sha256", "reason"),
    [
        ("def features(row): ...", "0" * 64, "features.py was changed after synth"),
        ("raise OSError('x')", None, "features.py fails on import: OSError: x"),
        ("def other(row): ...", None, "features.py has no function 'features'"),
        ("def features(row:", None, "features.py fails on import: SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_reason(
    source: str, sha256: str | None, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecRejected, match=reason):
        load(tmp_path, source, sha256)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecRejected, match=r"features\.py is named by the spec but is not in"):
        user_code.load_features(tmp_path, "0" * 64)


def test_declared_values_of_every_kind_and_missing_ones_pass() -> None:
    assert user_code.derive(lambda row: dict(GOOD), DECLARED, {}, 0) == GOOD
    assert user_code.derive(lambda row: dict.fromkeys(GOOD), DECLARED, {}, 0) == dict.fromkeys(GOOD)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({**GOOD, "n": "1"}, r"row 7: features.py returned '1' \(str\) for 'n'; declared number"),
        ({**GOOD, "n": True}, "for 'n'; declared number"),
        ({**GOOD, "i": 1.0}, "for 'i'; declared integer: a whole number"),
        ({**GOOD, "b": 1}, "for 'b'; declared boolean"),
        ({**GOOD, "c": 5}, "for 'c'; declared category: text"),
        ({"n": 1}, r"left out \['b', 'c', 'i'\] and added \[\]"),
        ({**GOOD, "z": 1}, r"left out \[\] and added \['z'\]"),
        ([1], "returned list, not a dict"),
    ],
)
def test_what_features_must_not_return_is_said_with_row_and_key(values: Any, reason: str) -> None:
    with pytest.raises(RequestRejected, match=reason):
        user_code.derive(lambda row: values, DECLARED, {}, 7)


def test_an_error_of_the_users_code_names_the_row() -> None:
    with pytest.raises(RequestRejected, match=r"row 3: features\.py raised KeyError: 'a'"):
        user_code.derive(lambda row: row["a"], DECLARED, {}, 3)


def test_a_kind_that_cannot_be_derived_is_refused() -> None:
    with pytest.raises(ModelRejected, match="'t' has kind 'datetime'"):
        user_code.check_declared({"t": "datetime"})
