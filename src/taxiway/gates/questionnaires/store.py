"""Queries of questionnaires."""

from __future__ import annotations

from msgspec.structs import asdict
from sqlalchemy import Connection, func, insert, select, update

from taxiway.gates.questionnaires.contract import Questionnaire, Sheet
from taxiway.gates.questionnaires.tables import questionnaires, sheets


def add_questionnaire(connection: Connection, published: Questionnaire) -> None:
    connection.execute(insert(questionnaires).values(asdict(published)))


def find_questionnaire(connection: Connection, name: str, version: int = 0) -> Questionnaire | None:
    """version: 0 is the newest."""
    query = select(questionnaires).where(questionnaires.c.name == name)
    query = query.where(questionnaires.c.version == version) if version else query
    row = connection.execute(query.order_by(questionnaires.c.version.desc()).limit(1)).mappings().first()
    return Questionnaire(**row) if row else None


def newest_questionnaires(connection: Connection) -> list[Questionnaire]:
    newest = select(questionnaires.c.name, func.max(questionnaires.c.version).label("version"))
    last = newest.group_by(questionnaires.c.name).subquery()
    same = (questionnaires.c.name == last.c.name) & (questionnaires.c.version == last.c.version)
    return [Questionnaire(**row) for row in connection.execute(select(questionnaires).join(last, same)).mappings()]


def add_sheet(connection: Connection, sheet: Sheet) -> None:
    connection.execute(insert(sheets).values(asdict(sheet)))


def sheets_of(connection: Connection, model: str, version: int) -> list[Sheet]:
    """All about a version, newest first."""
    query = select(sheets).where(sheets.c.model == model, sheets.c.version == version).order_by(sheets.c.id.desc())
    return [Sheet(**row) for row in connection.execute(query).mappings()]


def rename_model(connection: Connection, before: str, to: str) -> None:
    connection.execute(update(sheets).where(sheets.c.model == before).values(model=to))
