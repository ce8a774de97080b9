"""Labels: what turned out to be true of a prediction. They are only ever added."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import msgspec

from taxiway.audit.service import Record
from taxiway.endpoints import store
from taxiway.endpoints.contract import (
    MOST_NAMED,
    GiveLabels,
    KeptLabel,
    Label,
    LabelConflict,
    LabelsTaken,
    LabelValue,
)
from taxiway.endpoints.external import store as external
from taxiway.endpoints.inferences.log import LONGEST_REQUEST, load_sealed, segments, wherever
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import ID, made_at

RowId = tuple[str, int]
# How a line of an open or closed segment begins, of a row or of many: the log writes its fields in this order.
LINE = re.compile(rb'^\{"prediction_id":"([0-9a-f]{32})","row":(\d+),', re.MULTILINE)
LINES = re.compile(rb'^\{"rows":(\d+),"prediction_id":"([0-9a-f]{32})",', re.MULTILINE)
SKEW = timedelta(hours=1)  # of a caller's clock


class Labels:
    """Takes labels and gives them out."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    def give(self, caller: Caller, body: GiveLabels, *, endpoint: str) -> LabelsTaken:
        """Stores what is new. The same label again changes nothing; another one for the same row does not replace it.

        Raises BadField for a label that is no finite value, or known only in the future; NotFound.
        """
        project = self.endpoints.project_of(endpoint)
        check(body.labels, self.endpoints.publisher.writer.clock())
        ids = self._own_ids(endpoint, body.labels)
        wanted = {(ids[each.prediction_id], each.row) for each in body.labels if ids[each.prediction_id]}
        made = rows_made(self.endpoints.home, endpoint, wanted)

        def make(record: Record) -> LabelsTaken:
            before = store.find_labels(record.connection, sorted(wanted))
            fresh: dict[RowId, KeptLabel] = {}
            known, unknown, conflicts = 0, [], []
            for each in body.labels:
                row = (ids[each.prediction_id], each.row)
                kept = before.get(row) or fresh.get(row)
                if row not in made:
                    unknown.append(f"{each.prediction_id}/{each.row}")
                elif kept is None:
                    fresh[row] = KeptLabel(*row, each.label, each.at or record.at, caller.name, record.at)
                elif is_same(kept.label, each.label):
                    known += 1
                else:
                    conflicts.append(LabelConflict(*row, kept.label, each.label))
            store.add_labels(record.connection, endpoint, list(fresh.values()))
            digest = f"sha256:{hashlib.sha256(msgspec.json.encode(list(fresh.values()))).hexdigest()}"
            record.note(new=len(fresh), known=known, unknown=len(unknown), conflicts=len(conflicts), digest=digest)
            return LabelsTaken(
                len(fresh), known, len(unknown), unknown[:MOST_NAMED], len(conflicts), conflicts[:MOST_NAMED]
            )

        thing = f"endpoint:{endpoint}"
        ledger = self.endpoints.ledger
        return ledger.change(caller, "endpoints.label", thing, make, answer=LabelsTaken, project=project)

    def _own_ids(self, endpoint: str, labels: list[Label]) -> dict[str, str]:
        """What predictions are called here; empty for what nothing here is called. Others' ids are of fed logs."""
        given = {each.prediction_id for each in labels}
        with self.endpoints.database.read() as connection:
            known = external.own_ids(connection, endpoint, given) if external.is_external(connection, endpoint) else {}
        return {each: known.get(each) or (each if ID.fullmatch(each) else "") for each in given}

    def of(self, endpoint: str, since: datetime | None = None) -> list[KeptLabel]:
        """An endpoint's labels in the order in which they were recorded; since: only those recorded from then on."""
        with self.endpoints.database.read() as connection:
            return store.labels_of(connection, endpoint, since)

    def between(self, endpoint: str, first: str, last: str) -> dict[RowId, LabelValue]:
        """The labels of the predictions whose ids lie between two ids, both counted, by prediction id and row.

        Ids follow time, so a segment of the log asks for its own labels alone.
        """
        with self.endpoints.database.read() as connection:
            return store.labels_between(connection, endpoint, first, last)

    def count(self, endpoint: str) -> int:
        with self.endpoints.database.read() as connection:
            return store.count_labels(connection, endpoint)

    def for_rows(self, rows: Iterable[RowId]) -> dict[RowId, KeptLabel]:
        """The labels of these rows, by prediction id and row."""
        with self.endpoints.database.read() as connection:
            return store.find_labels(connection, list(rows))


def check(given: list[Label], now: datetime) -> None:
    """Raises BadField for the first label that cannot be one."""
    for number, each in enumerate(given):
        if isinstance(each.label, float) and not math.isfinite(each.label):
            raise BadField(field=f"labels[{number}].label", value=str(each.label), expected="a finite value")
        if each.at is not None and each.at > now + SKEW:
            raise BadField(field=f"labels[{number}].at", value=str(each.at), expected="a time that has come")


def is_same(kept: LabelValue, given: LabelValue) -> bool:
    """Whether two labels say the same: 1 and 1.0 do, 1 and true do not."""
    return kept == given and isinstance(kept, bool) == isinstance(given, bool)


def rows_made(home: Path, endpoint: str, wanted: set[RowId]) -> set[RowId]:
    """Which of the rows the endpoint answered, or tried to; each segment that can hold one is read once."""
    left = set(wanted)
    if not left:
        return set()
    latest = made_at(max(id_ for id_, _ in left)) + LONGEST_REQUEST
    for segment in reversed(segments(home, endpoint)):
        if made_at(segment.id) <= latest:
            ids = {id_ for id_, _ in left}
            left -= wherever(segment, partial(rows_in, ids=ids), set())
        if not left:
            break
    return wanted - left


def rows_in(path: Path, ids: set[str]) -> set[RowId]:
    """The rows of these predictions in one segment's file."""
    if path.suffix == ".parquet":
        columns = load_sealed(path, ["prediction_id", "row"], [("prediction_id", "in", ids)])
        return set(zip(columns["prediction_id"].to_pylist(), columns["row"].to_pylist(), strict=True))
    text = path.read_bytes()
    alone = {(id_.decode(), int(row)) for id_, row in LINE.findall(text)}
    shared = {id_.decode(): int(rows) for rows, id_ in LINES.findall(text)}
    found = {each for each in alone if each[0] in ids}
    return found | {(id_, row) for id_ in shared.keys() & ids for row in range(shared[id_])}
