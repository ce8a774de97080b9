"""Which record answers which question: read from YAML, strictly, so that a document is changed without a release."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.dossiers.documents.readers import known
from taxiway.kernel.canonical import canonical_json
from taxiway.models.bundles.bundle import digest_of
from taxiway.storage.contract import YamlBroken
from taxiway.storage.yaml_text import read_yaml

Sources = Annotated[list[str], Meta(min_length=1)]


class AskedField(Struct, frozen=True, forbid_unknown_fields=True):
    """A question. by: whether the platform's records can answer it, or people alone."""

    id: str
    title: str
    asks: str
    by: Literal["records", "people"]
    sources: Sources


class AskedSection(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: str
    fields: list[AskedField]


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """A document's questions and the sources of their answers."""

    document: str
    version: int
    title: str
    about: str
    sections: list[AskedSection]

    @property
    def digest(self) -> str:
        return digest_of(canonical_json(self))


def read_mapping(text: str, *, name: str) -> Mapping:
    """Raises YamlBroken, also for a source that there is no reader for."""
    found = read_yaml(text, Mapping, name=name)
    sources = [source for section in found.sections for field in section.fields for source in field.sources]
    refuse_unknown(text, sources, name=name)
    return found


def refuse_unknown(text: str, sources: list[str], *, name: str) -> None:
    """Raises YamlBroken for the first source without a reader, with its line."""
    for source in sources:
        if not known(source):
            line = next((at for at, each in enumerate(text.splitlines(), 1) if source in each), 1)
            expected = "a source of docs/dossiers.md"
            raise YamlBroken(file=name, line=line, key="sources", problem=f"{source!r} is no source", expected=expected)


@cache
def packaged(document: str) -> Mapping:
    """A mapping that ships with the platform."""
    folder = files("taxiway.dossiers.documents") / "mappings"
    return read_mapping((folder / f"{document}.yaml").read_text("utf-8"), name=f"{document}.yaml")
