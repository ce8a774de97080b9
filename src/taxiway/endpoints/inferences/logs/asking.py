"""Asking a log on somebody's behalf: what they may see of it, as records, as a table in a file, as figures."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from taxiway.endpoints.inferences.damage import left_out
from taxiway.endpoints.inferences.logs.contract import AskLog, FetchLog, LogAnswer, LogRecord
from taxiway.endpoints.inferences.logs.service import FETCHED, Logs
from taxiway.endpoints.inferences.query.asking import Question, Reading, empty
from taxiway.endpoints.inferences.query.grammar import fields_of, parse_where, read_bound
from taxiway.endpoints.inferences.refusals import LogTooSlow
from taxiway.kernel.caller import Caller
from taxiway.kernel.ids import new_id
from taxiway.runs.search.moments import EPOCH, span_of
from taxiway.web.downloads import Download

PERSONAL = "endpoints.personal"
FETCH_S = 120.0
STALE = timedelta(hours=1)  # a table that nobody fetched to its end


class Asking:
    """Questions to the logs."""

    def __init__(self, logs: Logs) -> None:
        self.logs = logs

    def question(self, caller: Caller, endpoint: str, asked: AskLog | FetchLog) -> Question:
        """What somebody asks, with their rights. Raises BadField, NotFound."""
        project = self.logs.endpoints.project_of(endpoint)
        now = self.logs.endpoints.publisher.writer.clock()
        where = parse_where(asked.where)
        is_named = any((field.place, field.name) == ("record", "shadow") for field in fields_of(where))
        return Question(
            endpoint,
            now,
            where,
            moment(asked.since, "since", now),
            moment(asked.until, "until", now),
            is_opened=self.logs.access.is_allowed(caller, PERSONAL, project),
            shadows=None if is_named else asked.shadows,
        )

    def ask(self, caller: Caller, body: AskLog, *, endpoint: str) -> LogAnswer:
        """The newest records that meet a question. Raises BadField, NotFound."""
        asked = self.question(caller, endpoint, body)
        reading = Reading(self.logs.home, msgspec.structs.replace(asked, limit=body.limit))
        records = [to_record(row) for table in reading.tables() for row in table.to_pylist()]
        records.sort(key=lambda each: each.at, reverse=True)
        back_to = reading.back_to if reading.is_cut else None
        unread = left_out(self.logs.home, endpoint)
        return LogAnswer(records, reading.looked_at, reading.is_cut, back_to, unread)

    def fetch(self, caller: Caller, body: FetchLog, *, endpoint: str) -> Download:
        """All records that meet a question as an Arrow file, segment by segment, the newest first.

        Raises BadField, NotFound, LogTooSlow.
        """
        import pyarrow as pa

        asked = self.question(caller, endpoint, body)
        reading = Reading(self.logs.home, msgspec.structs.replace(asked, deadline_s=FETCH_S))
        path = self._room() / f"{new_id()}.arrow"
        schema = empty().schema
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with path.open("wb") as file, pa.ipc.new_stream(file, schema, options=options) as writer:
            os.fchmod(file.fileno(), 0o600)
            for table in reading.tables():
                writer.write_table(table.cast(schema))
        if reading.is_cut:
            path.unlink()
            raise LogTooSlow(endpoint=endpoint, looked_at=reading.looked_at, deadline_s=FETCH_S)
        return Download(path, f"{endpoint}.arrow", "application/vnd.apache.arrow.stream", is_gone_after=True)

    def _room(self) -> Path:
        """Where tables wait to be fetched; those that nobody did are cleared away."""
        folder = self.logs.home / FETCHED
        folder.mkdir(exist_ok=True, mode=0o700)
        last = datetime.now(UTC) - STALE
        for path in folder.glob("*.arrow"):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < last:
                path.unlink(missing_ok=True)
        return folder


def moment(text: str, name: str, now: datetime) -> datetime | None:
    """A bound as people write it. Raises BadField."""
    found = read_bound(text, name)
    return None if found is None else EPOCH + timedelta(microseconds=span_of(found, now)[0])


def to_record(row: dict[str, Any]) -> LogRecord:
    """A record out of a table's row."""
    outputs = row["outputs"]
    return LogRecord(
        **{
            **row,
            "inputs": msgspec.json.decode(row["inputs"]),
            "outputs": None if outputs is None else msgspec.json.decode(outputs),
            "inputs_hash": row["inputs_hash"] or None,
        }
    )
