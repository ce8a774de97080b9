"""The rules of hooks: admins name them, their secrets stay sealed, and what waits for them is tried a few times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import Connection

from taxiway.audit.service import Ledger, Record
from taxiway.hooks import store
from taxiway.hooks.addresses import Reach, read_url, shown
from taxiway.hooks.contract import AddHook, ChangeHook, Delivery, Event, Hook, ListDeliveries, Sampled, SendSample
from taxiway.hooks.events import SAMPLES, text_of
from taxiway.hooks.posting import Outcome, post
from taxiway.hooks.refusals import HostUnknown, HostUnsafe, TooManyHooks
from taxiway.hooks.signing import headers_of
from taxiway.hooks.store import Claimed, Kept
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound, TaxiwayError
from taxiway.kernel.ids import is_name, new_id
from taxiway.storage.keys import Keys
from taxiway.storage.writes import Change

MOST_HOOKS = 100
LONGEST_SECRET = 1000
KEPT_DELIVERIES = 100  # of each hook, when they have ended
# Between attempts; after the last one a delivery is given up. About nine hours in all.
PAUSES = tuple(timedelta(seconds=each) for each in (1, 5, 30, 120, 600, 3600, 4 * 3600, 4 * 3600))
MOST_ATTEMPTS = len(PAUSES) + 1
CLAIM = timedelta(seconds=60)  # longer than any attempt takes

Making = Callable[[Record, Kept], Hook]


class Hooks:
    """Hooks and their deliveries. reach: where deliveries may go."""

    def __init__(self, ledger: Ledger, keys: Keys, reach: Reach) -> None:
        self.database = ledger.database
        self.ledger = ledger
        self.keys = keys
        self.reach = reach

    # --- hooks ---

    def add(self, caller: Caller, body: AddHook) -> Hook:
        """Raises HostUnknown, HostUnsafe, BadField, TooManyHooks."""
        check_name(body.name)
        check_secret(body.secret)
        check_events(body.events)
        self._check_url(caller, "hooks.add", body.name, body.url)
        id_ = new_id()
        secret = self.keys.seal(body.secret, label(id_)) if body.secret else None

        def make(record: Record) -> Hook:
            if store.count(record.connection) >= MOST_HOOKS:
                raise TooManyHooks(limit=MOST_HOOKS)
            hook = Hook(
                id=id_,
                name=body.name,
                description=body.description,
                url=body.url,
                events=list(dict.fromkeys(body.events)),
                is_active=body.is_active,
                has_secret=secret is not None,
                made_by=caller.name,
                made_at=record.at,
                changed_at=record.at,
            )
            store.add(record.connection, hook, secret)
            record.note(name=hook.name, url=shown(hook.url), events=hook.events, is_active=hook.is_active)
            record.note(has_secret=hook.has_secret)
            return hook

        return self.ledger.change(caller, "hooks.add", f"hook:{id_}", make, answer=Hook)

    def list(self, caller: Caller) -> Page[Hook]:
        """In the order in which they were made."""
        with self.database.read() as connection:
            return Page(store.all_hooks(connection))

    def show(self, caller: Caller, *, hook: str) -> Hook:
        """Raises NotFound, and BadField for a name that several have."""
        with self.database.read() as connection:
            return find(connection, hook).hook

    def change(self, caller: Caller, body: ChangeHook, *, hook: str) -> Hook:
        """Raises HostUnknown, HostUnsafe, BadField, NotFound."""
        if body.name is not None:
            check_name(body.name)
        check_secret(body.secret or "")
        if body.events is not None:
            check_events(body.events)
        if body.url is not None:
            self._check_url(caller, "hooks.change", hook, body.url)

        def make(record: Record, kept: Kept) -> Hook:
            before = kept.hook
            plain = ("name", "url", "description", "is_active")
            values = {name: value for name in plain if (value := getattr(body, name)) is not None}
            if body.events is not None:
                values["events"] = list(dict.fromkeys(body.events))
            changed = {name: value for name, value in values.items() if value != getattr(before, name)}
            record.note(**{name: noted(name, before, value) for name, value in changed.items()})
            if body.secret is not None:
                values["secret"] = self.keys.seal(body.secret, label(before.id)) if body.secret else None
                record.note(secret="given anew" if body.secret else "taken away")
            store.change(record.connection, before.id, **values, changed_at=record.at)
            return find(record.connection, before.id).hook

        return self._change(caller, "hooks.change", hook, make)

    def remove(self, caller: Caller, *, hook: str) -> Hook:
        """Forgets a hook and what waits for it. Raises NotFound."""

        def make(record: Record, kept: Kept) -> Hook:
            store.remove(record.connection, kept.hook.id)
            record.note(name=kept.hook.name, url=shown(kept.hook.url), waiting=kept.hook.waiting)
            return kept.hook

        return self._change(caller, "hooks.remove", hook, make)

    def test(self, caller: Caller, body: SendSample, *, hook: str) -> Sampled:
        """Sends a sample at once, also to a hook that is not active. Raises NotFound."""
        with self.database.read() as connection:
            kept = find(connection, hook)
        event = body.event or first_of(kept.hook)
        text = text_of(event, self.ledger.writer.clock(), SAMPLES[event])
        outcome = self.send(Claimed(new_id(), event, text, 1, kept))

        def make(record: Record) -> Sampled:
            record.note(event=event, status=outcome.status, error=outcome.error)
            return Sampled(event, outcome.is_delivered, outcome.status, outcome.error, outcome.took_ms)

        return self.ledger.change(caller, "hooks.test", f"hook:{kept.hook.id}", make, answer=Sampled)

    def deliveries(self, caller: Caller, body: ListDeliveries, *, hook: str) -> Page[Delivery]:
        """Those that wait, and the last ones that ended; newest first. Raises NotFound."""
        with self.database.read() as connection:
            return Page(store.deliveries_of(connection, find(connection, hook).hook.id, body.limit))

    def _check_url(self, caller: Caller, verb: str, hook: str, url: str) -> None:
        try:
            self.reach.addresses(read_url(url))
        except HostUnsafe as refusal:
            self.ledger.refused(caller, verb, f"hook:{hook}", refusal)
            raise

    def _change(self, caller: Caller, verb: str, hook: str, make: Making) -> Hook:
        with self.database.read() as connection:
            id_ = find(connection, hook).hook.id
        return self.ledger.change(
            caller, verb, f"hook:{id_}", lambda record: make(record, find(record.connection, id_)), answer=Hook
        )

    # --- deliveries ---

    def start(self) -> None:
        """Takes up what a process that is no more had begun. Where several servers share a database, claims run out."""
        if self.database.is_sqlite:
            self.ledger.writer.write(lambda change: store.release(change.connection, change.at))

    def due(self) -> Sequence[str]:
        """The ids of hooks that something is to be delivered to now."""
        with self.database.read() as connection:
            return store.due(connection, self.ledger.writer.clock())

    def claim(self, hook: str) -> Claimed | None:
        """The delivery to make next; for a while nobody else gets it."""

        def take(change: Change) -> Claimed | None:
            return store.claim(change.connection, hook, change.at, change.at + CLAIM)

        return self.ledger.writer.write(take)

    def send(self, claimed: Claimed) -> Outcome:
        """Makes one attempt: looks at where the hook leads now, signs and posts."""
        hook, secret = claimed.kept.hook, claimed.kept.secret
        try:
            target = read_url(hook.url)
            addresses = self.reach.addresses(target)
            opened = self.keys.unseal(secret, label(hook.id)) if secret is not None else ""
        except (HostUnknown, HostUnsafe) as refusal:
            return Outcome(0, f"{refusal.host}: {refusal.cause}")
        except TaxiwayError as refusal:
            return Outcome(0, str(refusal))
        headers = headers_of(claimed.id, claimed.body, secret=opened, at=self.ledger.writer.clock())
        return post(target, addresses, headers, claimed.body)

    def settle(self, claimed: Claimed, outcome: Outcome) -> bool:
        """Keeps what became of an attempt; whether it was the last one and in vain."""
        hook = claimed.kept.hook.id
        is_over = claimed.attempts >= MOST_ATTEMPTS

        def keep(change: Change) -> None:
            said = {"status": outcome.status, "error": outcome.error}
            if outcome.is_delivered or is_over:
                state = "delivered" if outcome.is_delivered else "given_up"
                store.settle(change.connection, claimed.id, state=state, **said)
                store.end(change.connection, hook, is_delivered=outcome.is_delivered)
                store.prune(change.connection, hook, KEPT_DELIVERIES)
            else:
                store.settle(change.connection, claimed.id, due_at=change.at + PAUSES[claimed.attempts - 1], **said)

        self.ledger.writer.write(keep)
        return is_over and not outcome.is_delivered


def find(connection: Connection, hook: str) -> Kept:
    """A hook by its id or name. Raises NotFound, and BadField for a name that several have."""
    found = store.find(connection, hook)
    if not found:
        raise NotFound(kind="hook", name=hook[:100], hint="`taxiway hooks list` shows those there are.")
    if len(found) > 1:
        ids = ", ".join(kept.hook.id for kept in found)
        raise BadField(field="hook", value=repr(hook), expected=f"the id of one of those called so: {ids}")
    return found[0]


def check_name(name: str) -> None:
    if not is_name(name):
        raise BadField(field="name", value=repr(name[:100]), expected="a name of a-z, 0-9, '.', '_' and '-'")


def check_events(events: Sequence[Event]) -> None:
    if not events:
        raise BadField(field="events", value="[]", expected="at least one event")


def check_secret(secret: str) -> None:
    """Raises BadField, which does not say the secret."""
    if len(secret) > LONGEST_SECRET:
        raise BadField(field="secret", value="a longer one", expected=f"at most {LONGEST_SECRET} characters")


def label(id_: str) -> str:
    """What a hook's secret is sealed for."""
    return f"hook:{id_}"


def first_of(hook: Hook) -> Event:
    """The first event that a hook is told of."""
    return next(event for event in SAMPLES if event == hook.events[0])


def noted(name: str, before: Hook, after: object) -> dict[str, object]:
    """A change as the audit log has it."""
    was, now = getattr(before, name), after
    return {"before": shown(was), "after": shown(str(now))} if name == "url" else {"before": was, "after": now}
