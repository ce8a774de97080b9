"""What the outside sees of storage: bytes on their way in. What they are for is said by the noun that takes them."""

from __future__ import annotations

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Raw
from taxiway.kernel.errors import TaxiwayError


class YamlBroken(TaxiwayError):
    """A YAML text that cannot be read, or says something that is not asked for: where, what, and what would do.

    key: dotted, such as ``columns.age.min``; empty where it is no key's fault.
    """

    status = 400
    file: str
    line: int
    key: str
    problem: str
    expected: str

    def __str__(self) -> str:
        key = f", {self.key}" if self.key else ""
        return f"{self.file}, line {self.line}{key}: {self.problem}; give {self.expected}."


class Stored(Struct, frozen=True):
    """Bytes that the platform holds now."""

    digest: str
    size_bytes: int


put_blob = Endpoint(
    "PUT", "/api/blobs/{digest}", Raw, Stored, "blobs.write", "Store bytes under their SHA-256", "platform"
)
