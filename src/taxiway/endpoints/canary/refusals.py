"""What canaries refuse."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class CanaryRuns(TaxiwayError):
    """An endpoint has one canary at a time: two would share what one shows."""

    status = 409
    endpoint: str
    version: str

    def __str__(self) -> str:
        return (
            f"{self.version} is the canary of {self.endpoint} already. Wait for its verdict "
            f"(`taxiway endpoints canary {self.endpoint}`), or end it with `--end`."
        )
