"""What the outside sees of control packs and of how far records cover them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.dossiers.documents.contract import AskFormat
from taxiway.kernel.endpoint import Endpoint, Nothing, Page, Raw
from taxiway.kernel.errors import TaxiwayError

Decision = Literal["applies", "outside"]
ClauseState = Literal["evidence", "entered", "partly", "gap", "outside"]
STATES: tuple[ClauseState, ...] = ("evidence", "entered", "partly", "gap", "outside")


class Clause(Struct, frozen=True, forbid_unknown_fields=True):
    """What a framework asks for, in our own words, and the sources that would be evidence for it.

    decision: whether records of a version can show it at all; reason: why not, or why this evidence.
    """

    id: str
    title: str
    asks: str
    evidence: list[str] = []
    decision: Decision = "applies"
    reason: str = ""


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: str
    clauses: list[Clause]


class Effective(Struct, frozen=True, forbid_unknown_fields=True):
    """From which day on something of it holds."""

    date: str
    what: str


class Pack(Struct, frozen=True, forbid_unknown_fields=True):
    """A framework as data. formerly: the name that people may still know it by."""

    pack: str
    version: int
    title: str
    about: str
    groups: list[Group]
    effective: list[Effective] = []
    formerly: str = ""


class PackListed(Struct, frozen=True):
    """A pack that can be asked for. origin: shipped with the platform, or put into its home's folder ``packs``.

    problem: why it cannot be used.
    """

    name: str
    version: int
    title: str
    digest: str
    clauses: int
    origin: Literal["shipped", "home"]
    problem: str = ""


class ShownSource(Struct, frozen=True):
    """What one source of evidence says: whether anything, in a line, and where it comes from."""

    source: str
    is_there: bool
    is_entered: bool
    line: str
    refs: list[str]


class Covered(Struct, frozen=True):
    """A clause and the evidence for it. state: `evidence` where all of its sources say something and records are among
    them, `entered` where people alone said it, `partly` where some are silent, `gap` where all are."""

    id: str
    group: str
    title: str
    asks: str
    state: ClauseState
    shown: list[ShownSource]
    reason: str = ""


class Coverage(Struct, frozen=True, kw_only=True):
    """How far a version's records are evidence for the clauses of a pack. counts: clauses by state."""

    pack: str
    pack_version: int
    digest: str
    title: str
    about: str
    formerly: str
    effective: list[Effective]
    thing: str
    project: str
    as_of: datetime
    clauses: list[Covered]
    counts: dict[ClauseState, int]


class ProjectCoverage(Struct, frozen=True):
    """A pack over a project's models: each version in use, and where none is, the newest."""

    project: str
    pack: str
    title: str
    versions: list[Coverage]


class NoSuchPack(TaxiwayError):
    """A name that no pack has."""

    status = 404
    name: str
    packs: list[str]

    def __str__(self) -> str:
        return f"There is no control pack {self.name!r}. There are: {', '.join(self.packs)}."


list_packs = Endpoint(
    "GET", "/api/dossiers/packs", Nothing, Page[PackListed], "models.read", "The control packs there are", "platform"
)
show_coverage = Endpoint(
    "GET",
    "/api/dossiers/models/{model}/versions/{version}/coverage/{pack}",
    Nothing,
    Coverage,
    "models.read",
    "Which records of a version are evidence for the clauses of a control pack",
)
take_coverage = Endpoint(
    "GET",
    "/api/dossiers/models/{model}/versions/{version}/coverage/{pack}/file",
    AskFormat,
    Raw,
    "models.read",
    "The same as a file: html, pdf or json",
)
show_project_coverage = Endpoint(
    "GET",
    "/api/dossiers/projects/{project}/coverage/{pack}",
    Nothing,
    ProjectCoverage,
    "models.read",
    "A control pack over the versions in use of a project",
)
