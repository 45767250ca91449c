"""Who answers an AWS request: an operation of the engine, or moto; everything else is refused by name."""

import logging
import re
from collections.abc import Callable

from local import moto_replacements, moto_state
from local.api import ApiError, Asked, Guard, Operation, Operations
from local.identity import Identity
from local.service_models import RUNTIME
from local.wire import HttpAnswer, HttpCall, Scope, answer_of, error_of, operation_of, parameters_of, scope_of

MOTO_SERVICES = frozenset(
    {"s3", "dynamodb", "sqs", "sns", "iam", "sts", "kms", "logs", "events", "sagemaker", "apigatewayv2", "firehose"}
)
ENGINE_SERVICES = frozenset({"cloudformation", "lambda", "monitoring", "states", "ssm", "tagging", RUNTIME})
"""Services of which only the registered operations exist."""

Observer = Callable[[HttpCall, HttpAnswer], None]
_APP = re.compile(r"\bapp/([\w-]+)")

_log = logging.getLogger(__name__)


class Dispatcher:
    """The one way to an answer, for HTTP requests and for the engine's own clients alike.

    `witness` sees every answer, refusals too, when somebody sets it: checks and records are made of it, for a price.
    `confirm` is asked with each operation's name before it begins and before its answer leaves; raises ApiError.
    """

    witness: Observer | None = None

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self._operations: dict[tuple[str, str], Operation] = {}
        self._guards: list[Guard] = []
        self._observers: list[tuple[str, Observer]] = []
        self.confirm: Callable[[str], None] = lambda _: None
        moto_replacements.install()

    def register(self, operations: Operations) -> None:
        """Let `operations` answer before moto does."""
        self._operations.update(operations)

    @property
    def own(self) -> frozenset[tuple[str, str]]:
        """The operations that the engine answers itself."""
        return frozenset(self._operations)

    def guard(self, guard: Guard) -> None:
        """Let `guard` look at every call of a known operation before it is answered, the first guard first."""
        self._guards.append(guard)

    def observe(self, service: str, observer: Observer) -> None:
        """Show every successful answer of moto for `service` to `observer`, after the fact."""
        self._observers.append((service, observer))

    def __call__(self, call: HttpCall) -> HttpAnswer:
        """Answer `call`; a fault inside the engine becomes a logged answer with status 500."""
        answer = self._answer_or_error(call)
        if self.witness is not None:
            self.witness(call, answer)
        return answer

    def _answer_or_error(self, call: HttpCall) -> HttpAnswer:
        scope = scope_of(call)
        try:
            return self._answer(call, scope)
        except ApiError as error:
            return error_of(call, _known(scope), error)
        except Exception as fault:  # noqa: BLE001 - the outermost frame of a request: the caller must get an answer
            _log.exception("request failed: %s %s", call.method, call.path)
            message = f"The laptop engine failed: {type(fault).__name__}: {fault}"
            return error_of(call, _known(scope), ApiError("InternalFailure", message, 500))

    def _answer(self, call: HttpCall, scope: Scope | None) -> HttpAnswer:
        if scope is None:
            raise ApiError("MissingAuthenticationToken", "The request is not signed with AWS Signature Version 4.", 403)
        if _known(scope) is None:
            raise ApiError("UnknownService", _refusal(scope.service), 400)
        caller = self.identity.caller(scope.access_key)
        name = operation_of(call, scope.service)
        if name is None:
            raise ApiError("UnknownOperationException", f"{scope.service} has no {call.method} {call.path}.", 404)
        operation = self._operations.get((scope.service, name))
        if operation is None and scope.service in ENGINE_SERVICES:
            raise ApiError("InvalidAction", f"The laptop engine has no {scope.service}:{name}.", 400)
        parameters = parameters_of(call, scope.service, name)
        if self._guards:
            app = _APP.search(call.headers.get("user-agent", ""))
            asked = Asked(scope.service, name, scope.region, caller, parameters, app[1] if app else "")
            for guard in self._guards:
                guard(asked)
        self.confirm(name)
        if operation is not None:
            members = operation(parameters, caller)
            self.confirm(name)
            return answer_of(call, scope.service, name, members)
        answer = moto_state.answer(scope.service, scope.region, call)
        if answer.status < 300:
            for service, observer in self._observers:
                if service == scope.service:
                    observer(call, answer)
        self.confirm(name)
        return answer


def _known(scope: Scope | None) -> str | None:
    return scope.service if scope and scope.service in MOTO_SERVICES | ENGINE_SERVICES else None


def _refusal(service: str) -> str:
    known = ", ".join(sorted(MOTO_SERVICES | ENGINE_SERVICES))
    return f"The laptop engine has no service {service!r}; it has {known}."
