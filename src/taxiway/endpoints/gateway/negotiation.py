"""Which media type a caller wants back, by its Accept header (RFC 9110, 12.5.1)."""

from __future__ import annotations

from typing import NamedTuple

from taxiway.kernel.errors import TaxiwayError

JSON, CSV = b"application/json", b"text/csv"
ANY = {b"*/*": JSON, b"application/*": JSON, b"text/*": CSV}
WRITTEN = "application/json or text/csv, or text/event-stream or application/x-ndjson for an answer in pieces"
LONGEST_SAID = 200


class Wanted(NamedTuple):
    """JSON or CSV; the latter with a line of names if `has_header`."""

    media_type: bytes
    has_header: bool = False


class AcceptRefused(TaxiwayError):
    """The caller accepts nothing that is written here."""

    status = 406
    accept: str
    written: str = WRITTEN

    def __str__(self) -> str:
        return f"Nothing here is written as {self.accept[:LONGEST_SAID]}. Accept {self.written}."


def wanted(accept: bytes) -> Wanted:
    """What the caller likes best of what is written here, JSON where it does not care. Raises AcceptRefused.

    >>> wanted(b"text/csv;q=0.5, application/json").media_type
    b'application/json'
    """
    if accept in (b"", b"*/*", JSON):
        return Wanted(JSON)
    liked: list[tuple[float, Wanted]] = []
    for part in accept.lower().split(b","):
        name, *parameters = (each.strip() for each in part.split(b";"))
        found = ANY.get(name, name)
        if found in (JSON, CSV):
            liked.append((quality(parameters), Wanted(found, b"header=present" in parameters)))
    best = max(liked, key=lambda each: each[0], default=(0.0, Wanted(JSON)))
    if best[0] == 0.0:
        raise AcceptRefused(accept=accept.decode("latin-1"))
    return best[1]


def quality(parameters: list[bytes]) -> float:
    """How much a media type is liked, 0 to 1; 0 is not at all."""
    for parameter in parameters:
        if parameter.startswith(b"q="):
            try:
                return min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def header_of(content_type: bytes) -> bool | None:
    """Whether a CSV says that it has a line of names, by RFC 4180's parameter; None where it does not say."""
    parameters = [each.strip() for each in content_type.lower().split(b";")[1:]]
    if b"header=present" in parameters:
        return True
    return False if b"header=absent" in parameters else None
