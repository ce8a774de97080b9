"""A provider that signs whatever a test wants, over real HTTP: for what no honest provider would send."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from taxiway.access.provider.mapping import Mapping
from taxiway.access.provider.port import Attempt
from taxiway.adapters.oidc import Credentials, OpenIdProvider

ATTEMPT = Attempt(state="state", nonce="nonce", verifier="verifier", until=time.time() + 600)
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


class Forger(ThreadingHTTPServer):
    """Its keys, what it says of itself, and the token it answers with."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.key: RSAKey | ECKey = first_key()
        self.said: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.asked: list[str] = []

    def pages(self) -> dict[str, Any]:
        known = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.said,
        }
        return {
            "/.well-known/openid-configuration": known,
            "/jwks": {"keys": [self.key.as_dict(private=False)]},
            "/token": self.token,
            "/userinfo": self.userinfo,
        }

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": "taxiway", "sub": "7", "iat": now, "exp": now + 300, "nonce": "nonce"}
        named = {"preferred_username": "ana", "name": "Ana", "email": "a@b.example"}
        return {name: value for name, value in {**usual, **named, **other}.items() if value is not None}

    def sign(self, claims: dict[str, Any], *, alg: str = "RS256", kid: str = "first") -> str:
        return jwt.encode({"alg": alg, "kid": kid}, claims, self.key, algorithms=[alg])

    def sign_with_public_key(self, claims: dict[str, Any]) -> str:
        """HS256 with the public key as the password: what a verifier that trusts the token's own word falls for."""
        signed = ".".join(coded(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "first"}, claims))
        password = self.key.as_pem(private=False)
        return f"{signed}.{coded(hmac.digest(password, signed.encode(), 'sha256'))}"

    def unsigned(self, claims: dict[str, Any]) -> str:
        parts = [{"alg": "none", "kid": "first"}, claims]
        return ".".join(coded(json.dumps(part).encode()) for part in parts) + "."

    def answers(self, id_token: str, **other: Any) -> None:
        self.token = {"id_token": id_token, "access_token": "access", "token_type": "Bearer", **other}

    def provider(self, mapping: Mapping | None = None) -> OpenIdProvider:
        credentials = Credentials(self.issuer, "taxiway", "a-secret", "http://127.0.0.1:5500")
        return OpenIdProvider(credentials, mapping or Mapping(provider="Acme"))


def coded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@cache
def first_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})


class Answers(BaseHTTPRequestHandler):
    server: Forger

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)
        found = self.server.pages().get(path)
        if isinstance(found, str):  # where to go on
            self.send_response(302)
            self.send_header("Location", found)
            self.end_headers()
            return
        data = json.dumps(found or {}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def forging() -> Iterator[Forger]:
    forger = Forger()
    threading.Thread(target=forger.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield forger
    finally:
        forger.shutdown()
        forger.server_close()
