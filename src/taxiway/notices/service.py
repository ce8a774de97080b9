"""The inbox: what waits for who asks and what they should know, and what they say of it."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, DiskFull, NotFound, Unavailable
from taxiway.notices import store
from taxiway.notices.contract import (
    ChangePreferences,
    Letter,
    ListNotices,
    Marked,
    MarkNotices,
    Notice,
    Preferences,
)
from taxiway.notices.keeping import LOCAL, Keeper
from taxiway.notices.store import Wish
from taxiway.storage.writes import Change

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
MORNING = 7
SHOWN_LETTERS = 100
NOBODY = Wish("", "none", MORNING)


class Notices:
    """Everybody's inbox. is_offered: whether this server can send e-mail."""

    def __init__(self, ledger: Ledger, access: Access, clock: Clock) -> None:
        self.database = ledger.database
        self.ledger = ledger
        self.access = access
        self.clock = clock
        self.keeper = Keeper(ledger)
        self.is_offered = False

    # --- the inbox ---

    def list(self, caller: Caller, body: ListNotices) -> Page[Notice]:
        """Newest first; what waits is as of now."""
        self._settle(everywhere=True)
        with self.database.read() as connection:
            found = store.select_of(connection, inbox_of(caller), self.access.visible(caller), body)
        return Page(found, found[-1].id if len(found) == body.limit else None)

    def refresh(self, caller: Caller) -> None:
        """Looks up anew what waits in the projects that the caller may see: also what only time brings about."""
        visible = self.access.visible(caller)
        with contextlib.suppress(DiskFull, Unavailable):
            self.keeper.mark(["", *(self.keeper.names() if visible is None else visible)])

    def _settle(self, *, everywhere: bool) -> None:
        """Where nothing can be written now, pages show what was written down last, rather than none."""
        with contextlib.suppress(DiskFull, Unavailable):
            self.keeper.settle(everywhere=everywhere)

    def one(self, caller: Caller, notice: str) -> Notice:
        """One of one's own. Raises NotFound."""
        with self.database.read() as connection:
            found = store.one_of(connection, inbox_of(caller), self.access.visible(caller), notice)
        if found is None:
            raise NotFound(kind="notice", name=notice[:100], hint="`taxiway notices list` shows yours.")
        return found

    def count(self, caller: Caller) -> int:
        """How many count: shown at the head of every page. One look into an index, where nothing changed since."""
        self._settle(everywhere=False)
        with self.database.read() as connection:
            return store.count(connection, inbox_of(caller), self.access.visible(caller))

    def mark(self, caller: Caller, body: MarkNotices) -> Marked:
        """Says what one has read or done. What is one's own alone leaves no entry in the audit log."""
        at = self.clock()
        become: dict[str, dict[str, Any]] = {
            "read": {"read_at": at},
            "unread": {"read_at": None},
            "done": {"done_at": at, "read_at": at},
            "waiting": {"done_at": None},
        }
        values = become[body.state]

        def make(change: Change) -> int:
            return store.mark(change.connection, inbox_of(caller), body.notices, **values)

        return Marked(self.ledger.writer.write(make), self.count(caller))

    # --- e-mail ---

    def preferences(self, caller: Caller) -> Preferences:
        with self.database.read() as connection:
            wish = store.wish_of(connection, inbox_of(caller)) or NOBODY
        return Preferences(inbox_of(caller), wish.address, wish.delivery, wish.hour, self.is_offered)  # type: ignore[arg-type]  # as kept

    def change_preferences(self, caller: Caller, body: ChangePreferences) -> Preferences:
        """Raises BadField for an address that is none, and where this server sends no e-mail."""
        if body.address and not ADDRESS.fullmatch(body.address):
            raise BadField(field="address", value=repr(body.address), expected="an address such as vera@bank.example")
        if caller.kind == "service":
            raise BadField(field="delivery", value="a service account", expected="a person")

        def make(record: Record) -> Preferences:
            before = store.wish_of(record.connection, inbox_of(caller)) or NOBODY
            after = Wish(
                before.address if body.address is None else body.address,
                body.delivery or before.delivery,
                before.hour if body.hour is None else body.hour,
            )
            if after.delivery != "none" and not self.is_offered:
                expected = "'none': this server sends no e-mail until its admin sets TAXIWAY_SMTP"
                raise BadField(field="delivery", value=repr(after.delivery), expected=expected)
            if after.delivery != "none" and not after.address:
                raise BadField(field="address", value="nothing", expected="where the e-mail is to go")
            store.keep_wish(record.connection, inbox_of(caller), after)
            record.note(delivery=after.delivery, hour=after.hour, has_address=bool(after.address))
            return Preferences(inbox_of(caller), after.address, after.delivery, after.hour, self.is_offered)  # type: ignore[arg-type]  # checked on its way in

        return self.ledger.change(caller, "notices.change_preferences", f"user:{caller.name}", make, answer=Preferences)

    def letters(self, caller: Caller) -> Page[Letter]:
        """E-mails that wait and the last ones that ended, newest first."""
        with self.database.read() as connection:
            return Page(store.last_letters(connection, SHOWN_LETTERS))


def inbox_of(caller: Caller) -> str:
    """Whose inbox it is: without sign-in everybody on this machine shares one."""
    return LOCAL if caller.kind in ("local", "system") else caller.name


def follow_name(record: Record, before: str, to: str) -> None:
    """Notices take a model's new name."""
    store.rename_model(record.connection, before, to)
