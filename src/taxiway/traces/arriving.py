"""Taking traces as they were in another system, within a change: whole, or their spans in parts."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from taxiway.audit.service import Record
from taxiway.kernel.errors import TooLarge
from taxiway.projects.service import open_project
from taxiway.traces import store
from taxiway.traces.contract import Span, TraceElsewhere
from taxiway.traces.secrets import told_without_secrets, without_secrets
from taxiway.traces.service import MOST_REMARKS, MOST_SPANS, Place, check_id, check_marks
from taxiway.traces.told import Told, merged


class Arriving(Struct, frozen=True):
    """What is said of a trace, some of its spans, and the runs that it belongs to."""

    told: Told
    spans: list[Span]
    runs: list[str]
    place: Place


def check_arriving(given: Arriving) -> None:
    """Raises BadField, TooLarge."""
    told = given.told
    check_id(told.id)
    check_marks("tags", told.tags)
    check_marks("facts", told.facts)
    for remark, _ in told.remarks:
        check_id(remark.id)
    sizes = {"remarks": (len(told.remarks), MOST_REMARKS), "spans": (len(given.spans), MOST_SPANS)}
    for what, (found, limit) in sizes.items():
        if found > limit:
            raise TooLarge(what=f"The number of {what} of a trace", limit=limit, found=found)


def take_trace(record: Record, given: Arriving) -> None:
    """Keeps a trace, but for secrets, in place of what was known of it. Raises TraceElsewhere, and changes nothing."""
    connection, place = record.connection, given.place
    told = told_without_secrets(given.told)
    owner = store.owner_of(connection, told.id)
    if owner is not None and owner != (place.experiment, place.project):
        raise TraceElsewhere(trace=told.id)
    open_project(record, place.project)
    found = store.find(connection, [told.id])
    known = found[0] if found else None
    trace = merged(known, told, experiment=place.experiment, project=place.project)
    if given.spans:
        total = store.put_spans(connection, told.id, [without_secrets(span) for span in given.spans])
        trace = msgspec.structs.replace(trace, spans=total)
    store.put(connection, msgspec.structs.replace(trace, created_by=trace.created_by or record.caller.name), record.at)
    store.put_marks(connection, told.id, "tag", told.tags)
    store.put_marks(connection, told.id, "fact", told.facts)
    for remark, value in told.remarks:
        store.put_remark(connection, told.id, remark, value)
    for run in given.runs:
        store.link(connection, told.id, run)
