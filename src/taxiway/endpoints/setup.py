"""How a revision's workers run, as it is declared at deploy and signed with all that the gateway serves."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Sandbox = Literal["reachable", "require"]


class Setup(Struct, frozen=True, forbid_unknown_fields=True):
    """network: whether its workers may reach others. sandbox: `require` has a worker refuse its model where the host
    cannot confine it in every respect; `reachable` confines it as far as the host does.
    """

    network: bool = False
    sandbox: Sandbox = "reachable"


PLAIN = Setup()
