"""Queries of models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    type_coerce,
    update,
)

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.contract import Alias, CardField, Model, ModelStage, ModelVersion, StageEntry
from taxiway.models.predicting.signature import Signature
from taxiway.models.tables import aliases, card_texts, models, stages, tags, versions

MOST_NAMES = 500
NO_COLUMNS = Signature(inputs=(), outputs=())

# --- models ---


def add_model(connection: Connection, model: Model) -> None:
    """A name that is new, or one that was deleted: its numbers go on where they ended."""
    row: dict[str, Any] = {n: getattr(model, n) for n in ("project", "description", "created_by", "created_at")}
    row |= {"changed_at": model.changed_at, "deleted_at": None}
    if connection.execute(update(models).where(models.c.name == model.name).values(row)).rowcount == 0:
        connection.execute(insert(models).values(row | {"name": model.name, "numbered": 0}))
    put_tags(connection, model.name, 0, model.tags)


def find_model(connection: Connection, name: str) -> Model | None:
    row = connection.execute(select(models).where(models.c.name == name, models.c.deleted_at.is_(None))).mappings()
    found = models_of(connection, list(row))
    return found[0] if found else None


def numbered(connection: Connection, name: str) -> int | None:
    """The highest version there ever was under a name, deleted ones too; None for a name never used."""
    return connection.execute(select(models.c.numbered).where(models.c.name == name)).scalar()


def all_models(connection: Connection, projects: list[str] | None) -> list[Model]:
    """By name; `projects` limits whose, None is everyone's."""
    query = select(models).where(models.c.deleted_at.is_(None)).order_by(models.c.name)
    if projects is not None:
        query = query.where(models.c.project.in_(projects))
    return models_of(connection, list(connection.execute(query).mappings()))


def models_of(connection: Connection, rows: Sequence[RowMapping]) -> list[Model]:
    """In the order of the rows, which Python may sort anew: databases differ in how they sort letters."""
    names = [row["name"] for row in rows]
    pointing = aliases_by_model(connection, names)
    tagged = tags_by_thing(connection, names)
    highest = newest_by_model(connection, names)
    return [
        Model(
            name=row["name"],
            project=row["project"],
            newest=highest.get(row["name"], 0),
            aliases={alias.alias: alias.version for alias in pointing.get(row["name"], [])},
            created_by=row["created_by"],
            created_at=row["created_at"],
            changed_at=row["changed_at"],
            description=row["description"],
            tags=tagged.get((row["name"], 0), {}),
        )
        for row in rows
    ]


def change_model(connection: Connection, name: str, **values: Any) -> None:
    connection.execute(update(models).where(models.c.name == name).values(values))


def rename_model(connection: Connection, name: str, to: str) -> None:
    """Gives a model, and all that hangs on it, another name."""
    connection.execute(delete(models).where(models.c.name == to))  # what is left of a deleted one without versions
    connection.execute(update(models).where(models.c.name == name).values(name=to))
    for table in (versions, stages, aliases, card_texts, tags):
        connection.execute(update(table).where(table.c.model == name).values(model=to))


def newest_by_model(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    query = select(versions.c.model, func.max(versions.c.version)).where(versions.c.deleted_at.is_(None))
    found: dict[str, int] = {}
    for some in batches(names):
        rows = connection.execute(query.where(versions.c.model.in_(some)).group_by(versions.c.model))
        found |= {row[0]: row[1] for row in rows}
    return found


def batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """A query holds only so many names."""
    return (names[at : at + MOST_NAMES] for at in range(0, len(names), MOST_NAMES))


# --- versions ---


class Kept(Struct, frozen=True):
    """A version together with its manifest, as it is stored; None where it has no bundle."""

    version: ModelVersion
    manifest: Manifest | None
    folder: str | None


LIVING = versions.c.deleted_at.is_(None)


def newest(connection: Connection, model: str) -> int:
    """The highest version, 0 where there is none."""
    return newest_by_model(connection, [model]).get(model, 0)


def next_number(connection: Connection, model: str, at: datetime) -> int:
    """The number of a new version. None is given twice, whatever was deleted and however many servers give them."""
    given = update(models).where(models.c.name == model).values(numbered=models.c.numbered + 1, changed_at=at)
    return int(connection.execute(given.returning(models.c.numbered)).scalar_one())


def add_version(
    connection: Connection, version: ModelVersion, manifest: Manifest | None, folder: str | None = None
) -> None:
    row = {n: v for n, v in asdict(version).items() if n in versions.c} | {"manifest": manifest, "folder": folder}
    connection.execute(insert(versions).values(row))
    put_tags(connection, version.model, version.version, version.tags)


def change_version(connection: Connection, version: ModelVersion, **values: Any) -> None:
    here = (versions.c.model == version.model, versions.c.version == version.version)
    connection.execute(update(versions).where(*here).values(values))


def delete_version(connection: Connection, version: ModelVersion, at: datetime) -> None:
    """Takes a version, its aliases and its tags out of sight; the row stays, so that its number does."""
    change_version(connection, version, deleted_at=at, changed_at=at)
    pointing = (aliases.c.model == version.model, aliases.c.version == version.version)
    connection.execute(delete(aliases).where(*pointing))
    connection.execute(delete(tags).where(tags.c.model == version.model, tags.c.version == version.version))


def find_kept(
    connection: Connection, model: str, version: int, *, is_locked: bool = False, or_deleted: bool = False
) -> Kept | None:
    """is_locked: keeps other servers' changes of this version waiting until this change is done."""
    query = select(versions).where(versions.c.model == model, versions.c.version == version)
    query = query if or_deleted else query.where(LIVING)
    row = connection.execute(query.with_for_update() if is_locked else query).mappings().first()
    return kept_of(row, aliases_of(connection, model), tags_of(connection, model, version)) if row else None


def manifest_of(connection: Connection, bundle: str) -> Manifest | None:
    """What a bundle holds, if any version has it."""
    row = connection.execute(select(versions.c.manifest).where(versions.c.bundle == bundle).limit(1)).first()
    return row.manifest if row else None


def find_bundle(connection: Connection, model: str, bundle: str) -> ModelVersion | None:
    """The newest version of a model that holds a bundle."""
    query = select(versions.c.version).where(versions.c.model == model, versions.c.bundle == bundle, LIVING)
    number = connection.execute(query.order_by(versions.c.version.desc())).scalar()
    found = find_kept(connection, model, number) if number else None
    return found.version if found else None


def versions_of(connection: Connection, model: str) -> list[ModelVersion]:
    """Newest first."""
    return read_versions(connection, versions.c.model == model)


def versions_in(connection: Connection, project: str) -> list[ModelVersion]:
    """Every version of a project's models, the newest first."""
    found = read_versions(connection, versions.c.project == project)
    return sorted(found, key=lambda each: (each.created_at, each.version), reverse=True)


def versions_made_by(connection: Connection, run: str) -> list[ModelVersion]:
    return read_versions(connection, versions.c.run == run)


def versions_logged(connection: Connection, logged_model: str) -> list[ModelVersion]:
    """The versions that were registered from a logged model."""
    return read_versions(connection, versions.c.logged_model == logged_model)


def all_versions(connection: Connection, projects: list[str] | None) -> list[ModelVersion]:
    return read_versions(connection, *([] if projects is None else [versions.c.project.in_(projects)]))


def kept_digests(connection: Connection) -> set[str]:
    """The digests of all bytes that living versions need."""
    found: set[str] = set()
    for row in connection.execute(select(versions.c.manifest, versions.c.evaluation).where(LIVING)):
        found |= {file.digest for file in row.manifest.files} if row.manifest else set()
        found |= {row.evaluation.digest} if row.evaluation else set()
    return found


def names_digest(connection: Connection, digest: str, projects: Sequence[str]) -> bool:
    """Whether a file or the pinned predictions of a living version in these projects have the digest.

    A text that mentions it does not count: anyone may write that.
    """
    texts = (type_coerce(versions.c[name], Text).like(f"%{digest}%") for name in ("manifest", "evaluation"))
    query = select(versions.c.manifest, versions.c.evaluation).where(LIVING, versions.c.project.in_(projects))
    return any(
        (row.manifest and digest in {file.digest for file in row.manifest.files})
        or (row.evaluation and row.evaluation.digest == digest)
        for row in connection.execute(query.where(or_(*texts)))
    )


def read_versions(connection: Connection, *which: ColumnElement[bool]) -> list[ModelVersion]:
    """Newest first within a model; models in no order."""
    query = select(versions).where(LIVING, *which).order_by(versions.c.model, versions.c.version.desc())
    rows = list(connection.execute(query).mappings())
    names = list(dict.fromkeys(row["model"] for row in rows))
    pointing, tagged = aliases_by_model(connection, names), tags_by_thing(connection, names)
    return [
        kept_of(row, pointing.get(row["model"], []), tagged.get((row["model"], row["version"]), {})).version
        for row in rows
    ]


def kept_of(row: RowMapping, pointing: Sequence[Alias], tagged: dict[str, str]) -> Kept:
    manifest: Manifest | None = row["manifest"]
    plain = {name: row[name] for name in ModelVersion.__struct_fields__ if name in versions.c}
    version = ModelVersion(
        **plain,
        flavour=manifest.flavour if manifest else "",
        signature=manifest.signature if manifest else NO_COLUMNS,
        threshold=manifest.threshold if manifest else None,
        environment=manifest.environment if manifest else None,
        aliases=[alias.alias for alias in pointing if alias.version == row["version"]],
        tags=tagged,
    )
    return Kept(version, manifest, row["folder"])


# --- tags ---


def put_tags(connection: Connection, model: str, version: int, given: Mapping[str, str]) -> None:
    drop_tags(connection, model, version, list(given))
    rows = [{"model": model, "version": version, "key": key, "value": value} for key, value in given.items()]
    if rows:
        connection.execute(insert(tags), rows)


def drop_tags(connection: Connection, model: str, version: int, keys: Sequence[str]) -> None:
    here = (tags.c.model == model, tags.c.version == version)
    if keys:
        connection.execute(delete(tags).where(*here, tags.c.key.in_(keys)))


def tags_of(connection: Connection, model: str, version: int) -> dict[str, str]:
    query = select(tags).where(tags.c.model == model, tags.c.version == version).order_by(tags.c.key)
    return {row["key"]: row["value"] for row in connection.execute(query).mappings()}


def tags_by_thing(connection: Connection, names: Sequence[str]) -> dict[tuple[str, int], dict[str, str]]:
    """By model and version; those of a model itself under 0."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    for some in batches(names):
        query = select(tags).where(tags.c.model.in_(some)).order_by(tags.c.key)
        for row in connection.execute(query).mappings():
            found.setdefault((row["model"], row["version"]), {})[row["key"]] = row["value"]
    return found


# --- stages ---


def move(connection: Connection, version: ModelVersion, stage: ModelStage, at: datetime) -> bool:
    """Moves a version that still stands where it was read; false where somebody was faster."""
    query = update(versions).where(
        versions.c.model == version.model, versions.c.version == version.version, versions.c.stage == version.stage
    )
    change_model(connection, version.model, changed_at=at)
    return connection.execute(query.values(stage=stage, changed_at=at)).rowcount == 1


def add_stage(connection: Connection, version: ModelVersion, entry: StageEntry) -> None:
    here = (stages.c.model == version.model, stages.c.version == version.version)
    number = connection.execute(select(func.count()).select_from(stages).where(*here)).scalar_one()
    row = {"model": version.model, "version": version.version, "number": number + 1, **asdict(entry)}
    connection.execute(insert(stages).values(row))


def stages_of(connection: Connection, model: str, version: int) -> list[StageEntry]:
    """In the order in which they were entered."""
    query = select(stages).where(stages.c.model == model, stages.c.version == version).order_by(stages.c.number)
    rows = connection.execute(query).mappings()
    return [StageEntry(r["stage"], r["entered_at"], r["by"], r["reason"]) for r in rows]


def champion_before(connection: Connection, model: str, version: int) -> int:
    """The version that last entered production before another first did, or of all, where that never did; else 0."""
    entered = (stages.c.model == model, stages.c.stage == "production")
    first = select(func.min(stages.c.entered_at)).where(*entered, stages.c.version == version)
    before = connection.execute(first).scalar_one_or_none()
    query = select(stages.c.version).where(*entered, stages.c.version != version)
    if before is not None:
        query = query.where(stages.c.entered_at < before)
    newest = query.order_by(stages.c.entered_at.desc(), stages.c.version.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none() or 0


# --- aliases ---


def aliases_of(connection: Connection, model: str) -> list[Alias]:
    query = select(aliases).where(aliases.c.model == model).order_by(aliases.c.alias)
    return [Alias(**row) for row in connection.execute(query).mappings()]


def aliases_by_model(connection: Connection, names: Sequence[str]) -> dict[str, list[Alias]]:
    found: dict[str, list[Alias]] = {}
    for some in batches(names):
        query = select(aliases).where(aliases.c.model.in_(some)).order_by(aliases.c.alias)
        for row in connection.execute(query).mappings():
            found.setdefault(row["model"], []).append(Alias(**row))
    return found


def put_alias(connection: Connection, alias: Alias) -> None:
    drop_alias(connection, alias.model, alias.alias)
    connection.execute(insert(aliases).values(asdict(alias)))


def drop_alias(connection: Connection, model: str, alias: str) -> None:
    connection.execute(delete(aliases).where(aliases.c.model == model, aliases.c.alias == alias))


# --- cards ---


def entered(connection: Connection, model: str, version: int) -> dict[str, CardField]:
    """What people wrote on a version's card, by field. The titles are the card's own."""
    query = select(card_texts).where(card_texts.c.model == model, card_texts.c.version == version)
    return {
        row["field"]: CardField(row["field"], "", row["text"], "entered", [], row["by"], row["at"])
        for row in connection.execute(query).mappings()
    }


def enter(connection: Connection, version: ModelVersion, field: CardField) -> None:
    """Replaces a field's text; an empty one is taken away."""
    here = (card_texts.c.model == version.model, card_texts.c.version == version.version)
    connection.execute(delete(card_texts).where(*here, card_texts.c.field == field.name))
    if field.value:
        row = {"model": version.model, "version": version.version, "field": field.name}
        row |= {"text": field.value, "by": field.by, "at": field.at}
        connection.execute(insert(card_texts).values(row))
