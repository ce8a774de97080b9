"""Fed records on their way into the inference log: by the endpoint's policy, a file at a time, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.external.contract import FedRecord
from taxiway.endpoints.external.records import id_at, inputs_of, outputs_of
from taxiway.endpoints.inferences.ageing.chain import digest_of
from taxiway.endpoints.inferences.labelling import rows_made
from taxiway.endpoints.inferences.logs import store as logs_store
from taxiway.endpoints.inferences.masking import Kept, Mask, hash_secret
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.inferences.record import Line
from taxiway.endpoints.inferences.recording import Happened, kind_of_error, lines_of
from taxiway.endpoints.inferences.subjects import Subjects
from taxiway.endpoints.inferences.writing import sync_folder

PROTOCOL = "external"
MARK = "feeding"  # is there from before a file is written until the database knows of it


class Answered(msgspec.Struct, frozen=True):
    """The revision as a record names it."""

    endpoint: str
    number: int
    model: str
    version: int
    bundle_digest: str


class LogWriter:
    """Writes the records of one batch into a closed segment of their own, which is sealed as every other.

    A server that is killed between file and commit leaves a mark; the next batch then looks into the log itself for
    what it holds already, so that nothing is there twice.
    """

    def __init__(self, home: Path, revision: Revision) -> None:
        self.home = home
        self.folder = home / "inferences" / revision.endpoint
        self.revision = revision
        of = (revision.endpoint, revision.number, revision.model, revision.version, revision.bundle)
        self.answered = Answered(*of)

    def write(self, connection: Connection, records: Sequence[FedRecord], ids: dict[str, str], caller: str) -> str:
        """On the disk when it returns, with the digest of what was written. Raises OSError; then it holds nothing."""
        mark = self.folder / MARK
        if mark.exists():
            wanted = {(ids[each.prediction_id], each.row) for each in records}
            made = rows_made(self.home, self.revision.endpoint, wanted)
            records = [each for each in records if (ids[each.prediction_id], each.row) not in made]
        if not records:
            return digest_of(b"")
        self.folder.mkdir(parents=True, exist_ok=True)
        mark.touch(mode=0o600)
        found = logs_store.find(connection, self.revision.endpoint)
        lines = self.lines(records, ids, found.policy if found else LogPolicy(), caller)
        data = msgspec.json.Encoder().encode_lines(lines)
        self.put(data, records)
        return digest_of(data)

    def settle(self) -> None:
        """Once the database knows of it."""
        (self.folder / MARK).unlink(missing_ok=True)

    def lines(self, records: Sequence[FedRecord], ids: dict[str, str], policy: LogPolicy, caller: str) -> list[Line]:
        """A record for each, of whose inputs only what the policy keeps is written."""
        names = [f"{ids[each.prediction_id]}/{each.row}" for each in records]
        kept = self.masked([inputs_of(each) for each in records], names, policy)
        lines = []
        for number, each in enumerate(records):
            event_at = [each.event_at or each.at]
            happened = Happened(
                ids[each.prediction_id], each.at, each.latency_ms, event_at, caller, each.trace_id, PROTOCOL
            )
            some = None if kept is None else [kept[number]]
            result = outputs_of(each)
            if not policy.is_plain and isinstance(result, str):
                result = kind_of_error(result)  # the text may quote what was asked
            [line] = lines_of(self.answered, [inputs_of(each)], result, happened, some)
            lines.append(replace(line, row=each.row))
        return lines

    def masked(self, rows: Sequence[bytes], names: Sequence[str], policy: LogPolicy) -> list[Kept] | None:
        """What the policy leaves of inputs; None is all of them."""
        endpoint = self.revision.endpoint
        if policy.is_plain:
            return None
        mask = Mask(endpoint, policy, hash_secret(self.home))
        subjects = [mask.subject_of(row) for row in rows]
        wanted = {*subjects} - {""}
        keys = Subjects(self.home).keys_for(endpoint, wanted) if mask.personal and wanted else {}
        return [mask.kept(row, of, keys.get(who)) for row, of, who in zip(rows, names, subjects, strict=True)]

    def put(self, data: bytes, records: Sequence[FedRecord]) -> None:
        """The file, named by its first record's time, since readers look for a record in files begun before it."""
        first = min(each.at for each in records)
        id_ = id_at(first, int.from_bytes(hashlib.sha256(data).digest()[:10]))
        for left in self.folder.glob("feed-*.tmp"):
            left.unlink(missing_ok=True)
        waiting = self.folder / f"feed-{id_}.tmp"
        descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        waiting.rename(self.folder / f"closed-{id_}.jsonl")
        for folder in (self.folder, *self.folder.parents[:2]):
            sync_folder(folder)
