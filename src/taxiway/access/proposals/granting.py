"""Putting a grant into the books: what is held already stays as it was given."""

from __future__ import annotations

import msgspec

from taxiway.access import store
from taxiway.access.contract import Grant
from taxiway.access.holdings import is_in_return
from taxiway.audit.service import Record


def put_grant(record: Record, grant: Grant) -> Grant:
    """The grant as it holds now: the one there was, where it is neither one's own nor in return."""
    users = {each.name: each for each in store.all_users(record.connection)}
    others = store.find_grants(record.connection, project=grant.project)
    for held in others:
        if (held.user, held.role) == (grant.user, grant.role) and held.granted_by != held.user and not held.in_return:
            return held
    made = msgspec.structs.replace(grant, in_return=is_in_return(grant, others, users))
    store.add_grant(record.connection, made)
    record.note(role=made.role, in_return=made.in_return)
    return made
