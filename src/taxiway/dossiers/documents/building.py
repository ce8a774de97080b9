"""Builds a document: what a mapping asks, answered by what is known. Pure."""

from __future__ import annotations

from taxiway.dossiers.documents.contract import Document, Field, FieldState, Said, Section
from taxiway.dossiers.documents.facts import Facts
from taxiway.dossiers.documents.mapping import AskedField, Mapping
from taxiway.dossiers.documents.readers import hint, read


def build(mapping: Mapping, facts: Facts) -> Document:
    """The document of a version, every field of the mapping in it, with or without an answer."""
    sections = [
        Section(asked.id, asked.title, [answer(field, facts) for field in asked.fields]) for asked in mapping.sections
    ]
    fields = [field for section in sections for field in section.fields]
    states = [field.state for field in fields]
    return Document(
        name=mapping.document,
        title=mapping.title,
        about=mapping.about,
        mapping=mapping.digest,
        version=mapping.version,
        thing=facts.version.ref,
        project=facts.version.project,
        bundle=facts.version.bundle,
        as_of=facts.as_of,
        sections=sections,
        recorded=states.count("recorded"),
        entered=states.count("entered"),
        missing=states.count("missing"),
        recordable=sum(field.by == "records" for field in fields),
    )


def answer(asked: AskedField, facts: Facts) -> Field:
    """What all sources of a field say, and what would fill it where none says anything."""
    said = [found for source in asked.sources if (found := read(source, facts))]
    lacks = "" if said else " or ".join(dict.fromkeys(words for source in asked.sources if (words := hint(source))))
    return Field(asked.id, asked.title, asked.asks, asked.by, state_of(said), said, lacks)


def state_of(said: list[Said]) -> FieldState:
    """Recorded where any record says something; entered where only people did."""
    if not said:
        return "missing"
    return "entered" if all(each.is_entered for each in said) else "recorded"
