"""What the outside sees of documents: a version's records, put in the order in which somebody asks for them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Raw
from taxiway.kernel.errors import TaxiwayError
from taxiway.storage import contract as storage_contract

# Documents and packs come as YAML; its refusal must be known wherever this module is.
YamlBroken = storage_contract.YamlBroken

FieldState = Literal["recorded", "entered", "missing"]
Format = Literal["html", "pdf", "json"]
FORMATS: tuple[Format, ...] = ("html", "pdf", "json")
DOCUMENTS = ("annex-iv", "card")
MEDIA_TYPES: dict[Format, str] = {"html": "text/html", "pdf": "application/pdf", "json": "application/json"}


class Grid(Struct, frozen=True):
    """A small table."""

    head: list[str]
    rows: list[list[str]]


class Interval(Struct, frozen=True):
    """A measured number in a drawing: with its interval, and against what was asked."""

    name: str
    verdict: str
    value: float | None
    low: float | None
    high: float | None
    asked: float | None = None
    direction: str = ""


class Said(Struct, frozen=True):
    """What records say to one question. refs: where it comes from. is_entered: a person wrote it."""

    text: list[str] = []
    grid: Grid | None = None
    intervals: list[Interval] = []
    refs: list[str] = []
    is_entered: bool = False


class Field(Struct, frozen=True):
    """One question of a document and what there is to it.

    by: who can know it: the records of the platform, or people alone. lacks: what would fill it, where it is missing.
    """

    id: str
    title: str
    asks: str
    by: Literal["records", "people"]
    state: FieldState
    said: list[Said]
    lacks: str = ""


class Section(Struct, frozen=True):
    id: str
    title: str
    fields: list[Field]


class Document(Struct, frozen=True, kw_only=True):
    """A document about a version. as_of: when the newest record in it was made; mapping: the digest of what says
    which record answers what, and version its number. recordable: how many fields the platform could know."""

    name: str
    title: str
    about: str
    mapping: str
    version: int
    thing: str
    project: str
    bundle: str
    as_of: datetime
    sections: list[Section]
    recorded: int
    entered: int
    missing: int
    recordable: int

    @property
    def share(self) -> float:
        """Of the fields that records can answer, those that they do."""
        found = sum(f.by == "records" and f.state == "recorded" for s in self.sections for f in s.fields)
        return found / self.recordable if self.recordable else 1.0


class NoPdf(TaxiwayError):
    """What writes PDF is not installed on the server."""

    status = 501

    def __str__(self) -> str:
        return "PDF needs `pip install 'taxiway[pdf]'` on the server. Take it as html, which browsers print."


class AskFormat(Struct, frozen=True, forbid_unknown_fields=True):
    format: Format = "html"


show_document = Endpoint(
    "GET",
    "/api/dossiers/models/{model}/versions/{version}/documents/{document}",
    Nothing,
    Document,
    "models.read",
    "A document about a version: annex-iv or card, each field recorded, entered or missing",
)
take_document = Endpoint(
    "GET",
    "/api/dossiers/models/{model}/versions/{version}/documents/{document}/file",
    AskFormat,
    Raw,
    "models.read",
    "A document about a version as a file: html, pdf or json",
)
