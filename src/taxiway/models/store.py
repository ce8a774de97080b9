"""Queries of models."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from taxiway.models.bundle import Manifest
from taxiway.models.contract import Alias, CardField, Model, ModelStage, ModelVersion, StageEntry
from taxiway.models.tables import aliases, card_texts, models, stages, versions

# --- models ---


def add_model(connection: Connection, model: Model) -> None:
    row = {n: getattr(model, n) for n in ("name", "project", "created_by", "created_at")}
    connection.execute(insert(models).values(row))


def find_model(connection: Connection, name: str) -> Model | None:
    row = connection.execute(select(models).where(models.c.name == name)).mappings().first()
    return model_of(connection, row) if row else None


def all_models(connection: Connection, projects: list[str] | None) -> list[Model]:
    """By name; `projects` limits whose, None is everyone's."""
    query = select(models).order_by(models.c.name)
    if projects is not None:
        query = query.where(models.c.project.in_(projects))
    return [model_of(connection, row) for row in connection.execute(query).mappings().all()]


def model_of(connection: Connection, row: RowMapping) -> Model:
    name = row["name"]
    pointing = {alias.alias: alias.version for alias in aliases_of(connection, name)}
    return Model(name, row["project"], newest(connection, name), pointing, row["created_by"], row["created_at"])


# --- versions ---


class Kept(Struct, frozen=True):
    """A version together with its manifest, as it is stored."""

    version: ModelVersion
    manifest: Manifest


def newest(connection: Connection, model: str) -> int:
    """The highest version, 0 where there is none."""
    highest = connection.execute(select(func.max(versions.c.version)).where(versions.c.model == model)).scalar()
    return highest or 0


def add_version(connection: Connection, version: ModelVersion, manifest: Manifest) -> None:
    row = {n: v for n, v in asdict(version).items() if n in versions.c} | {"manifest": manifest}
    connection.execute(insert(versions).values(row))


def find_kept(connection: Connection, model: str, version: int, *, is_locked: bool = False) -> Kept | None:
    """is_locked: keeps other servers' changes of this version waiting until this change is done."""
    query = select(versions).where(versions.c.model == model, versions.c.version == version)
    row = connection.execute(query.with_for_update() if is_locked else query).mappings().first()
    return kept_of(row, aliases_of(connection, model)) if row else None


def find_bundle(connection: Connection, model: str, bundle: str) -> ModelVersion | None:
    query = select(versions).where(versions.c.model == model, versions.c.bundle == bundle)
    row = connection.execute(query).mappings().first()
    return kept_of(row, aliases_of(connection, model)).version if row else None


def versions_of(connection: Connection, model: str) -> list[ModelVersion]:
    """Newest first."""
    query = select(versions).where(versions.c.model == model).order_by(versions.c.version.desc())
    pointing = aliases_of(connection, model)
    return [kept_of(row, pointing).version for row in connection.execute(query).mappings()]


def versions_in(connection: Connection, project: str) -> list[ModelVersion]:
    """Every version of a project's models, the newest first."""
    query = select(versions).where(versions.c.project == project)
    rows = connection.execute(query.order_by(versions.c.created_at.desc(), versions.c.version.desc())).mappings().all()
    pointing = {name: aliases_of(connection, name) for name in {row["model"] for row in rows}}
    return [kept_of(row, pointing[row["model"]]).version for row in rows]


def kept_of(row: RowMapping, pointing: list[Alias]) -> Kept:
    manifest: Manifest = row["manifest"]
    version = ModelVersion(
        model=row["model"],
        version=row["version"],
        project=row["project"],
        bundle=row["bundle"],
        flavour=manifest.flavour,
        signature=manifest.signature,
        threshold=manifest.threshold,
        run=manifest.run,
        datasets=row["datasets"],
        environment=manifest.environment,
        risk=row["risk"],
        evaluation=row["evaluation"],
        stage=row["stage"],
        aliases=[alias.alias for alias in pointing if alias.version == row["version"]],
        size_bytes=row["size_bytes"],
        note=row["note"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )
    return Kept(version, manifest)


# --- stages ---


def move(connection: Connection, version: ModelVersion, stage: ModelStage) -> bool:
    """Moves a version that still stands where it was read; false where somebody was faster."""
    query = update(versions).where(
        versions.c.model == version.model, versions.c.version == version.version, versions.c.stage == version.stage
    )
    return connection.execute(query.values(stage=stage)).rowcount == 1


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


# --- aliases ---


def aliases_of(connection: Connection, model: str) -> list[Alias]:
    query = select(aliases).where(aliases.c.model == model).order_by(aliases.c.alias)
    return [Alias(**row) for row in connection.execute(query).mappings()]


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
