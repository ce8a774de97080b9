"""The keys of personal fields, one for each subject of an endpoint: without its key a field is gone.

They are in ``HOME/keys/inferences/subjects.sqlite``, a file of the home and no part of the database: the gateway makes
keys while nothing else runs. What is erased is overwritten there.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from taxiway.endpoints.inferences.masking import decrypted
from taxiway.endpoints.inferences.record import Inference

MOST_KEPT = 10_000  # keys in memory
BUSY_S = 5.0
MADE = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY, endpoint TEXT NOT NULL, subject TEXT NOT NULL, key BLOB NOT NULL, UNIQUE (endpoint, subject)
) WITHOUT ROWID
"""


class SubjectKey:
    """A key with its id."""

    def __init__(self, id_: str, key: bytes) -> None:
        self.id = id_
        self.cipher = AESGCM(key)


class Subjects:
    """A home's keys. Safe for several threads and processes; each call opens the file anew."""

    def __init__(self, home: Path) -> None:
        self.path = home / "keys" / "inferences" / "subjects.sqlite"
        self.lock = threading.Lock()
        self.kept: OrderedDict[tuple[str, str], SubjectKey] = OrderedDict()
        self.looked_at: tuple[int, int] | None = None
        self.erasures = 0  # as many as there were when the keys in memory were read

    # --- writing records ---

    def known(self, endpoint: str, subject: str) -> SubjectKey | None:
        """The key of a subject where it is in memory."""
        return self.kept.get((endpoint, subject))

    def keys_for(self, endpoint: str, subjects: Collection[str]) -> dict[str, SubjectKey]:
        """The key of each subject, made and on the disk where there was none. Raises OSError."""
        found: dict[str, SubjectKey] = {}
        try:
            with self._open(is_making=True) as connection:
                for subject in subjects:
                    fresh = (secrets.token_hex(8), endpoint, subject, AESGCM.generate_key(256))
                    connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)", fresh)
                    here = "SELECT id, key FROM keys WHERE endpoint = ? AND subject = ?"
                    found[subject] = SubjectKey(*connection.execute(here, (endpoint, subject)).fetchone())
        except sqlite3.Error as e:
            raise OSError(f"the key of a subject cannot be kept ({e})") from e
        with self.lock:
            self.kept.update({(endpoint, subject): key for subject, key in found.items()})
            while len(self.kept) > MOST_KEPT:
                self.kept.popitem(last=False)
        return found

    def refresh(self) -> None:
        """Forgets the keys in memory if any was erased since."""
        stamp = self._stamp()
        if stamp is None or stamp == self.looked_at:
            return
        with self._open() as connection:
            erasures = connection.execute("PRAGMA user_version").fetchone()[0]
        if erasures != self.erasures:
            with self.lock:
                self.kept.clear()
        self.looked_at, self.erasures = stamp, erasures

    # --- reading and erasing ---

    def by_id(self, ids: Collection[str]) -> dict[str, SubjectKey]:
        """The keys of these ids that were not erased."""
        wanted = list(ids)
        if not wanted or not self.path.exists():
            return {}
        found: dict[str, SubjectKey] = {}
        with self._open() as connection:
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                marks = ", ".join("?" * len(some))
                query = f"SELECT id, key FROM keys WHERE id IN ({marks})"  # noqa: S608  question marks alone
                found |= {id_: SubjectKey(id_, key) for id_, key in connection.execute(query, some)}
        return found

    def id_of(self, endpoint: str, subject: str) -> str:
        """The id of a subject's key; empty where there is none."""
        if not self.path.exists():
            return ""
        with self._open() as connection:
            query = "SELECT id FROM keys WHERE endpoint = ? AND subject = ?"
            row = connection.execute(query, (endpoint, subject)).fetchone()
        return row[0] if row else ""

    def erase(self, endpoint: str, subject: str) -> bool:
        """Destroys a subject's key; whether there was one."""
        if not self.path.exists():
            return False
        with self._open() as connection:
            query = "DELETE FROM keys WHERE endpoint = ? AND subject = ?"
            is_there = connection.execute(query, (endpoint, subject)).rowcount > 0
            erasures = connection.execute("PRAGMA user_version").fetchone()[0]
            connection.execute(f"PRAGMA user_version = {int(erasures) + 1}")
        return is_there

    @contextmanager
    def _open(self, *, is_making: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection whose changes are on the disk when the block is over. What is deleted is overwritten."""
        if is_making and not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = TRUNCATE")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(MADE)
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size


def revealed(home: Path, records: list[Inference]) -> list[Inference]:
    """The records with their personal fields among the inputs, where their keys were not erased.

    Fields that were changed in the file, or moved to another row, stay closed.
    """
    keys = Subjects(home).by_id({each.subject_key for each in records if each.subject_key})
    return [opened(each, keys.get(each.subject_key)) for each in records]


def opened(record: Inference, key: SubjectKey | None) -> Inference:
    if key is None or not record.personal:
        return record
    fields = open_fields(record.personal, f"{record.prediction_id}/{record.row}", key)
    return replace(record, inputs={**record.inputs, **fields}) if fields else record


def open_fields(personal: str, of: str, key: SubjectKey) -> dict[str, Any]:
    """The personal fields of a row; none where they were changed, or are another row's."""
    try:
        return decrypted(personal, of, key)
    except InvalidTag:
        return {}
