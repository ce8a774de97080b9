"""Sign-ins under way: kept by the browser itself, sealed, so that strangers who begin many leave nothing here."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable

import msgspec

from taxiway.access.provider.port import Attempt
from taxiway.storage.keys import Keys, KeyUnusable

LIVES_S = 600.0
LABEL = "sign-in"


class Attempts:
    """Makes attempts and knows them again. Any server with the home's key opens what another one sealed."""

    def __init__(self, keys: Keys, clock: Callable[[], float] = time.time) -> None:
        self.keys = keys
        self.clock = clock

    def begin(self, *, onward: str, user: str = "", before: str = "") -> tuple[Attempt, str]:
        """A new attempt, and what the browser keeps of it."""
        attempt = Attempt(
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            until=self.clock() + LIVES_S,
            next=onward,
            user=user,
            before=before,
        )
        sealed = self.keys.seal(msgspec.json.encode(attempt).decode(), LABEL)
        return attempt, base64.urlsafe_b64encode(sealed).decode()

    def find(self, kept: str, state: str) -> Attempt | None:
        """The attempt that a browser kept, if it is one of ours, under way, and has this state."""
        try:
            sealed = base64.urlsafe_b64decode(kept.encode())
            attempt = msgspec.json.decode(self.keys.unseal(sealed, LABEL), type=Attempt)
        except (KeyUnusable, binascii.Error, UnicodeError, msgspec.MsgspecError):
            return None
        is_same = hmac.compare_digest(attempt.state.encode(), state.encode())
        return attempt if is_same and self.clock() < attempt.until else None
