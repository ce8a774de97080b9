"""Taking traces with their spans, and what was remarked on them."""

from __future__ import annotations

import re

import msgspec

from taxiway.audit.service import Record
from taxiway.imports import store
from taxiway.imports.contract import IncomingTrace, Skipped, Taken, TakeTraces
from taxiway.imports.service import Imports
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound, TaxiwayError
from taxiway.runs.experiments import Experiments
from taxiway.traces.arriving import Arriving, check_arriving, take_trace
from taxiway.traces.service import Place
from taxiway.traces.told import Told

NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # as JSON writes it, and not a text that reads so


class TraceIntake:
    """Keeps traces under the ids that they have there."""

    def __init__(self, imports: Imports, experiments: Experiments) -> None:
        self.imports = imports
        self.experiments = experiments

    def take(self, caller: Caller, body: TakeTraces, *, source: str) -> Taken:
        """Takes traces, or parts of them, in one change; each of its own, the same ones again change nothing."""
        self.imports.require(source)
        with self.imports.database.read() as connection:
            wanted = sorted({one.experiment for one in body.traces})
            experiments = store.ours(connection, source, "experiment", wanted)
            runs = store.ours(connection, source, "run", sorted({run for one in body.traces for run in one.runs}))
            known = store.ours(connection, source, "trace", [one.id for one in body.traces])
        places = {theirs: self._place(ours) for theirs, ours in experiments.items()}
        skipped: list[Skipped] = []
        ready: list[tuple[str, str, Arriving]] = []
        for one in body.traces:
            try:
                ready.append((one.id, one.stamp, arriving(one, places, runs)))
            except TaxiwayError as refusal:
                skipped.append(Skipped("trace", one.id[:200], str(refusal)))

        def make(record: Record) -> Taken:
            marks = []
            for theirs, stamp, one in ready:
                try:
                    take_trace(record, one)
                except TaxiwayError as refusal:
                    skipped.append(Skipped("trace", theirs[:200], str(refusal)))
                else:
                    marks.append((theirs, theirs, stamp))
            store.mark(record.connection, source, "trace", marks)
            new = len({theirs for theirs, *_ in marks if theirs not in known})
            record.note(traces=len(marks), new=new, spans=sum(len(one.spans) for *_, one in ready))
            return Taken(new=new, changed=len(marks) - new, skipped=skipped)

        return self.imports.ledger.change(caller, "imports.traces", f"import:{source}", make, answer=Taken)

    def _place(self, ours: str) -> Place:
        project, name = ours.split("/", 1)
        sheet = self.experiments.named(project, name)
        return Place(sheet.number if sheet else 0, project)


def arriving(one: IncomingTrace, places: dict[str, Place], runs: dict[str, str]) -> Arriving:
    """A trace as it is to be kept. Raises NotFound, BadField, TooLarge."""
    if one.experiment not in places:
        raise NotFound(kind="imported experiment", name=one.experiment, hint="Send it before its traces.")
    if NUL.search(msgspec.json.encode(one)):
        raise BadField(field="trace", value=repr(one.id), expected="texts without NUL characters")
    told = Told(
        id=one.id,
        state=one.state,
        started_ms=one.started_ms,
        duration_ms=one.duration_ms,
        client_id=one.client_id,
        request=one.request,
        response=one.response,
        tags=one.tags,
        facts=one.facts,
        remarks=[(said.remark, said.value) for said in one.remarks],
        is_over=one.state != "running",
    )
    found = Arriving(told, one.spans, [runs[run] for run in one.runs if run in runs], places[one.experiment])
    check_arriving(found)
    return found
