"""The rules of traces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound, TooLarge
from taxiway.runs.paths import check_path
from taxiway.storage.blobs import Blobs
from taxiway.storage.database import Database
from taxiway.storage.writes import Change
from taxiway.traces import store
from taxiway.traces.contract import ListTraces, Remark, Span, Trace, TraceElsewhere, TraceFile, TraceWithSpans
from taxiway.traces.filter import parse_filter
from taxiway.traces.measured import Row, View, rows
from taxiway.traces.query import NAME, Search, count_found, find_ids
from taxiway.traces.secrets import told_without_secrets, without_secrets
from taxiway.traces.told import Told, merged, seen

T = TypeVar("T")

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
MOST_LISTED = 500
MOST_SPANS = 50_000  # of one trace
MOST_SPANS_AT_ONCE = 10_000
MOST_MARKS = 200  # tags, and facts, of one trace
LONGEST_KEY = 250
LONGEST_TEXT = 8000
MOST_REMARKS = 1000
MOST_DELETED = 10_000  # at once
LAST_MS = 2**63 - 1


class Place(Struct, frozen=True):
    """Where traces belong: an experiment by number, and its project."""

    experiment: int
    project: str


class Traces:
    """Traces as programs tell them: spans as each ends, and the trace as a whole at last, in either order."""

    def __init__(self, database: Database, ledger: Ledger, access: Access, blobs: Blobs) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.blobs = blobs
        access.digests.named_in.append(store.names_digest)

    # --- telling ---

    def log_spans(self, caller: Caller, spans: Mapping[str, Sequence[Span]], *, place: Place, run: str = "") -> None:
        """Keeps spans by the id of their trace, the same ones again in place of what they were; all of them or none.
        Secrets in them are taken out.

        run: one that all the traces belong to. Raises TooLarge, BadField, TraceElsewhere.
        """
        count = sum(len(some) for some in spans.values())
        if count > MOST_SPANS_AT_ONCE:
            raise TooLarge(what="The number of spans sent at once", limit=MOST_SPANS_AT_ONCE, found=count)
        for id_ in spans:
            check_id(id_)
        kept = {id_: [without_secrets(span) for span in some] for id_, some in spans.items()}

        def make(change: Change) -> None:
            for id_, some in kept.items():
                known = self._known(change, id_, place)
                total = store.put_spans(change.connection, id_, some)
                if total > MOST_SPANS:
                    raise TooLarge(what=f"The number of spans of the trace {id_}", limit=MOST_SPANS, found=total)
                trace = seen(known, id_, some, experiment=place.experiment, project=place.project)
                trace = msgspec.structs.replace(trace, spans=total, created_by=trace.created_by or caller.name)
                store.put(change.connection, trace, change.at)
                if trace.name and NAME not in trace.tags:
                    store.put_marks(change.connection, id_, "tag", {NAME: trace.name[:LONGEST_TEXT]})
                if run:
                    store.link(change.connection, id_, run)

        self.ledger.writer.write(make)

    def tell(self, caller: Caller, told: Told, *, place: Place) -> Trace:
        """Keeps what a program says of a trace as a whole, but for secrets.

        Raises BadField, TooLarge, TraceElsewhere.
        """
        check_id(told.id)
        check_marks("tags", told.tags)
        check_marks("facts", told.facts)
        told = told_without_secrets(told)

        def make(change: Change) -> Trace:
            known = self._known(change, told.id, place)
            trace = merged(known, told, experiment=place.experiment, project=place.project)
            trace = msgspec.structs.replace(trace, created_by=trace.created_by or caller.name)
            store.put(change.connection, trace, change.at)
            store.put_marks(change.connection, told.id, "tag", told.tags)
            store.put_marks(change.connection, told.id, "fact", told.facts)
            for remark, value in told.remarks:
                store.put_remark(change.connection, told.id, remark, value)
            return store.find(change.connection, [told.id])[0]

        return self.ledger.writer.write(make)

    def _known(self, change: Change, id_: str, place: Place) -> Trace | None:
        """The trace as it is, within a change. Raises TraceElsewhere."""
        owner = store.owner_of(change.connection, id_)
        if owner is None:
            return None
        if owner != (place.experiment, place.project):
            raise TraceElsewhere(trace=id_)
        return store.find(change.connection, [id_])[0]

    def put_file(self, caller: Caller, trace: str, path: str, digest: str, media_type: str) -> TraceFile:
        """Keeps a file with a trace, in place of what had its path. Raises NotFound, BadField."""
        check_path(path)
        size = self.blobs.size(digest)

        def make(change: Change) -> TraceFile:
            require(change, trace)
            file = TraceFile(trace, path, digest, size, media_type, change.at)
            store.put_file(change.connection, file)
            return file

        return self.ledger.writer.write(make)

    def drop_files(self, trace: str, paths: Sequence[str]) -> None:
        """Drops files by path; those that are not there are passed over."""
        self.ledger.writer.write(lambda change: store.drop_files(change.connection, trace, paths))

    # --- changing ---

    def tag(self, caller: Caller, trace: str, tags: Mapping[str, str]) -> None:
        """Sets tags. Raises NotFound, BadField."""
        check_marks("tags", tags)

        def make(record: Record) -> None:
            require(record, trace)
            store.put_marks(record.connection, trace, "tag", tags)
            have = len(store.marks_of(record.connection, [trace], "tag")[trace])
            if have > MOST_MARKS:
                raise TooLarge(what="The number of tags", limit=MOST_MARKS, found=have)
            record.note(tags=dict(tags))

        self._change(caller, "traces.tag", trace, make)

    def untag(self, caller: Caller, trace: str, key: str) -> None:
        """Raises NotFound for a trace or tag that is not there."""

        def make(record: Record) -> None:
            require(record, trace)
            if not store.drop_marks(record.connection, trace, "tag", [key]):
                raise NotFound(kind="tag", name=key[:LONGEST_KEY], hint="The page of the trace shows its tags.")
            record.note(tag=key)

        self._change(caller, "traces.untag", trace, make)

    def remark(self, caller: Caller, trace: str, remark: Remark, value: Any) -> Remark:
        """Keeps a remark, in place of what had its id. value: what it says, to be searched. Raises NotFound."""
        check_id(remark.id)

        def make(record: Record) -> None:
            require(record, trace)
            store.put_remark(record.connection, trace, remark, value)
            have = len(store.remarks_of(record.connection, [trace])[trace])
            if have > MOST_REMARKS:
                raise TooLarge(what="The number of remarks", limit=MOST_REMARKS, found=have)
            record.note(remark=remark.name, kind=remark.kind)

        self._change(caller, "traces.remark", trace, make)
        return remark

    def drop_remark(self, caller: Caller, trace: str, id_: str) -> None:
        """Raises NotFound."""

        def make(record: Record) -> None:
            require(record, trace)
            if not store.drop_remark(record.connection, trace, id_):
                raise unknown("remark", id_)
            record.note(remark=id_)

        self._change(caller, "traces.drop_remark", trace, make)

    def link(self, caller: Caller, ids: Sequence[str], run: str, *, project: str) -> None:
        """Says that traces of a project belong to a run of it; those that do not exist are left out."""

        def make(change: Change) -> None:
            for id_ in ids:
                if (owner := store.owner_of(change.connection, id_)) and owner[1] == project:
                    store.link(change.connection, id_, run)

        self.ledger.writer.write(make)

    def delete(
        self,
        caller: Caller,
        *,
        place: Place,
        ids: Sequence[str] = (),
        until_ms: int | None = None,
        most: int | None = None,
    ) -> int:
        """Deletes traces of an experiment for good: those named, or the oldest until a time. How many there were."""

        def make(record: Record) -> int:
            limit = min(most or MOST_DELETED, MOST_DELETED)
            found = store.chosen(record.connection, experiment=place.experiment, ids=ids, until_ms=until_ms, most=limit)
            store.remove(record.connection, found)
            record.note(traces=len(found), first=found[:20], experiment=place.experiment)
            return len(found)

        thing = f"project:{place.project}"
        return self.ledger.change(caller, "traces.delete", thing, make, answer=int, project=place.project)

    def drop_of(self, connection: Connection, experiments: Sequence[int]) -> None:
        """Within a change that deletes experiments for good: their traces go with them."""
        for experiment in experiments:
            while some := store.chosen(connection, experiment=experiment, ids=(), until_ms=LAST_MS, most=MOST_DELETED):
                store.remove(connection, some)

    def _change(self, caller: Caller, verb: str, trace: str, make: Callable[[Record], None]) -> None:
        def both(record: Record) -> bool:
            make(record)
            return True

        self.ledger.change(caller, verb, f"trace:{trace}", both, answer=bool, project=self.project_of(trace))

    # --- reading ---

    def owner(self, trace: str) -> tuple[int, str]:
        """The experiment, by number, and the project of a trace. Raises NotFound."""
        with self.database.read() as connection:
            found = store.owner_of(connection, trace)
        if found is None:
            raise unknown("trace", trace)
        return found

    def project_of(self, trace: str) -> str:
        """Raises NotFound."""
        return self.owner(trace)[1]

    def find(self, trace: str) -> Trace:
        """Raises NotFound."""
        found = self.several([trace])
        if not found:
            raise unknown("trace", trace)
        return found[0]

    def several(self, ids: Sequence[str]) -> list[Trace]:
        """The traces of these ids, in their order; those that do not exist are left out."""
        with self.database.read() as connection:
            return store.find(connection, list(dict.fromkeys(ids)))

    def with_spans(self, ids: Sequence[str]) -> list[TraceWithSpans]:
        """Traces with their spans, in the order of their ids; those that do not exist are left out."""
        with self.database.read() as connection:
            found = store.find(connection, list(dict.fromkeys(ids)))
            spans = store.spans_of(connection, [trace.id for trace in found])
        return [TraceWithSpans(trace, spans[trace.id]) for trace in found]

    def count(self, connection: Connection, ids: Sequence[str]) -> tuple[int, int, int]:
        """How many of these traces there are, and how many spans and remarks they have."""
        traces, spans, remarks = store.count(connection, ids)
        return traces, spans, remarks

    def show(self, caller: Caller, *, trace: str) -> TraceWithSpans:
        found = self.with_spans([trace])
        if not found:
            raise unknown("trace", trace)
        return found[0]

    def files(self, trace: str) -> list[TraceFile]:
        """By path."""
        with self.database.read() as connection:
            return store.files_of(connection, trace)

    def search(self, search: Search) -> tuple[list[Trace], bool]:
        """What a search finds, and whether there is more."""
        with self.database.read() as connection:
            ids, is_more = find_ids(connection, search)
            return store.find(connection, ids), is_more

    def count_found(self, searches: Sequence[Search]) -> Sequence[int]:
        """How many traces each search finds, all of them at one moment."""
        with self.database.snapshot() as connection:
            return [count_found(connection, search) for search in searches]

    def measured(self, search: Search, view: View) -> Iterator[Row]:
        """What there is to measure of the traces that a search finds, in no order; read while it is taken."""
        with self.database.read() as connection:
            yield from rows(connection, search, view)

    def list(self, caller: Caller, body: ListTraces) -> Page[Trace]:
        """The traces that the caller may see and the filter lets through, the newest first."""
        if not 1 <= body.limit <= MOST_LISTED:
            raise BadField(field="limit", value=str(body.limit), expected=f"a number from 1 to {MOST_LISTED}")
        if body.after and not re.fullmatch(r"[0-9]{1,9}", body.after):
            raise BadField(field="after", value=repr(body.after[:40]), expected="what an earlier page gave as `next`")
        visible, offset = self.access.visible(caller), int(body.after or 0)
        search = Search(
            terms=tuple(parse_filter(body.filter)),
            experiments=None if body.experiment is None else (body.experiment,),
            projects=None if visible is None else tuple(visible),
            project=body.project,
            limit=body.limit,
            offset=offset,
        )
        found, is_more = self.search(search)
        return Page(found, str(offset + len(found)) if is_more else None)


def require(change: Change | Record, trace: str) -> None:
    if store.owner_of(change.connection, trace) is None:
        raise unknown("trace", trace)


def unknown(kind: str, name: str) -> NotFound:
    return NotFound(kind=kind, name=name[:100], hint="`taxiway traces list` and the page Traces list those there are.")


def check_id(id_: str) -> None:
    if not ID.fullmatch(id_):
        expected = "1 to 64 letters, digits, '_' and '-', beginning with a letter or digit"
        raise BadField(field="id", value=repr(id_[:100]), expected=expected)


def check_marks(field: str, given: Mapping[str, str]) -> None:
    """Raises BadField, TooLarge."""
    if len(given) > MOST_MARKS:
        raise TooLarge(what=f"The number of {field}", limit=MOST_MARKS, found=len(given))
    for key, text in given.items():
        if not 1 <= len(key) <= LONGEST_KEY:
            raise BadField(field=field, value=repr(key[:100]), expected=f"names of 1 to {LONGEST_KEY} characters")
        if len(text) > LONGEST_TEXT:
            raise TooLarge(what=f"The length of {field}.{key[:100]}", limit=LONGEST_TEXT, found=len(text))
