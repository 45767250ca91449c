"""JSON Web Tokens as an HTTP API's JWT authorizer takes them.

Source: API Gateway developer guide, "Control access to HTTP APIs with JWT authorizers": only RSA signatures; `kid`
names the key; `iss` is the issuer; `aud`, or `client_id` where there is no `aud`, is one of the audiences; `exp` lies
ahead, `nbf` and `iat` behind; `scope` or `scp` holds one of the route's scopes. Keys come from the issuer's discovery
document within 1.5 seconds and are kept for two hours.
"""

import http.client
import json
import math
import ssl
import threading
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from local.gateway_error import GatewayError

ALGORITHMS = ["RS256", "RS384", "RS512"]
DISCOVERY = "/.well-known/openid-configuration"
FETCH_SECONDS = 1.5
KEPT_SECONDS = 7_200
DOCUMENT_BYTES = 1_000_000


class IssuerError(Exception):
    """The issuer's documents cannot be had; the message says which and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a route's authorizer asks of a token."""

    issuer: str
    audience: Sequence[str]
    scopes: Sequence[str]


class Tokens:
    """Verifies tokens; keeps the keys of issuers. Times are seconds since the epoch, of the machine: issuers live
    outside of the engine's clock.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, tuple[float, jwk.KeySet]] = {}

    def verify(self, authorization: str | None, wanted: Wanted, now: float) -> dict[str, Any]:
        """Return the authorizer block (`claims` as texts, `scopes` that matched) of a request's Authorization header.

        Raises
        ------
        GatewayError
            401 when there is no valid token, 403 when it lacks the scope, 500 when the issuer does not answer.
        """
        if not authorization:
            raise _unauthorized("no token", "")
        text = authorization.removeprefix("Bearer ").strip()
        claims = self._claims(text, wanted, now)
        if claims.get("iss") != wanted.issuer:
            raise _unauthorized("the token's issuer is another one", "the issuer is not valid")
        given = claims.get("aud", claims.get("client_id"))
        audiences = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        if not set(map(str, audiences)) & set(wanted.audience):
            raise _unauthorized("the token is for others", "the token does not have a valid audience")
        _check_times(claims, now)
        return {"jwt": {"claims": {k: _text(v) for k, v in claims.items()}, "scopes": _scopes(claims, wanted.scopes)}}

    def _claims(self, text: str, wanted: Wanted, now: float) -> dict[str, Any]:
        try:
            header = jws.extract_compact(text.encode()).headers()
            if header.get("alg") not in ALGORITHMS:
                raise _unauthorized(f"algorithm {header.get('alg')!r}", "signing method is invalid")
            keys = self.keys(wanted.issuer, now)
            known = {key.kid: key for key in keys.keys if key.kid}
            if header.get("kid") not in known:
                raise _unauthorized(f"key {header.get('kid')!r} is not the issuer's", "the token has an unknown key")
            claims: dict[str, Any] = jwt.decode(text, known[header["kid"]], algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError, UnicodeError) as error:
            raise _unauthorized(f"{type(error).__name__}: {error}", "the token is malformed or was changed") from error
        except IssuerError as error:
            raise GatewayError(500, "Internal Server Error", str(error)) from error
        return claims

    def keys(self, issuer: str, now: float) -> jwk.KeySet:
        """Return an issuer's keys. Raises IssuerError when its documents cannot be had, or hold no key of RSA."""
        with self._lock:
            at, kept = self._keys.get(issuer, (float("-inf"), None))
            if kept is not None and now - at < KEPT_SECONDS:
                return kept
            found = _fetch(issuer.rstrip("/") + DISCOVERY)
            if not isinstance(found.get("jwks_uri"), str):
                raise IssuerError(f"{issuer}{DISCOVERY} names no jwks_uri")
            keys = _rsa_keys(_fetch(found["jwks_uri"]), found["jwks_uri"])
            self._keys[issuer] = (now, keys)
            return keys


def _fetch(address: str) -> dict[str, Any]:
    if not address.startswith("https://"):
        raise IssuerError(f"{address} is not an https address")
    try:
        # a context of its own: urllib keeps the first one, with the certificates that were trusted then
        trusted = ssl.create_default_context()
        with urllib.request.urlopen(address, timeout=FETCH_SECONDS, context=trusted) as answer:
            if not answer.url.startswith("https://"):
                raise IssuerError(f"{address} leads to {answer.url}, which is not an https address")
            found = json.loads(answer.read(DOCUMENT_BYTES))
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise IssuerError(f"{address} cannot be read within {FETCH_SECONDS} seconds: {error}") from error
    if not isinstance(found, dict):
        raise IssuerError(f"{address} holds no JSON object")
    return found


def _rsa_keys(document: Mapping[str, Any], address: str) -> jwk.KeySet:
    try:
        listed = [key for key in document.get("keys", ()) if key.get("kty") == "RSA"]
        if listed:
            return jwk.KeySet.import_key_set({"keys": listed})
    except (JoseError, AttributeError, TypeError, ValueError) as error:
        raise IssuerError(f"{address} holds keys that cannot be read: {error}") from error
    raise IssuerError(f"{address} holds no RSA key")


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    times = {name: claims.get(name) for name in ("exp", "nbf", "iat")}
    wrong = [name for name, at in times.items() if at is not None and not _is_time(at)]
    if wrong:
        raise _unauthorized(f"{wrong[0]} is no number", "the token is malformed")
    if times["exp"] is None or now >= times["exp"]:
        raise _unauthorized("expired", "the token has expired")
    if any(at is not None and at > now for at in (times["nbf"], times["iat"])):
        raise _unauthorized("not valid yet", "the token is not valid yet")


def _is_time(at: Any) -> bool:
    return isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at)


def _scopes(claims: Mapping[str, Any], wanted: Sequence[str]) -> list[str] | None:
    if not wanted:
        return None
    given = claims.get("scope", claims.get("scp", ""))
    held = given.split() if isinstance(given, str) else given if isinstance(given, list) else []
    matching = [scope for scope in wanted if scope in held]
    if not matching:
        asked = f'Bearer scope="{" ".join(wanted)}" error="insufficient_scope"'
        raise GatewayError(403, "Forbidden", "the token lacks the scope", {"www-authenticate": asked})
    return matching


def _unauthorized(reason: str, described: str) -> GatewayError:
    said = f' scope="" error="invalid_token" error_description="{described}"' if described else ""
    return GatewayError(401, "Unauthorized", reason, {"www-authenticate": f"Bearer{said}"})


def _text(value: Any) -> str:
    """API Gateway hands every claim over as text, lists in square brackets."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{' '.join(_text(entry) for entry in value)}]"
    return value if isinstance(value, str) else json.dumps(value)
