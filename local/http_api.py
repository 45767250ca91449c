"""Data plane of the HTTP APIs: throttling, routing, authorization, the function behind it, the access log.

APIs, stages, routes and integrations are moto's state. Answers that API Gateway itself makes are `{"message": ...}`.
"""

import json
import logging
import re
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from local.api import ACCOUNT, ApiError, Invocation
from local.authorization import Doorkeeper
from local.clients import Clients
from local.clock import Clock
from local.cors import applied, preflight
from local.gateway_error import GatewayError
from local.iam.authority import Acting, Authority
from local.proxy_event import AnswerError, HttpRequest, Matched, Response, event_of, response_of
from local.routes import DEFAULT, Route, RouteError, match, routes_of
from local.throttle import Buckets
from local.tokens import Tokens

BODY_BYTES = 10_485_760
CACHED_SECONDS = 1.0
"""Machine time for which routes are remembered; on AWS a deployment of a stage takes longer to arrive."""

_log = logging.getLogger(__name__)


class Lambda(Protocol):
    """What the HTTP API needs of Lambda."""

    def invoke(self, function_arn: str, payload: bytes) -> Invocation:
        """Invoke a function and wait."""


class AccessLog(Protocol):
    """Takes a line for a log group without making anyone wait."""

    def __call__(self, group: str, line: str) -> None:
        """Write `line` to `group`."""


@dataclass(frozen=True, slots=True)
class _Deployed:
    routes: tuple[Route, ...]
    stage: Mapping[str, Any]
    cors: Mapping[str, Any]
    authorizers: Mapping[str, Mapping[str, Any]]
    problem: str = ""


class HttpApi:
    """All HTTP APIs of the engine."""

    def __init__(
        self, clients: Clients, functions: Lambda, authority: Authority, clock: Clock, access_log: AccessLog
    ) -> None:
        self.clients = clients
        self.functions = functions
        self.authority = authority
        self.clock = clock
        self.doorkeeper = Doorkeeper(clients.region, clients.identity, clock, Tokens())
        self.access_log = access_log
        self.threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="http-api")
        self._apis: dict[str, Api] = {}

    def api(self, api_id: str) -> "Api | None":
        """Return the API called `api_id`, None when there is none."""
        api = self._apis.setdefault(api_id, Api(self, api_id))
        return api if api.deployed() is not None else None


class Api:
    """One HTTP API with its `$default` stage."""

    def __init__(self, door: HttpApi, api_id: str) -> None:
        self._door = door
        self._id = api_id
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._deployed: _Deployed | None = None
        self._buckets = Buckets()

    def deployed(self) -> _Deployed | None:
        """Return what the stage serves; None when there is no such API or stage."""
        with self._lock:
            if time.perf_counter() - self._read_at > CACHED_SECONDS:
                self._deployed = self._read()
                self._read_at = time.perf_counter()
            return self._deployed

    def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Answer one request. `path` is raw, as the client sent it, with the prefix `/_api/<id>`."""
        started = time.perf_counter()
        bare = path.removeprefix(f"/_api/{self._id}") or "/"
        request = HttpRequest(method=method, path=bare, query=query, headers=headers, body=body)
        seen = {"requestId": str(uuid.uuid4()), "path": bare, "error.message": "-", "integrationErrorMessage": "-"}
        deployed = self.deployed()
        try:
            if deployed is None:
                raise GatewayError(404, "Not Found", "no such API or stage")
            answer = preflight(deployed.cors, request)
            status, answered, content = answer or self._cross(deployed, request, self._answer(deployed, request, seen))
        except GatewayError as error:
            seen["error.message"] = error.message
            seen["integrationErrorMessage"] = error.reason
            _log.info("%s %s: %s", method, bare, error)
            status, answered = error.status, {"content-type": "application/json", **error.headers}
            content = json.dumps({"message": error.message}, separators=(",", ":")).encode()
            answered = applied(deployed.cors, request.headers, answered) if deployed else answered
        if deployed is not None:
            taken = int((time.perf_counter() - started) * 1000)
            self._write(deployed, {**seen, "status": status, "responseLength": len(content), "responseLatency": taken})
        return status, {**answered, "apigw-requestid": seen["requestId"]}, content

    @staticmethod
    def _cross(deployed: _Deployed, request: HttpRequest, response: Response) -> Response:
        status, answered, content = response
        return status, applied(deployed.cors, request.headers, answered), content

    def _answer(self, deployed: _Deployed, request: HttpRequest, seen: dict[str, str]) -> Response:
        if deployed.problem:
            raise GatewayError(501, deployed.problem, deployed.problem)
        found = match(deployed.routes, request.method, request.path)
        if found is None:
            raise GatewayError(404, "Not Found", f"no route for {request.method} {request.path}")
        route, parameters = found
        seen["routeKey"] = route.key
        settings = deployed.stage.get("DefaultRouteSettings") or {}
        self._buckets.take(route.key, settings, self._door.clock.now())
        signed_path = f"/_api/{self._id}{request.path}"
        authorizer = self._door.doorkeeper.admit(route, request, signed_path, deployed.authorizers)
        if len(request.body) > BODY_BYTES:
            raise GatewayError(413, "Request Entity Too Large", f"{len(request.body)} bytes")
        matched = Matched(
            api_id=self._id,
            domain=request.headers.get("host", ""),
            route_key=route.key,
            parameters=parameters,
            authorizer=authorizer,
            request_id=seen["requestId"],
            at=self._door.clock.now(),
        )
        return self._integrate(route, json.dumps(event_of(request, matched)).encode())

    def _integrate(self, route: Route, event: bytes) -> Response:
        source = f"arn:aws:execute-api:{self._door.clients.region}:{ACCOUNT}:{self._id}/{DEFAULT}/"
        functions = self._door.functions
        source += route.key.replace(" ", "")
        try:
            acting, asked = Acting("apigateway.amazonaws.com", source), {"FunctionName": route.function_arn}
            self._door.authority.service(acting, "lambda", "Invoke", asked)
            done = self._door.threads.submit(functions.invoke, route.function_arn, event).result(route.seconds)
            if done.error:
                kind = json.loads(done.payload).get("errorType")
                raise GatewayError(500, "Internal Server Error", f"the function failed: {kind}")
            return response_of(done.payload)
        except TooLong:
            raise GatewayError(503, "Service Unavailable", f"no answer in {route.seconds} seconds") from None
        except AnswerError as error:
            raise GatewayError(500, "Internal Server Error", f"the function's answer: {error}") from error
        except ApiError as error:
            if error.code == "TooManyRequestsException":
                raise GatewayError(503, "Service Unavailable", str(error)) from error
            raise GatewayError(500, "Internal Server Error", str(error)) from error

    def _write(self, deployed: _Deployed, seen: Mapping[str, Any]) -> None:
        settings = deployed.stage.get("AccessLogSettings")
        if not settings:
            return
        known = {"routeKey": "-", "requestTimeEpoch": int(self._door.clock.now()), "identity.sourceIp": "127.0.0.1"}
        known |= seen
        line = re.sub(r"\$context\.([A-Za-z.]+)", lambda m: _escaped(known.get(m[1], "-")), settings["Format"])
        self._door.access_log(settings["DestinationArn"].split(":log-group:", 1)[1].removesuffix(":*"), line)

    def _read(self) -> _Deployed | None:
        client = self._door.clients.client("apigatewayv2")
        try:
            stages = client.get_stages(ApiId=self._id)["Items"]
            routes = client.get_routes(ApiId=self._id)["Items"]
            integrations = client.get_integrations(ApiId=self._id)["Items"]
            used = {route["AuthorizerId"] for route in routes if route.get("AuthorizerId")}
            authorizers = {name: client.get_authorizer(ApiId=self._id, AuthorizerId=name) for name in used}
            cors = client.get_api(ApiId=self._id).get("CorsConfiguration") or {}
        except ClientError as error:
            if error.response["Error"]["Code"] == "NotFoundException":
                return None
            raise
        stage = next((entry for entry in stages if entry["StageName"] == DEFAULT), None)
        if stage is None:
            return None
        try:
            return _Deployed(routes_of(routes, integrations), stage, cors, authorizers)
        except RouteError as error:
            return _Deployed(
                (), stage, cors, authorizers, f"The laptop engine cannot serve HTTP API {self._id}: {error}"
            )


def _escaped(value: Any) -> str:
    return json.dumps(str(value))[1:-1]
