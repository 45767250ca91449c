"""Every answer that the engine gives in these tests is what AWS's own models say of it."""

from collections.abc import Iterator

import pytest

from local.answer_check import AnswerCheck
from local.dispatch import Dispatcher


@pytest.fixture(autouse=True)
def answers_fit_the_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    faults: list[str] = []
    monkeypatch.setattr(Dispatcher, "witness", AnswerCheck(faults.append))
    yield faults
    assert faults == []
