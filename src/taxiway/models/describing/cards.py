"""The rules of cards: people enter what only people can say, and nobody writes what is recorded."""

from __future__ import annotations

from sqlalchemy import Connection

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.models import store
from taxiway.models.contract import Card, CardField, EnterCard, ModelVersion
from taxiway.models.describing.card import HUMAN, LONGEST_TEXT, card_of, entered_digest
from taxiway.models.lookup import find_kept, require_version
from taxiway.models.moving.movements import Movements
from taxiway.projects.service import Projects
from taxiway.runs.contract import Run
from taxiway.runs.service import Runs
from taxiway.storage.database import Database


class Cards:
    """Cards of versions. They stand beside the bundle, bound to the version, never inside it."""

    def __init__(
        self, database: Database, ledger: Ledger, projects: Projects, runs: Runs, movements: Movements
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.projects = projects
        self.runs = runs
        self.movements = movements

    def show(self, caller: Caller, *, model: str, version: str) -> Card:
        with self.database.read() as connection:
            return self.card(connection, find_kept(connection, model, version).version)

    def enter(self, caller: Caller, body: EnterCard, *, model: str, version: str) -> Card:
        """Enters texts; an empty one takes a field back. Any change voids the approvals of what was there before.

        Raises BadField for a field that is recorded or unknown, and for a text that is too long.
        """
        for name, text in body.fields.items():
            if name not in HUMAN:
                expected = f"one of {', '.join(HUMAN)}; everything else on a card is recorded and cannot be written"
                raise BadField(field=f"fields.{name}", value=repr(text[:60]), expected=expected)
            if len(text) > LONGEST_TEXT:
                value = f"a text of {len(text):,} characters"
                raise BadField(field=f"fields.{name}", value=value, expected=f"at most {LONGEST_TEXT:,}")
        with self.database.read() as connection:
            found = find_kept(connection, model, version).version

        def make(record: Record) -> Card:
            here = require_version(record, model, found.version)
            before = store.entered(record.connection, model, found.version)
            for name, text in body.fields.items():
                old = before[name].value if name in before else ""
                if text.strip() != old:
                    field = CardField(name, "", text.strip(), "entered", [], caller.name, record.at)
                    store.enter(record.connection, here, field)
                    record.note(**{name: {"before": old, "after": text.strip()}})
            return self.card(record.connection, here)

        return self.ledger.change(caller, "models.enter_card", found.ref, make, answer=Card, project=found.project)

    def card(self, connection: Connection, version: ModelVersion) -> Card:
        """The whole card, as it stands for this connection."""
        guard = self.movements.guard
        return card_of(
            version,
            project=self.projects.find(version.project),
            run=self._run(version),
            entered=store.entered(connection, version.model, version.version),
            evidence=guard.card_fields(connection, version) if guard else [],
        )

    def digest(self, connection: Connection, version: ModelVersion) -> str:
        """What stands for the entered texts, as they are for this connection."""
        return entered_digest(store.entered(connection, version.model, version.version))

    def writers(self, connection: Connection, version: ModelVersion) -> set[str]:
        """Who wrote what the card says now."""
        return {field.by for field in store.entered(connection, version.model, version.version).values()}

    def _run(self, version: ModelVersion) -> Run | None:
        return self.runs.find(version.run) if version.run is not None else None
