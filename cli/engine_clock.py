"""The laptop engine's clock, told from outside where to go."""

import json
import urllib.request
from collections.abc import Mapping

ANSWER_SECONDS = 30.0


class EngineClock:
    """Engine time, in epoch seconds, over the engine's own loopback address."""

    def __init__(self, endpoint: str) -> None:
        self._url = f"{endpoint}/_engine/clock"

    def now(self) -> float:
        """Return engine time."""
        return self._ask()

    def go_to(self, moment: float) -> bool:
        """Pass over idle time up to `moment`; return whether it came, or is still on its way there, some work ahead."""
        return self._ask({"until": moment}) >= moment

    def _ask(self, wanted: Mapping[str, float] | None = None) -> float:
        body = None if wanted is None else json.dumps(wanted).encode()
        request = urllib.request.Request(self._url, data=body)  # noqa: S310  the engine's own loopback address
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return float(json.load(answer)["now"])
