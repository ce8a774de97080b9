"""What the outside sees of people from an identity provider."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page


class Binding(Struct, frozen=True):
    """That an account of a provider is a user here, for ever. groups: those of the last sign-in."""

    issuer: str
    subject: str
    user: str
    email: str
    groups: list[str]
    bound_at: datetime
    seen_at: datetime
    admin_group: str = ""


list_bindings = Endpoint(
    "GET",
    "/api/access/bindings",
    Nothing,
    Page[Binding],
    "access.admin",
    "Which accounts of the identity provider are who here",
    "platform",
)
