"""`perennial simulate`: what is refused before anything is started."""

from pathlib import Path

import pytest

from cli.main import run

SPAN = ("--from", "2013-01", "--to", "2013-12")


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.py").write_text("")
    (tmp_path / "stages.yaml").write_text("dev: {region: us-east-1}\n")
    (tmp_path / "models/flights").mkdir(parents=True)
    (tmp_path / "models/flights/model.yaml").write_text("model: flights\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    with pytest.raises(SystemExit) as ended:
        run(["simulate", *arguments])
    assert ended.value.code == code
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ((), "--from 2013-01 --to 2013-12"),
        (("--from", "2013-01"), "--from 2013-01 --to 2013-12"),
        (("--from", "january", "--to", "2013-12"), "'january' is no month"),
        (("--from", "2013-01", "--to", "2013-13"), "'2013-13' is no month"),
        (("--from", "2013-06", "--to", "2013-01"), "lies before"),
        (("--from", "2013-01", "--to", "2013-03"), "at least one must follow"),
        (("--from", "2013-01", "--to", "2013-01"), "is 1 month"),
    ],
)
def test_wrong_months_are_refused_in_words(
    capsys: pytest.CaptureFixture[str], span: tuple[str, ...], said: str
) -> None:
    assert said in refusal(capsys, "models/flights", *span)


def test_an_unknown_model_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert "models: flights" in refusal(capsys, "churn", *SPAN)


def test_a_model_that_makes_no_data_needs_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert "name the files of flights's data" in refusal(capsys, "flights", *SPAN)


def test_months_that_the_models_script_does_not_make_are_named(
    capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    script = "import pathlib, sys\nout = pathlib.Path(sys.argv[2])\n"
    lines = [f"(out / '2013-{month:02}.csv').write_text('x')\n" for month in range(1, 12)]
    (checkout / "models/flights/monthly.py").write_text(script + "".join(lines))
    assert "makes no data of 2013-12" in refusal(capsys, "models/flights", *SPAN)


def test_what_a_models_script_says_when_it_fails_is_shown(capsys: pytest.CaptureFixture[str], checkout: Path) -> None:
    (checkout / "models/flights/monthly.py").write_text("raise SystemExit('the package is missing')\n")
    assert "the package is missing" in refusal(capsys, "models/flights", *SPAN, code=1)
