"""Who may use a route of an HTTP API: nobody is asked (NONE), a signature (AWS_IAM), a token (JWT)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.api import ACCOUNT
from local.clock import Clock
from local.gateway_error import GatewayError
from local.identity import OPERATOR, Identity
from local.proxy_event import HttpRequest
from local.routes import Route
from local.sigv4 import Scope, SignatureError, Signed, verify
from local.tokens import Tokens, Wanted


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Admits requests to the routes of one region's APIs."""

    region: str
    identity: Identity
    clock: Clock
    tokens: Tokens

    def admit(
        self, route: Route, request: HttpRequest, signed_path: str, authorizers: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the authorizer block of who sent `request`; empty on an open route. Raises GatewayError."""
        if route.authorization == "AWS_IAM":
            return self._signature(request, signed_path)
        if route.authorization != "JWT":
            return {}
        settings = authorizers[route.authorizer_id]["JwtConfiguration"]
        wanted = Wanted(issuer=settings["Issuer"], audience=settings["Audience"], scopes=route.scopes)
        return self.tokens.verify(request.headers.get("authorization"), wanted, self.clock.now() - self.clock.offset)

    def _signature(self, request: HttpRequest, path: str) -> dict[str, Any]:
        """The client signed the path with the prefix under which the laptop serves the API."""
        now, offset = self.clock.now(), self.clock.offset
        signed = Signed(
            method=request.method, path=path, query=request.query, headers=request.headers, body=request.body
        )
        try:
            keys = verify(signed, Scope(self.region, "execute-api"), self.identity.keys, (now, now - offset))
        except SignatureError as refusal:
            raise GatewayError(403, "Forbidden", str(refusal)) from refusal
        if keys != OPERATOR:
            # no role of the product may call its API; who adds one has to teach the engine its policy
            raise GatewayError(403, "Forbidden", "only the operator's keys may call APIs on the laptop")
        user = f"arn:aws:iam::{ACCOUNT}:user/operator"
        plain = {"accessKey": keys.access_key, "accountId": ACCOUNT, "callerId": "operator", "userId": "operator"}
        return {"iam": {**plain, "cognitoIdentity": None, "principalOrgId": None, "userArn": user}}
