"""Where one line of states runs: the whole execution, or an iteration of a Map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.clock import Hold
from local.states.control import Control
from local.states.history import Trail
from local.states.steps import Steps


@dataclass(frozen=True, slots=True)
class Branch:
    """The context object (`$$`), who may end it, its way through the history, its hold of the clock, its steps."""

    context: Mapping[str, Any]
    control: Control
    trail: Trail
    hold: Hold
    steps: Steps
