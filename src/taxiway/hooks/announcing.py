"""Telling hooks: what is to be delivered is written with the change that it tells of, or neither is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taxiway.audit.service import Record
from taxiway.hooks import store
from taxiway.hooks.contract import Event
from taxiway.hooks.events import text_of
from taxiway.kernel.ids import new_id

MOST_WAITING = 1000  # for one hook; what comes while so many wait is counted and dropped
MOST_BODY_CHARACTERS = 1 << 20


def announce(record: Record, event: Event, data: Mapping[str, Any]) -> None:
    """Has every hook that wants to know be told of an event, once the change is durable."""
    connection = record.connection
    hooks = store.wanting(connection, event)
    if not hooks:
        return
    body = text_of(event, record.at, data)
    is_too_long = len(body) > MOST_BODY_CHARACTERS
    rows = []
    for hook in hooks:
        if is_too_long or store.waiting(connection, hook) >= MOST_WAITING:
            store.drop(connection, hook)
            continue
        rows.append(
            {
                "id": new_id(),
                "hook": hook,
                "event": event,
                "body": body,
                "state": "waiting",
                "attempts": 0,
                "made_at": record.at,
                "due_at": record.at,
                "status": 0,
                "error": "",
            }
        )
    store.put(connection, rows)
