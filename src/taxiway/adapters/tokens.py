"""Signed tokens of a provider (JWT): read with its keys alone, and every claim that matters is looked at."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from msgspec import Struct

from taxiway.access.provider.port import Ended
from taxiway.access.provider.refusals import ClocksApart, TokenUnfit

# Signatures by a key pair alone: a token "signed" with nothing, or with a public key as a password, is none.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384")
LEEWAY_S = 60
OLDEST_LOGOUT_S = 600
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_SUBJECT = 255


class UnknownKey(Exception):
    """No key that is known here signed the token."""


class Expected(Struct, frozen=True):
    """What a token must fit. at: now, in seconds since 1970."""

    provider: str
    issuer: str
    client_id: str
    at: float

    def unfit(self, problem: str) -> TokenUnfit:
        return TokenUnfit(provider=self.provider, problem=problem)


def read_token(token: str, keys: KeySet, provider: str) -> dict[str, Any]:
    """The claims of a token that one of the keys signed. Raises UnknownKey, TokenUnfit."""
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        return jwt.decode(token, keys, algorithms=ALGORITHMS, registry=registry).claims
    except InvalidKeyIdError as e:
        raise UnknownKey("none of its keys signed the token") from e
    except BadSignatureError as e:
        raise UnknownKey("its signature is not that of its keys") from e
    except (JoseError, ValueError, TypeError, KeyError) as e:
        problem = "it is signed in a way that proves nothing, or is no token at all"
        raise TokenUnfit(provider=provider, problem=problem) from e


def check_id_token(claims: dict[str, Any], expected: Expected, *, nonce: str, access_token: str) -> None:
    """Nothing, where the token is of this provider, for this server, now, and for this very sign-in.

    Raises TokenUnfit, ClocksApart.
    """
    check_ends(claims, expected)
    check_subject(claims, expected)
    check_times(claims, expected)
    if not isinstance(given := claims.get("nonce"), str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise expected.unfit("the token belongs to another sign-in (its nonce differs)")
    at_hash = claims.get("at_hash")
    if at_hash is not None and str(at_hash) not in hashes_of(access_token):
        raise expected.unfit("the access token beside it is not the one it belongs to (at_hash)")


def check_logout_token(claims: dict[str, Any], expected: Expected) -> Ended:
    """What a logout token says has ended. Raises TokenUnfit, ClocksApart."""
    check_ends(claims, expected)
    check_times({"exp": expected.at + 1, **claims}, expected)
    if expected.at - float(claims["iat"]) > OLDEST_LOGOUT_S:
        raise expected.unfit("the logout token is older than 10 minutes")
    events = claims.get("events")
    if not isinstance(events, dict) or LOGOUT not in events or "nonce" in claims:
        raise expected.unfit("the token is none that ends sessions")
    subject, session = claims.get("sub", ""), claims.get("sid", "")
    if not isinstance(subject, str) or not isinstance(session, str) or not (subject or session):
        raise expected.unfit("the logout token names neither a person nor a session")
    return Ended(expected.issuer, subject, session)


def check_ends(claims: dict[str, Any], expected: Expected) -> None:
    """Who it is from and whom it is for."""
    if claims.get("iss") != expected.issuer:
        raise expected.unfit(f"the token is from {str(claims.get('iss'))[:120]!r}, another issuer")
    audience = claims.get("aud")
    readers = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in readers:
        raise expected.unfit("the token is for another client")
    party = claims.get("azp")
    if party not in (None, expected.client_id) or (party is None and len(readers) > 1):
        raise expected.unfit("the token was asked for by another client (azp)")


def check_subject(claims: dict[str, Any], expected: Expected) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise expected.unfit("the token does not say who (sub)")


def check_times(claims: dict[str, Any], expected: Expected) -> None:
    for name in ("exp", "iat", *(["nbf"] if "nbf" in claims else [])):
        value = claims.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e12:
            raise expected.unfit(f"the token does not say when ({name})")
        by_s = round(value - expected.at)
        if (name == "exp" and by_s <= -LEEWAY_S) or (name != "exp" and by_s > LEEWAY_S):
            raise ClocksApart(provider=expected.provider, by_s=by_s)


def hashes_of(access_token: str) -> set[str]:
    """The left half of the token's hash, for each hash that the algorithms above use."""
    found = set()
    for name in ("sha256", "sha384", "sha512"):
        digest = hashlib.new(name, access_token.encode()).digest()
        found.add(base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("="))
    return found
