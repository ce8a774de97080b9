"""The rules of questionnaires: published versions never change, sheets of answers are only added to."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.gates.contract import PathVersion
from taxiway.gates.questionnaires import law, store
from taxiway.gates.questionnaires.contract import (
    AnswerRefused,
    AnswerSheet,
    Attested,
    PublishQuestionnaire,
    Questionnaire,
    Sheet,
)
from taxiway.gates.questionnaires.law import Answer, WrongAnswer
from taxiway.gates.questionnaires.reading import PACKAGED, packaged, read_questionnaire
from taxiway.kernel.caller import Caller
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import NotFound
from taxiway.kernel.ids import new_id
from taxiway.models.bundles.bundle import digest_of
from taxiway.models.contract import ModelVersion
from taxiway.models.lookup import require_version
from taxiway.models.service import Models
from taxiway.projects.service import TIERS, find_project
from taxiway.storage.database import Database


class Questionnaires:
    """Questionnaires and the answers to them. Those that ship with the platform are version 1 of their names."""

    def __init__(self, database: Database, ledger: Ledger, access: Access, models: Models) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.models = models

    # --- questionnaires ---

    def publish(self, caller: Caller, body: PublishQuestionnaire) -> Questionnaire:
        """The next version of the questionnaire that the text names, or the newest where it asks the same.

        Raises YamlBroken.
        """
        given = read_questionnaire(body.text, name=body.name)

        def make(record: Record) -> Questionnaire:
            before = newest(record.connection, given.name)
            if before is not None and before.digest == given.digest:
                return before
            number = before.version + 1 if before else 1
            after = msgspec.structs.replace(given, version=number, published_by=caller.name, published_at=record.at)
            store.add_questionnaire(record.connection, after)
            record.note(version=number, digest=after.digest, before=before.digest if before else None)
            return after

        thing = f"questionnaire:{given.name}"
        return self.ledger.change(caller, "gates.publish_questionnaire", thing, make, answer=Questionnaire)

    def show(self, caller: Caller, *, questionnaire: str, version: int) -> Questionnaire:
        """version: 0 is the newest. Raises NotFound."""
        with self.database.read() as connection:
            return require(connection, questionnaire, version)

    def list(self, caller: Caller) -> Page[Questionnaire]:
        """The newest of each, by name."""
        with self.database.read() as connection:
            kept = {found.name: found for found in store.newest_questionnaires(connection)}
        shipped = {name: found for name in PACKAGED if (found := packaged(name)) is not None}
        return Page(sorted((shipped | kept).values(), key=lambda found: found.name))

    # --- answers ---

    def answer(self, caller: Caller, body: AnswerSheet, *, model: str, version: str, questionnaire: str) -> Sheet:
        """A new sheet: the newest one with these answers changed. Raises AnswerRefused, NotFound."""
        found = self.models.find(model, version)

        def make(record: Record) -> Sheet:
            here = require_version(record, model, found.version)
            asked = require(record.connection, questionnaire)
            before = self._begun(record.connection, here, questionnaire, body.take)
            answers = merged(asked, before.answers if before else {}, body.answers)
            self._check_files(caller, asked, answers, before)
            held = self.access.grants(project=here.project).items
            sheet = Sheet(
                id=new_id(),
                model=here.model,
                version=here.version,
                project=here.project,
                questionnaire=asked.ref,
                digest=digest_of(canonical_json({"questionnaire": asked.digest, "answers": answers})),
                answers=answers,
                reading=law.judge(asked.questions, asked.tiers, asked.stops, answers),
                by=caller.name,
                roles=sorted({each.role for each in held if each.user == caller.name}),
                at=record.at,
                note=body.note.strip(),
                taken_from=before.id if before and before.version != here.version else "",
            )
            store.add_sheet(record.connection, sheet)
            record.note(questionnaire=asked.ref, sheet=sheet.id, digest=sheet.digest, tier=sheet.reading.tier)
            return sheet

        return self.ledger.change(caller, "gates.answer", found.ref, make, answer=Sheet, project=found.project)

    def sheets(self, caller: Caller, *, model: str, version: str) -> Page[Sheet]:
        """All about a version, newest first."""
        found = self.models.find(model, version)
        with self.database.read() as connection:
            return Page(store.sheets_of(connection, found.model, found.version))

    def _begun(self, connection: Connection, version: ModelVersion, name: str, take: int | None) -> Sheet | None:
        """The sheet that a new one begins with: the version's own newest, or that of the version named."""
        own = current(connection, version.model, version.version).get(name)
        if take is None or own is not None:
            return own
        taken = current(connection, version.model, take).get(name)
        if taken is None:
            hint = f"`taxiway gates answers {version.model}@{take}` lists those there are."
            raise NotFound(kind="sheet", name=f"{name} about {version.model}@{take}", hint=hint)
        return taken

    def _check_files(
        self, caller: Caller, asked: Questionnaire, answers: Mapping[str, Answer], before: Sheet | None
    ) -> None:
        """That new files are bytes which the caller may name and which are kept. Raises NotFound."""
        kept = before.answers if before else {}
        for question in asked.questions:
            digest = answers.get(question.id)
            if question.type == "file" and isinstance(digest, str) and kept.get(question.id) != digest:
                self.access.digests.require(caller, digest)
                if not self.models.blobs.has(digest):
                    raise NotFound(kind="blob", name=digest, hint=f"Store the bytes of `{question.id}` first.")


def merged(asked: Questionnaire, before: Mapping[str, Answer], given: Mapping[str, object]) -> dict[str, Answer]:
    """Answers over those that were given before. Raises AnswerRefused."""
    known = {question.id for question in asked.questions}
    try:
        return law.read(asked.questions, {name: v for name, v in before.items() if name in known} | dict(given))
    except WrongAnswer as e:
        value = repr(e.value)[:200]
        raise AnswerRefused(questionnaire=asked.ref, question=e.question, value=value, expected=e.expected) from e


def newest(connection: Connection, name: str) -> Questionnaire | None:
    return store.find_questionnaire(connection, name) or packaged(name)


def require(connection: Connection, name: str, version: int = 0) -> Questionnaire:
    """Raises NotFound."""
    found = store.find_questionnaire(connection, name, version)
    shipped = packaged(name) if version in (0, 1) else None
    if found is None and shipped is None:
        hint = "`taxiway gates questionnaires` lists those there are."
        raise NotFound(kind="questionnaire", name=f"{name}@{version}" if version else name, hint=hint)
    chosen = found or shipped
    assert chosen is not None
    return chosen


def unknown_asked(connection: Connection, path: PathVersion) -> list[NotFound]:
    """The questionnaires that a path asks for and that nobody has published, each as it is refused."""
    asked = {str(s.parameters["questionnaire"]) for e in path.stages for s in e.gates if s.check == "attestation"}
    found = []
    for each in sorted(asked):
        name, _, version = each.partition("@")
        here = newest(connection, name)
        if here is None or here.version < int(version or 1):
            hint = "`taxiway gates questionnaires` lists those there are; publish it before a path that asks for it."
            found.append(NotFound(kind="questionnaire", name=each, hint=hint))
    return found


def current(connection: Connection, model: str, version: int) -> dict[str, Sheet]:
    """The sheet that counts, of each questionnaire about a version."""
    return {sheet.name: sheet for sheet in reversed(store.sheets_of(connection, model, version))}


def attested_of(connection: Connection, version: ModelVersion) -> Attested:
    """What is answered about a version, and the tier that it is treated as."""
    found = current(connection, version.model, version.version)
    tier = max(find_project(connection, version.project).risk, version.risk, key=TIERS.index)
    return Attested([sheet for _, sheet in sorted(found.items())], tier)
