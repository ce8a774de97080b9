"""How versions move: from stage to stage through the guard, and the aliases that move with them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.models import store
from taxiway.models.contract import Alias, ModelStage, ModelVersion, PointAlias, Promote, StageEntry, Target
from taxiway.models.lookup import find_kept, require_version, unknown
from taxiway.models.moving import announced
from taxiway.models.moving.guard import Guard
from taxiway.models.names import STAGE_WORDS, check_alias
from taxiway.models.refusals import AliasGuarded, AlreadyThere, MovedMeanwhile, Unguarded
from taxiway.models.signing.attested import attest_making_room, attest_promotion
from taxiway.projects.service import enter_stage
from taxiway.storage.database import Database

ORDER: tuple[ModelStage, ...] = ("archived", "none", "staging", "production")

Going = ModelStage | Literal["deleted", "renamed"]  # where a version leaves its place for
Leaving = Callable[[Record, ModelVersion, Going], None]


class Movements:
    """Promotions and aliases. `guard` is set when the house is put together; without it nothing moves.

    before_leaving: asked inside the change before a version goes back or is archived; one that refuses raises.
    """

    def __init__(self, database: Database, ledger: Ledger, access: Access) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.guard: Guard | None = None
        self.before_leaving: list[Leaving] = []

    def promote(self, caller: Caller, body: Promote, *, model: str, version: str) -> ModelVersion:
        """Moves a version to a stage, if every gate up to it is open: asked inside the change itself.

        Entering a stage moves the alias that the path names for it; leaving one takes that alias away.
        Going back and archiving are for who may stop what answers. Raises AlreadyThere, NotAllowed, NotFound,
        StillAnswers, Unguarded, and what the guard refuses with.
        """
        with self.database.read() as connection:
            found = find_kept(connection, model, version).version
        if is_leaving(found.stage, body.stage) or body.archive_others:
            self.access.require(caller, "models.archive", found.project)

        def make(record: Record) -> ModelVersion:
            return self.move(record, require_version(record, model, found.version), body, seen=found.stage)

        return self.ledger.change(caller, "models.promote", found.ref, make, answer=ModelVersion, project=found.project)

    def move(self, record: Record, before: ModelVersion, body: Promote, *, seen: ModelStage) -> ModelVersion:
        """As `promote`, within another change. seen: the stage that whoever asks saw the version in."""
        guard = self._guard(before)
        alias = guard.guarded_aliases(record.connection, before).get(body.stage)
        if before.stage == body.stage and (alias is None or alias in before.aliases):
            raise AlreadyThere(model=before.model, version=before.version, stage=body.stage)
        if before.stage != seen:
            raise MovedMeanwhile(model=before.model, version=before.version, before=seen, stage=before.stage)
        if is_leaving(before.stage, body.stage):
            for ask in self.before_leaving:
                ask(record, before, body.stage)
        if body.stage != "archived":
            guard.require_open(record, before, body.stage)
        if body.archive_others:
            self._archive_others(record, before, body)
        self._enter(record, before, body)
        attest_promotion(record, before, body.stage, body.reason)
        record.note(stage=body.stage, before=before.stage, reason=body.reason, bundle=before.bundle)
        return require_version(record, before.model, before.version)

    def _archive_others(self, record: Record, version: ModelVersion, body: Promote) -> None:
        """Makes room: what stands in the stage goes to the archive. Raises StillAnswers."""
        for other in store.versions_of(record.connection, version.model):
            if other.stage == body.stage and other.version != version.version:
                for ask in self.before_leaving:
                    ask(record, other, "archived")
                reason = f"version {version.version} took its place"
                self._enter(record, other, Promote("archived", reason))
                said = attest_making_room(record, other, reason)
                facts = {"stage": "archived", "before": other.stage, "because": version.ref, **said}
                record.also("models.promote", other.ref, **facts)

    def _enter(self, record: Record, before: ModelVersion, body: Promote) -> None:
        if not store.move(record.connection, before, body.stage, record.at):
            raise AlreadyThere(model=before.model, version=before.version, stage=body.stage)
        entry = StageEntry(body.stage, record.at, record.caller.name, body.reason)
        store.add_stage(record.connection, before, entry)
        announced.tell_promoted(record, before, body)
        if body.stage != "archived":
            enter_stage(record, before.project, body.stage, because=before.ref)
        guarded = self._guard(before).guarded_aliases(record.connection, before)
        words = [(word, word) for word in STAGE_WORDS if word in before.aliases]
        for stage, name in [*guarded.items(), *words]:
            if stage == body.stage:
                self._put(record, before, name, body.reason)
            elif name in before.aliases:
                store.drop_alias(record.connection, before.model, name)
                announced.tell_no_alias(record, before.model, name)
                record.also("models.drop_alias", before.ref, alias=name, reason=f"moved to {body.stage}")

    def point_alias(self, caller: Caller, body: PointAlias, *, model: str, alias: str) -> Alias:
        """Points a free alias at a version.

        One that stands for a stage is refused: with what the guard refuses with where the version may not enter that
        stage, and with AliasGuarded where it may, and has to be moved there.
        """
        check_alias(alias)

        def make(record: Record) -> Alias:
            version = require_version(record, model, body.version)
            if stage := self._stage_of(record.connection, version, alias):
                self._guard(version).require_open(record, version, stage)
            self._refuse_guarded(record.connection, version, alias)
            return self._put(record, version, alias, body.reason)

        return self._change(caller, "models.point_alias", model, make)

    def follow_alias(self, caller: Caller, body: PointAlias, *, model: str, alias: str) -> Alias:
        """Points any alias at a version: one that stands for a stage by moving the version there, through the gates.

        An alias called as a stage is kept beside the one that the path names. Raises as `promote` and `point_alias`.
        """
        check_alias(alias)
        with self.database.read() as connection:
            version = find_kept(connection, model, body.version).version
            stage = self._stage_of(connection, version, alias)
            moves = self._guard(version).guarded_aliases(connection, version)
        if stage is None:
            return self.point_alias(caller, body, model=model, alias=alias)
        if alias not in (stage, moves.get(stage)):  # spelt almost like it
            raise AliasGuarded(model=model, alias=alias, stage=stage, version=body.version)
        if alias != stage or version.stage != stage:
            with suppress(AlreadyThere):
                self.promote(caller, Promote(stage, body.reason), model=model, version=str(body.version))
        if alias == moves.get(stage):
            return next(each for each in self.aliases(model) if each.alias == alias)

        def make(record: Record) -> Alias:
            here = require_version(record, model, body.version)
            if here.stage != stage:
                raise MovedMeanwhile(model=model, version=here.version, before=stage, stage=here.stage)
            return self._put(record, here, alias, body.reason)

        return self._change(caller, "models.point_alias", model, make)

    def drop_alias(self, caller: Caller, *, model: str, alias: str) -> Alias:
        """Takes a free alias away and gives what it was. Raises AliasGuarded, NotFound."""

        def make(record: Record) -> Alias:
            found = next((a for a in store.aliases_of(record.connection, model) if a.alias == alias), None)
            if found is None:
                hint = f"`taxiway models show {model}` shows those there are."
                raise NotFound(kind="alias", name=f"{model}@{alias}", hint=hint)
            version = require_version(record, model, found.version)
            if alias not in STAGE_WORDS:  # those were set by hand, and may go by hand
                self._refuse_guarded(record.connection, version, alias)
            store.drop_alias(record.connection, model, alias)
            announced.tell_no_alias(record, model, alias)
            record.note(alias=alias, version=found.version)
            return found

        return self._change(caller, "models.drop_alias", model, make)

    def entered(self, connection: Connection, version: ModelVersion) -> list[StageEntry]:
        """The stages that a version entered, in order, as that connection sees them."""
        return store.stages_of(connection, version.model, version.version)

    def champion_before(self, connection: Connection, version: ModelVersion) -> int:
        """The version that last entered production before this one did, or before now; 0 where none did."""
        return store.champion_before(connection, version.model, version.version)

    def aliases(self, model: str) -> list[Alias]:
        """By name."""
        with self.database.read() as connection:
            return store.aliases_of(connection, model)

    def _change(self, caller: Caller, verb: str, model: str, make: Any) -> Alias:
        with self.database.read() as connection:
            found = store.find_model(connection, model)
        if found is None:
            raise unknown(model)
        return self.ledger.change(caller, verb, f"model:{model}", make, answer=Alias, project=found.project)

    def _put(self, record: Record, version: ModelVersion, name: str, reason: str) -> Alias:
        alias = Alias(version.model, name, version.version, record.caller.name, record.at, reason)
        store.put_alias(record.connection, alias)
        announced.tell_alias(record, version.model, name, version.version)
        record.note(alias=name, version=version.version)
        return alias

    def _refuse_guarded(self, connection: Connection, version: ModelVersion, alias: str) -> None:
        stage = self._stage_of(connection, version, alias)
        if stage is not None:
            raise AliasGuarded(model=version.model, alias=alias, stage=stage, version=version.version)

    def _stage_of(self, connection: Connection, version: ModelVersion, alias: str) -> Target | None:
        """The stage that an alias stands for, however its letters are written; None for a free one."""
        guarded = self._guard(version).guarded_aliases(connection, version)
        meaning: dict[str, Target] = {name.lower(): stage for stage, name in guarded.items() if stage != "none"}
        meaning |= {word: word for word in STAGE_WORDS}
        return meaning.get(alias.lower())

    def _guard(self, version: ModelVersion) -> Guard:
        if self.guard is None:
            raise Unguarded(model=version.model, version=version.version)
        return self.guard


def is_leaving(before: ModelStage, after: ModelStage) -> bool:
    """Whether a version goes back, or out of the way."""
    return ORDER.index(after) < ORDER.index(before)
