"""What the product's own clients ask of AWS in these tests: all of it must be known to the laptop engine.

The product's clients name it in their user agent; the tests' own do not.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from botocore.handlers import BUILTIN_HANDLERS

from lifecycle.names import PRODUCT
from local.api import ApiError, Asked, Caller
from local.closed_set import ClosedSet
from local.options import ANY_CALL_VARIABLE, RECORD_VARIABLE
from local.recording import Recorder
from local.service_models import BOTOCORE_NAMES

SERVICES: Final = {botocore: service for service, botocore in BOTOCORE_NAMES.items()}


class ProductCalls:
    """Looks at every call of every client of this process; `unknown` tells what the engine would refuse."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        folder = environment.get(RECORD_VARIABLE)
        self._recorder = Recorder(Path(folder)) if folder else None
        self._known = None if ANY_CALL_VARIABLE in environment else ClosedSet.load()
        self.unknown: list[str] = []
        BUILTIN_HANDLERS.append(("provide-client-params", self._look))

    def _look(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        app = context["client_config"].user_agent_appid
        if app != PRODUCT:
            return
        service = model.service_model.service_name
        caller = Caller("key", None if "test_cli" in os.environ.get("PYTEST_CURRENT_TEST", "") else "role")
        asked = Asked(SERVICES.get(service, service), model.name, "us-east-1", caller, params, app)
        if self._recorder is not None:
            self._recorder.guard(asked)
        if self._known is not None:
            try:
                self._known(asked)
            except ApiError as refusal:
                self.unknown.append(refusal.message)
