"""What the outside sees of storage: bytes on their way in. What they are for is said by the noun that takes them."""

from __future__ import annotations

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Raw


class Stored(Struct, frozen=True):
    """Bytes that the platform holds now."""

    digest: str
    size_bytes: int


put_blob = Endpoint(
    "PUT", "/api/blobs/{digest}", Raw, Stored, "blobs.write", "Store bytes under their SHA-256", "platform"
)
