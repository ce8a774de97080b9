"""Who made what a version came from: data, runs and models upstream, as far as lineage goes."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.lineage.service import upstream_of
from taxiway.models.contract import ModelVersion
from taxiway.models.service import Models


def makers_upstream(
    models: Models, access: Access, connection: Connection, version: ModelVersion
) -> list[tuple[str, str]]:
    """Who made each thing upstream of a version, and who answers for the program that did, each with what it was."""
    answering = access.accounts.answering(connection)
    found = []
    own = {f"run:{version.run}"}  # whose part in it is told as the version's
    for ref in sorted(upstream_of(connection, version.ref) - own):
        with suppress(NotFound):  # of what is gone nobody knows the maker any more
            name, what = maker_of(models, ref)
            found.append((name, f"{what} {ref}"))
            if name in answering:
                found.append((answering[name], f"answers for {name}, which {what} {ref}"))
    return [each for each in found if each[0]]


def project_of_thing(models: Models, ref: str) -> str | None:
    """The project that a thing is in; none for what no room below knows. Raises NotFound for what does not exist."""
    thing = parse(ref)
    match thing.kind:
        case "model":
            return models.project_of_thing(thing)
        case "run":
            return models.sources.runs.project_of(thing.name)
        case "dataset":
            return models.sources.versions_of([ref])[0].project
        case "project":
            return models.sources.projects.find(thing.name).name
    return None


def makers_of_things(models: Models, things: Iterable[str]) -> dict[str, str]:
    """Who made each of these things, with how: of a version its run as well, of a model each of its versions."""
    found: dict[str, str] = {}
    for ref in things:
        with suppress(NotFound):  # of what is gone nobody knows the maker any more
            for each in made_things(models, ref):
                name, what = maker_of(models, each)
                found.setdefault(name, f"{what} {each}")
    found.pop("", None)
    return found


def made_things(models: Models, ref: str) -> list[str]:
    """What was made when a thing was: of a version its run as well, of a model each of its versions."""
    thing = parse(ref)
    if thing.kind != "model":
        return [ref]
    here = models.versions(SYSTEM, model=thing.name).items
    versions = [each for each in here if thing.version in (None, each.version)]
    return [*(each.ref for each in versions), *(f"run:{each.run}" for each in versions if each.run)]


def maker_of(models: Models, ref: str) -> tuple[str, str]:
    """Who made a thing, and by doing what; nobody for what has no maker of its own. Raises NotFound."""
    thing = parse(ref)
    if thing.kind == "dataset":
        return models.sources.versions_of([ref])[0].created_by, "registered"
    if thing.kind == "run":
        return models.sources.runs.find(thing.name).created_by, "started"
    if thing.kind == "model":
        return models.recall(thing.name, thing.version or 0).created_by, "registered"
    return "", ""
