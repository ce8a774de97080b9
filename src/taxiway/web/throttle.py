"""How often something may go wrong: one bucket for everybody, since whatever a client says of itself it can vary."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

from taxiway.kernel.errors import TaxiwayError


class TooManyAttempts(TaxiwayError):
    """Signing in failed too often in a short time, whoever tried."""

    status = 429
    retry_after_s = 3.0
    wait_s: int

    def __str__(self) -> str:
        holds = "a link or token that holds works all the while"
        return f"Too many attempts to sign in failed. Wait {self.wait_s} s; {holds}."


class Throttle:
    """A bucket of `burst` attempts that fills up again by one every `every_s` seconds.

    Only failures take from it. One who holds a good link is never shut out by others who guess: with 256 random
    bits a guess cannot succeed, so what the bucket bounds is the work and the noise that guessing makes.
    """

    def __init__(self, *, burst: int = 20, every_s: float = 3.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.burst = burst
        self.every_s = every_s
        self.clock = clock
        self.left = float(burst)
        self.at = clock()
        self.lock = Lock()

    def failed(self) -> None:
        """Counts a failure. Raises TooManyAttempts when there were too many."""
        with self.lock:
            now = self.clock()
            self.left = min(self.burst, self.left + (now - self.at) / self.every_s)
            self.at = now
            if self.left < 1:
                raise TooManyAttempts(wait_s=max(1, round((1 - self.left) * self.every_s)))
            self.left -= 1
