"""How one invocation ended, in Lambda's own words."""

import json
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """`payload` is the answer or the error document; `error_type` None means success; `died`: the worker is gone."""

    payload: bytes
    error_type: str | None = None
    died: bool = False
    seconds: float = 0.0
    memory_mb: int = 0

    def taking(self, seconds: float, memory_mb: int) -> "Outcome":
        """Return the outcome with its duration and memory."""
        return replace(self, seconds=seconds, memory_mb=memory_mb)


def failed(body: bytes, *, died: bool = False) -> Outcome:
    """Return what the runtime itself reported: a handler's exception keeps its class name."""
    return Outcome(body, json.loads(body).get("errorType", "Unknown"), died)


def timed_out(request_id: str, seconds: float) -> Outcome:
    """Return a time-out."""
    return _fault("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds")


def stopped(request_id: str, code: int | None) -> Outcome:
    """Return the end of a process that gave no answer."""
    if code == 0:
        reason = "Runtime exited without providing a reason"
    elif code is not None and code < 0:
        reason = f"Runtime exited with error: signal: {'killed' if code == -9 else -code}"
    else:
        reason = f"Runtime exited with error: exit status {code}"
    return _fault("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")


def out_of_memory(request_id: str, used_mb: int) -> Outcome:
    """Return the kill of a process that outgrew its memory."""
    message = f"RequestId: {request_id} Error: Runtime exited with error: signal: killed"
    return replace(_fault("Runtime.OutOfMemory", message), memory_mb=used_mb)


def too_large(size: int) -> Outcome:
    """Return the refusal of an answer; the worker lives on."""
    message = f"Response payload size ({size} bytes) exceeded maximum allowed payload size (6291556 bytes)."
    return replace(_fault("Function.ResponseSizeTooLarge", message), died=False)


def _fault(kind: str, message: str) -> Outcome:
    document: dict[str, Any] = {"errorType": kind, "errorMessage": message}
    return Outcome(json.dumps(document).encode(), kind, died=True)
