"""The refusals of stores."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class StoreInUse(TaxiwayError):
    """A store that was to be removed while things here name files in it."""

    status = 409
    store: str
    files: int

    def __str__(self) -> str:
        return (
            f"The store {self.store} holds {self.files:,} files that runs here name. Delete those runs first, or keep "
            f"it: nothing in it is ever written."
        )


class PlaceUnsafe(TaxiwayError):
    """A file that may not be read: it lies outside its store, or a link leads to it."""

    status = 403
    is_audited = True
    store: str
    place: str

    def __str__(self) -> str:
        return (
            f"{self.place!r} is no plain file beneath the store {self.store}: links and '..' are not followed. "
            f"Put the file itself there."
        )
