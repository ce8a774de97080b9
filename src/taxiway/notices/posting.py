"""What a server does beside its requests: writes down what waits for whom, and sends the e-mails that are due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import TaxiwayError
from taxiway.notices import store
from taxiway.notices.keeping import LOCAL
from taxiway.notices.letters import letter_of
from taxiway.notices.mailing import MailServer, Sent, send
from taxiway.notices.service import Notices
from taxiway.notices.store import Claimed
from taxiway.storage.writes import Change

EVERY_S = 1.0
SWEEP_S = 600.0  # how long what only time brings about may go unsaid
STOP_S = 2.0
CLAIM = timedelta(seconds=180)  # longer than any attempt takes
# Between attempts; after the last one a letter is given up. About nine hours in all.
PAUSES = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600, 3600, 4 * 3600, 4 * 3600))
MOST_ATTEMPTS = len(PAUSES) + 1
KEPT = timedelta(days=180)
LONGEST_ERROR = 300

log = logging.getLogger("taxiway.notices")


class Postman:
    """A thread that goes its rounds until the server stops. mail: None where no e-mail is sent.

    is_on_duty: whether this server does what one alone must do for its database. Letters are claimed one by one, so
    any server may send them.
    """

    def __init__(
        self,
        notices: Notices,
        mail: MailServer | None,
        *,
        home: str,
        is_on_duty: Callable[[], bool] = lambda: True,
        every_s: float = EVERY_S,
    ) -> None:
        self.notices = notices
        self.mail = mail
        self.home = home.rstrip("/")
        self.is_on_duty = is_on_duty
        self.every_s = every_s
        self.swept_at = float("-inf")
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self._go, name="taxiway-postman", daemon=True)
        notices.is_offered = mail is not None

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Ends after the letter under way, or soon; what is not sent then goes out when a server runs again."""
        self.is_stopping.set()
        if self.thread.is_alive():
            self.thread.join(STOP_S)

    def _go(self) -> None:
        self._try(self._release)
        while not self.is_stopping.wait(self.every_s):
            self._try(self._keep)
            self._try(self.deliver)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except TaxiwayError as refusal:
            if not self.is_stopping.is_set():
                log.error("Notices: %s", refusal)  # noqa: TRY400  the refusal says it all
        except Exception:  # the worker loop: what was claimed is due again later
            log.exception("Notices failed")

    def _release(self) -> None:
        """Takes up what a process that is no more had begun. Where servers share a database, claims run out."""
        if self.notices.database.is_sqlite:
            self.notices.ledger.writer.write(lambda change: store.release(change.connection, change.at))

    def _keep(self) -> None:
        if not self.is_on_duty():
            return
        if time.monotonic() - self.swept_at >= SWEEP_S:
            self.swept_at = time.monotonic()
            self.notices.keeper.mark_all()
            self.notices.ledger.writer.write(lambda change: store.prune(change.connection, change.at - KEPT))
        self.notices.keeper.settle()

    def deliver(self) -> None:
        """Sends one letter after the other until none is due."""
        while self.mail is not None and not self.is_stopping.is_set() and (claimed := self.claim()):
            sent = self.send(claimed, self.mail)
            if self.settle(claimed, sent):
                log.warning("Letter %s to %s was given up: %s", claimed.id, claimed.person, sent.error)

    def claim(self) -> Claimed | None:
        """The letter to send next; for a while nobody else gets it."""
        at = self.notices.clock()
        with self.notices.database.read() as connection:
            if not store.has_due(connection, at):
                return None

        def take(change: Change) -> Claimed | None:
            return store.claim(change.connection, at, at + CLAIM)

        return self.notices.ledger.writer.write(take)

    def send(self, claimed: Claimed, mail: MailServer) -> Sent:
        """Makes one attempt. What is over, was read already, or may no longer be seen is not told any more."""
        told = [each for each in claimed.notices if each.is_waiting and each.read_at is None]
        visible = self._visible(claimed.person)
        told = [each for each in told if visible is None or not each.project or each.project in visible]
        if not claimed.address or not told:
            return Sent(is_needless=True)
        try:
            message = letter_of(
                claimed.id, sender=mail.sender, to=claimed.address, at=claimed.made_at, notices=told, home=self.home
            )
        except Exception as e:  # what it tells cannot be written as a letter: another attempt would not either
            log.exception("Letter %s to %s cannot be composed", claimed.id, claimed.person)
            return Sent(f"it cannot be composed: {e}"[:LONGEST_ERROR], is_final=True)
        return send(mail, message)

    def _visible(self, person: str) -> list[str] | None:
        """The projects that a person may read now: none of them once they cannot sign in any more."""
        access = self.notices.access
        if person == LOCAL:
            return None
        user = next((each for each in access.accounts.all() if each.name == person and each.is_active), None)
        return [] if user is None else access.visible(Caller(name=person, kind="person", is_admin=user.is_admin))

    def settle(self, claimed: Claimed, sent: Sent) -> bool:
        """Keeps what became of an attempt; whether it was the last one and in vain."""
        at = self.notices.clock()
        is_over = sent.is_final or claimed.attempts >= MOST_ATTEMPTS

        def keep(change: Change) -> None:
            if sent.is_taken or is_over:
                state = "needless" if sent.is_needless else "sent" if sent.is_taken else "given_up"
                store.settle(change.connection, claimed.id, state=state, error=sent.error)
            else:
                due = at + PAUSES[claimed.attempts - 1]
                store.settle(change.connection, claimed.id, due_at=due, error=sent.error)

        self.notices.ledger.writer.write(keep)
        return is_over and not sent.is_taken
