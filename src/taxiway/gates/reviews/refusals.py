"""What reviews refuse."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class NotInUse(TaxiwayError):
    """A review of a version that stands in neither staging nor production."""

    status = 409
    model: str
    version: int
    stage: str

    def __str__(self) -> str:
        return (
            f"{self.model} v{self.version} is not in use (stage: {self.stage}), so there is nothing to review. What is "
            f"on its way is judged by its gates: `taxiway gates show {self.model}@{self.version}`."
        )
