"""Bringing traces over: heads first, and of those that are new or changed the spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from taxiway.compat.mlflow.moving.source import FoundTrace
from taxiway.compat.mlflow.moving.spans import ATTACHED, spans_of_file
from taxiway.compat.mlflow.moving.trees import Tree, TreeUnreadable
from taxiway.imports.contract import IncomingTrace, Skipped
from taxiway.kernel.errors import TaxiwayError
from taxiway.traces.contract import Span

if TYPE_CHECKING:
    from taxiway.compat.mlflow.moving.importing import Importing

TRACES_AT_ONCE = 200
SPANS_AT_ONCE = 5_000
BYTES_AT_ONCE = 2 << 20
MOST_FILE_BYTES = 1 << 30
SPANS_FILE = "traces.json"


class TakingTraces:
    """The traces of one pass over a source."""

    def __init__(self, importing: Importing) -> None:
        self.importing = importing
        self.source = importing.source
        self.totals = importing.totals
        self.part: list[IncomingTrace] = []
        self.spans = 0
        self.size_bytes = 0
        self.filed: list[FoundTrace] = []

    def take(self, since_ms: int | None) -> None:
        """Takes what is new or changed since the last pass."""
        name, imports = self.importing.name, self.importing.imports
        for found in self.source.traces(since_ms):
            known = imports.stamps(name, "trace", [one.trace.id for one in found])
            changed = [one for one in found if known.get(one.trace.id) != one.trace.stamp]
            heads = {one.trace.id: one for one in changed}
            for id_, spans in self.source.spans(changed):
                self._add(heads[id_], spans)
            self._send()
            for one in self.filed:
                self._take_files(one)
            self.filed = []
            self.importing.send_files()

    def _add(self, found: FoundTrace, spans: list[Span] | None) -> None:
        """Puts a trace into the part, which is sent when it is full; a large one goes in several."""
        trace = found.trace
        if spans is None:
            try:
                spans = self._filed_spans(found)
            except (TaxiwayError, OSError, ValueError) as e:
                self.totals.skip([Skipped("spans", trace.id, str(e)[:500])])
                trace, spans = replace(trace, stamp=""), []  # so that the next import tries it again
        has_files = False
        head = replace(trace, stamp="")
        waiting: list[Span] = []
        for span in spans:
            said = msgspec.json.encode(span)
            has_files = has_files or ATTACHED in said
            waiting.append(span)
            self.size_bytes += len(said)
            self.spans += 1
            if self.spans >= SPANS_AT_ONCE or self.size_bytes >= BYTES_AT_ONCE:
                self.part.append(replace(head, spans=waiting))
                waiting = []
                self._send()
        self.part.append(replace(trace, spans=waiting))
        if has_files:
            self.filed.append(found)
        if len(self.part) >= TRACES_AT_ONCE:
            self._send()

    def _filed_spans(self, found: FoundTrace) -> list[Span]:
        """The spans in the file of a trace; none where there is no such file. Raises TreeUnreadable, ValueError."""
        tree = self._tree(found)
        if not any(file.path == SPANS_FILE for file in tree.files()):
            return []
        with tree.open(SPANS_FILE) as file:
            return spans_of_file(bytes(file.read(MOST_FILE_BYTES)))

    def _tree(self, found: FoundTrace) -> Tree:
        if self.importing.trees is None:
            raise TreeUnreadable(place=found.place, cause="its spans stand in a file, and files are left behind")
        return self.importing.trees(found.place)

    def _take_files(self, found: FoundTrace) -> None:
        """Brings what is attached to a trace."""
        if self.importing.trees is not None:
            self.importing.take_files(found.trace.id, found.place, "")

    def _send(self) -> None:
        part, self.part, self.spans, self.size_bytes = self.part, [], 0, 0
        if part:
            self._tell(part)

    def _tell(self, part: Sequence[IncomingTrace]) -> None:
        taken = self.importing.imports.take_traces(self.importing.name, part)
        self.totals.traces += taken.new
        self.totals.rows += len(part) + sum(len(one.spans) for one in part)
        self.totals.skip(taken.skipped)
