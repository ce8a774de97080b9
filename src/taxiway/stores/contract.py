"""What the outside sees of stores."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page


class Store(Struct, frozen=True):
    """A folder or a part of a bucket whose files may stay there. files: how many are named by things here."""

    name: str
    url: str
    added_by: str
    added_at: datetime
    files: int = 0


class AddStore(Struct, frozen=True, forbid_unknown_fields=True):
    """url: ``file:///FOLDER`` of the server's own machine, or ``s3://BUCKET/PREFIX?endpoint=URL``."""

    url: Annotated[str, Meta(min_length=1, max_length=1000)]


add_store = Endpoint(
    "PUT", "/api/stores/{store}", AddStore, Store, "stores.write", "Allow files to stay in a place", "platform"
)
list_stores = Endpoint("GET", "/api/stores", Nothing, Page[Store], "stores.write", "Every allowed place", "platform")
remove_store = Endpoint(
    "DELETE", "/api/stores/{store}", Nothing, Store, "stores.write", "Allow a place no longer", "platform"
)
