"""The bytes of the audit log that are hashed and signed: canonical JSON (RFC 8785), the same wherever it is made."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import Any

import msgspec

from taxiway.audit.merkle import leaf_hash
from taxiway.kernel.canonical import NotCanonical, canonical_json

ENTRY_FIELDS = ("seq", "at", "actor", "verb", "thing", "project", "door", "request_id", "facts")


def facts_text(facts: dict[str, Any]) -> str:
    """An entry's facts as they are kept and hashed. What has no canonical form, such as NaN, is spelt as a text."""
    try:
        return canonical_json(facts).decode()
    except NotCanonical:
        return canonical_json(spelt(msgspec.to_builtins(facts))).decode()


def spelt(value: Any) -> Any:
    """The value with every number that JSON cannot say exactly as a text, such as ``NaN`` or the digits of 2**63."""
    match value:
        case dict():
            return {key: spelt(each) for key, each in value.items()}
        case list() | tuple():
            return [spelt(each) for each in value]
        case float() if not isfinite(value):
            return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
        case int() if not isinstance(value, bool) and abs(value) > 2**53 - 1:
            return str(value)
    return value


def entry_bytes(entry: dict[str, Any]) -> bytes:
    """The canonical JSON of an entry: its fields by name, `facts` the text that is kept."""
    return msgspec.json.encode({**entry, "facts": msgspec.Raw(entry["facts"].encode())}, order="sorted")


def leaf_of(entry: dict[str, Any]) -> bytes:
    """The leaf hash of an entry, of which `facts` is the text that is kept."""
    return leaf_hash(entry_bytes({name: entry[name] for name in ENTRY_FIELDS}))


def signed_text(size: int, root: bytes, at: datetime) -> bytes:
    """What a head's signature covers."""
    return msgspec.json.encode({"at": at, "root": root.hex(), "size": size}, order="sorted")
