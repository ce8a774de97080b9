"""What the outside sees of exported cards."""

from __future__ import annotations

from typing import Literal

from taxiway.kernel.endpoint import Endpoint, Nothing, Raw
from taxiway.kernel.errors import TaxiwayError

Export = Literal["huggingface", "sagemaker", "cyclonedx"]
EXPORTS: tuple[Export, ...] = ("huggingface", "sagemaker", "cyclonedx")
# What each export's file is called by the systems that read it, and its media type.
FILES: dict[Export, tuple[str, str]] = {
    "huggingface": ("README.md", "text/markdown"),
    "sagemaker": ("sagemaker-card.json", "application/json"),
    "cyclonedx": ("bom.cdx.json", "application/vnd.cyclonedx+json"),
}


class CardTooLong(TaxiwayError):
    """A card that the system it is meant for would refuse for its length."""

    status = 422
    export: str
    characters: int
    most: int

    def __str__(self) -> str:
        return f"The card has {self.characters:,} characters and {self.export} takes {self.most:,}. Shorten its texts."


export_card = Endpoint(
    "GET",
    "/api/dossiers/models/{model}/versions/{version}/cards/{export}",
    Nothing,
    Raw,
    "models.read",
    "The card of a version for another system: huggingface, sagemaker or cyclonedx",
)
