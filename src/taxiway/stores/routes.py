"""The API of stores."""

from __future__ import annotations

from taxiway.stores import contract
from taxiway.stores.service import Stores
from taxiway.web.serve import Server


def bind(server: Server, stores: Stores) -> None:
    server.serve(contract.add_store, stores.add)
    server.serve(contract.list_stores, stores.list)
    server.serve(contract.remove_store, stores.remove)
