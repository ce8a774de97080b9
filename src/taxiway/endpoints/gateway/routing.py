"""A split made ready to be asked, request by request. Pure; the gateway holds one for each endpoint."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from taxiway.endpoints.rollout.split import HEADER, Split, slot_of

ASKED_FOR = b"taxiway-revision"  # the header by which a caller chooses


class Route:
    """Finds the revision for a request: by a header rule, else by its key, else by its own id."""

    __slots__ = ("bounds", "decoder", "field", "header", "only", "owners", "revisions", "rules", "salt")

    def __init__(self, split: Split, endpoint: str) -> None:
        self.revisions = frozenset(split.revisions)
        self.bounds = [stretch.until for stretch in split.stretches]
        self.owners = [stretch.revision for stretch in split.stretches]
        # Almost all endpoints have one revision and no rule: they pay for none of this.
        self.only = self.owners[0] if len(self.owners) == 1 and not split.rules else None
        self.rules: dict[bytes, dict[bytes, int]] = {}
        for rule in split.rules:
            self.rules.setdefault(rule.header.lower().encode(), {})[rule.value.encode()] = rule.revision
        self.salt = endpoint.encode()
        self.header = split.sticky.removeprefix(HEADER).lower().encode() if split.sticky.startswith(HEADER) else b""
        self.field = "" if self.header else split.sticky
        fields = [("value", msgspec.Raw | msgspec.UnsetType, UNSET)]
        row = msgspec.defstruct("Keyed", fields, rename={"value": self.field})
        self.decoder = msgspec.json.Decoder(row) if self.field else None

    def choose(self, headers: Mapping[bytes, bytes], row: bytes, request_id: str) -> int:
        """The revision for a request. row: its first one, as JSON; headers with names in lower case."""
        if self.only is not None:
            return self.only
        for name, values in self.rules.items():
            chosen = values.get(headers.get(name, b""))
            if chosen is not None:
                return chosen
        if len(self.owners) == 1:
            return self.owners[0]
        key = self.key(headers, row) or request_id.encode()
        return self.owners[bisect_right(self.bounds, slot_of(key, self.salt))]

    def key(self, headers: Mapping[bytes, bytes], row: bytes) -> bytes:
        """What makes two requests belong together; empty where the request has nothing of the kind.

        A number is the same key however it is written: 7, 7.0 and "7" are one.
        """
        if self.header:
            return headers.get(self.header, b"")
        if self.decoder is None:
            return b""
        try:
            found: Any = self.decoder.decode(row)
            value = UNSET if found.value is UNSET else msgspec.json.decode(found.value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return b""  # the worker says what is wrong with the row
        if value is UNSET or value is None or value == "":
            return b""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return (value if isinstance(value, str) else msgspec.json.encode(value).decode()).encode()
