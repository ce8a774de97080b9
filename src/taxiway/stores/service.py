"""The rules of stores: an admin names them, files in them are only read, and their digests are kept once read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField, NotFound
from taxiway.kernel.ids import is_name
from taxiway.storage.blobs import CHUNK, BytesGone
from taxiway.storage.database import Database
from taxiway.storage.places import Bucket, Folder, parse_place
from taxiway.storage.writes import Change
from taxiway.stores import store as store_queries
from taxiway.stores.beneath import open_beneath, segments_of
from taxiway.stores.contract import AddStore, Store
from taxiway.stores.refusals import PlaceUnsafe, StoreInUse
from taxiway.stores.store import Placed

REF = "placed:"


class Reader(Protocol):
    """Reads a bucket's objects: what `adapters.s3` gives."""

    def __call__(self, bucket: Bucket, key: str, /) -> IO[bytes]: ...


class Stores:
    """Allowed places, and the files in them that things here name.

    home: what is in it is never a store. read: how objects of buckets are read; None where nothing can.
    """

    def __init__(self, database: Database, ledger: Ledger, *, home: Path, read: Reader) -> None:
        self.database = database
        self.ledger = ledger
        self.home = home.resolve()
        self.read = read
        with database.read() as connection:
            self.has_placed = store_queries.has_any(connection)

    # --- stores ---

    def add(self, caller: Caller, body: AddStore, *, store: str) -> Store:
        """Allows a place under a name. Raises BadField, AlreadyExists."""
        name = store
        if not is_name(name):
            raise BadField(field="store", value=repr(name[:100]), expected="a name of a-z, 0-9, '.', '_' and '-'")
        place = parse_place(body.url, field="url")
        if isinstance(place, Folder):
            self._check_folder(place.folder)

        def make(record: Record) -> Store:
            known = {one.name: one for one in store_queries.all_stores(record.connection)}
            if name in known and known[name].url != str(place):
                raise AlreadyExists(kind="store", name=name, hint=f"It is {known[name].url}.")
            if name in known:
                return known[name]
            added = Store(name, str(place), caller.name, record.at)
            store_queries.add(record.connection, added)
            record.note(url=added.url)
            return added

        return self.ledger.change(caller, "stores.add", f"store:{name}", make, answer=Store)

    def _check_folder(self, folder: Path) -> None:
        real = folder.resolve()
        if not real.is_dir():
            raise BadField(field="url", value=repr(str(folder)), expected="a folder that is there")
        if real == self.home or self.home in real.parents or real in self.home.parents:
            raise BadField(field="url", value=repr(str(folder)), expected="a folder apart from the home")

    def remove(self, caller: Caller, *, store: str) -> Store:
        """Forgets a store that nothing here names a file of. Raises NotFound, StoreInUse."""
        name = store

        def make(record: Record) -> Store:
            found = next((one for one in store_queries.all_stores(record.connection) if one.name == name), None)
            if found is None:
                raise unknown(name)
            if found.files:
                raise StoreInUse(store=name, files=found.files)
            store_queries.remove(record.connection, name)
            record.note(url=found.url)
            return found

        return self.ledger.change(caller, "stores.remove", f"store:{name}", make, answer=Store)

    def list(self, caller: Caller) -> Page[Store]:
        with self.database.read() as connection:
            return Page(store_queries.all_stores(connection))

    def place_of(self, name: str) -> Folder | Bucket:
        """Where a store is. Raises NotFound."""
        with self.database.read() as connection:
            found = next((one for one in store_queries.all_stores(connection) if one.name == name), None)
        if found is None:
            raise unknown(name)
        return parse_place(found.url, field="url")

    # --- files ---

    def refer(self, files: Sequence[tuple[str, str, int]]) -> Sequence[str]:
        """References to files of stores, by which they are named until they were read: store, place and size each.

        Raises NotFound for a store, PlaceUnsafe for a place that could lead out of it.
        """
        known = {name: self.place_of(name) for name in {name for name, _, _ in files}}
        rows = []
        for name, place, size in files:
            self._check(name, known[name], place)
            ref = REF + hashlib.sha256(f"{name}\n{place}".encode()).hexdigest()
            rows.append(Placed(ref, name, place, size))

        def keep(change: Change) -> None:
            store_queries.put_placed(change.connection, rows)

        self.ledger.writer.write(keep)
        self.has_placed = True
        return [row.ref for row in rows]

    def _check(self, name: str, where: Folder | Bucket, place: str) -> None:
        try:
            if isinstance(where, Folder):
                open_beneath(where.folder, place).close()
            else:
                segments_of(place)
        except (ValueError, OSError) as e:
            raise PlaceUnsafe(store=name, place=place[:200]) from e

    def settle(self, ref: str) -> str:
        """The digest of what a reference names: read now, if nobody read it before. Others are given back as they are.

        Raises BytesGone, PlaceUnsafe.
        """
        if not ref.startswith(REF):
            return ref
        with self.database.read() as connection:
            found = store_queries.find_placed(connection, ref)
        if found is None:
            raise BytesGone(what=ref)
        if found.digest:
            return found.digest
        hashed = hashlib.sha256()
        with self.open(found) as file:
            while chunk := file.read(CHUNK):
                hashed.update(chunk)
        digest = f"sha256:{hashed.hexdigest()}"

        def keep(change: Change) -> None:
            store_queries.set_digest(change.connection, ref, digest)

        self.ledger.writer.write(keep)
        return digest

    def find(self, digest: str) -> Placed | None:
        """A file that had this digest when it was read first."""
        if not self.has_placed:
            return None
        with self.database.read() as connection:
            found = store_queries.with_digest(connection, digest)
        return found[0] if found else None

    def open(self, file: Placed) -> IO[bytes]:
        """The bytes of a file where it is. Raises BytesGone, PlaceUnsafe."""
        where = self.place_of(file.store)
        try:
            if isinstance(where, Folder):
                return open_beneath(where.folder, file.place)
            segments_of(file.place)
            return self.read(where, file.place)
        except FileNotFoundError as e:
            raise BytesGone(what=f"{file.place} in the store {file.store}") from e
        except ValueError as e:
            raise PlaceUnsafe(store=file.store, place=file.place[:200]) from e

    def path(self, file: Placed) -> Path | None:
        """The file on this machine, where its store is a folder; looked at as `open` does."""
        where = self.place_of(file.store)
        if not isinstance(where, Folder):
            return None
        self.open(file).close()
        return where.folder / file.place


def unknown(name: str) -> NotFound:
    return NotFound(kind="store", name=name[:100], hint="`taxiway stores list` shows those there are.")
