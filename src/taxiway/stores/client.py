"""The SDK of stores: ``client.stores``."""

from __future__ import annotations

from collections.abc import Sequence

from taxiway.kernel.endpoint import Nothing
from taxiway.kernel.transport import Transport
from taxiway.stores import contract
from taxiway.stores.contract import AddStore, Store


class Stores:
    """Places whose files may stay where they are. Admins only."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def add(self, name: str, url: str) -> Store:
        """Allows a folder of the server's machine (``file:///…``) or a part of a bucket (``s3://…``).

        >>> client.stores.add("mlruns", "file:///srv/mlflow/artifacts")  # doctest: +SKIP
        """
        return self.transport.call(contract.add_store, AddStore(url), store=name)

    def list(self) -> Sequence[Store]:
        """By name."""
        return self.transport.call(contract.list_stores, Nothing()).items

    def remove(self, name: str) -> Store:
        """Forgets a store that nothing names a file of. Raises NotFound, StoreInUse."""
        return self.transport.call(contract.remove_store, Nothing(), store=name)
