"""The SDK of notices: ``client.notices``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from taxiway.kernel.transport import Transport
from taxiway.notices import contract
from taxiway.notices.contract import (
    ChangePreferences,
    Delivery,
    Letter,
    ListNotices,
    Marked,
    MarkNotices,
    Notice,
    NoticeKind,
    Preferences,
    Show,
)

Listed = list[Letter]


class Notices:
    """One's own inbox: what waits for oneself, and what one should know."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(
        self,
        *,
        show: Show = "waiting",
        kind: NoticeKind | Literal[""] = "",
        project: str = "",
        before: str = "",
        limit: int = 100,
    ) -> list[Notice]:
        """Newest first; without `show` what waits.

        >>> [notice.what for notice in client.notices.list()]  # doctest: +SKIP
        ['approve mortgage version 3 for production']
        """
        body = ListNotices(show, kind, project, before, limit)
        return self.transport.call(contract.list_notices, body).items

    def mark(self, state: Literal["read", "unread", "done", "waiting"], notices: Sequence[str] = ()) -> Marked:
        """Says what one has read or done; without ids of all that wait."""
        return self.transport.call(contract.mark_notices, MarkNotices(state, list(notices)))

    def preferences(self) -> Preferences:
        """Whether and where one gets notices by e-mail."""
        return self.transport.call(contract.show_preferences)

    def prefer(
        self, *, address: str | None = None, delivery: Delivery | None = None, hour: int | None = None
    ) -> Preferences:
        """Chooses it: at once, daily at an hour in UTC, or none. What is left out stays. Raises BadField."""
        return self.transport.call(contract.change_preferences, ChangePreferences(address, delivery, hour))

    def letters(self) -> Listed:
        """E-mails that wait, went out or were given up, newest first; for admins."""
        return self.transport.call(contract.list_letters).items
