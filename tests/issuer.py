"""An OpenID issuer on this machine, with a certificate of its own, and tokens that it signs."""

import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that trusts itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - day)
        .not_valid_after(datetime.now(UTC) + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "issuer.pem", folder / "issuer.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


@dataclass
class Issuer:
    """An OpenID issuer on this machine, and tokens of it."""

    address: str
    key: RSAKey
    certificate: Path
    reads: list[str] = field(default_factory=list)

    def token(self, *, key: Any = None, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        now = time.time()
        said = {"iss": self.address, "aud": "us", "exp": now + 600, "iat": now - 60, "scope": "read write", **claims}
        kept = {name: value for name, value in said.items() if value is not None}
        signed = {"alg": "RS256", "kid": "one", **(header or {})}
        return jwt.encode(signed, kept, key or self.key, algorithms=["RS256", "RS384", "HS256"])


@contextmanager
def running(folder: Path) -> Iterator[Issuer]:
    """Serve an issuer's documents on a free port; who asks must trust its certificate (SSL_CERT_FILE)."""
    key = RSAKey.generate_key(2048, {"kid": "one"})
    pem, secret = certificate(folder)
    found = Issuer("", key, pem)

    class Documents(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.reads.append(self.path)
            known = {
                "/.well-known/openid-configuration": {"issuer": found.address, "jwks_uri": f"{found.address}/keys"},
                "/keys": {"keys": [key.as_dict(private=False)]},
            }
            body = json.dumps(known.get(self.path)).encode()
            self.send_response(200 if self.path in known else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    found.address = f"https://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
