"""How secrets look and what is kept of them."""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_secret(kind: str) -> str:
    """256 random bits with a mark that secret scanners can look for."""
    return f"tw_{kind}_{secrets.token_urlsafe(32)}"


def hash_secret(secret: str) -> str:
    """What is kept of a secret. Plain SHA-256: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def challenge_of(verifier: str) -> str:
    """What a verifier is asked for by (RFC 7636, S256).

    >>> challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    """
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
