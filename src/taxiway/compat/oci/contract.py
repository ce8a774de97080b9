"""What the outside sees of bundles in registries."""

from __future__ import annotations

from msgspec import Struct

from taxiway.compat.oci import refusals
from taxiway.evidence.contract import Shown
from taxiway.kernel.endpoint import Endpoint, Nothing
from taxiway.models.contract import ModelStage

# What a registry refuses must be known wherever this module is.
RegistryRefused = refusals.RegistryRefused


class ReleaseImage(Struct, frozen=True, forbid_unknown_fields=True):
    """Has the platform say in which stage a version stands, of the image that holds it."""


class Image(Struct, frozen=True):
    """What an image of a registry is here, and how it stands now. is_released: in production, all its gates open."""

    digest: str
    model: str
    version: int
    bundle: str
    stage: ModelStage
    is_released: bool
    closed: list[str]


show_image = Endpoint(
    "GET",
    "/api/images/{digest}",
    Nothing,
    Image,
    "models.read",
    "Which version an image of a registry holds, and whether it may run",
    "platform",
)
release_image = Endpoint(
    "POST",
    "/api/models/{model}/versions/{version}/image",
    ReleaseImage,
    Shown,
    "models.promote",
    "Sign for a registry in which stage a version stands",
)
