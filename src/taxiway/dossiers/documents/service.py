"""Documents and coverage of a version, as structs and as files."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.dossiers.cards import cyclonedx, huggingface, sagemaker
from taxiway.dossiers.cards.contract import Export
from taxiway.dossiers.documents.building import build
from taxiway.dossiers.documents.contract import DOCUMENTS, Document, Format
from taxiway.dossiers.documents.facts import Facts
from taxiway.dossiers.documents.gathering import Gathering
from taxiway.dossiers.documents.html import coverage_html, document_html
from taxiway.dossiers.documents.mapping import packaged
from taxiway.dossiers.documents.pdf import coverage_pdf, document_pdf
from taxiway.dossiers.packs.contract import Coverage, PackListed, ProjectCoverage
from taxiway.dossiers.packs.covering import cover
from taxiway.dossiers.packs.shelf import Packs
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField
from taxiway.models.contract import ModelVersion

IN_USE = ("staging", "production")


class Documents:
    """What people read of versions. Nothing is kept: all of it follows from records."""

    def __init__(self, home: Path, gathering: Gathering) -> None:
        self.gathering = gathering
        self.packs = Packs(home)
        self.models = gathering.below.models

    def facts(self, caller: Caller, *, model: str, version: str) -> Facts:
        """Raises NotFound."""
        return self.gathering.facts(caller, self.models.find(model, version))

    def show(self, caller: Caller, *, model: str, version: str, document: str) -> Document:
        """Raises BadField for a document that there is not, NotFound."""
        if document not in DOCUMENTS:
            raise BadField(field="document", value=repr(document), expected=f"one of {', '.join(DOCUMENTS)}")
        return build(packaged(document), self.facts(caller, model=model, version=version))

    def coverage(self, caller: Caller, *, model: str, version: str, pack: str) -> Coverage:
        """Raises NoSuchPack, NotFound, YamlBroken."""
        return cover(self.packs.find(pack), self.facts(caller, model=model, version=version))

    def list_packs(self) -> Page[PackListed]:
        return Page(self.packs.list())

    def project(self, caller: Caller, *, project: str, pack: str) -> ProjectCoverage:
        """Each version in use, and of a model without one the newest. Raises NoSuchPack, NotFound, YamlBroken."""
        self.models.sources.projects.find(project)
        asked = self.packs.find(pack)
        found = [cover(asked, self.gathering.facts(caller, each)) for each in in_use(self.models.in_project(project))]
        return ProjectCoverage(project, asked.pack, asked.title, found)


def in_use(versions: list[ModelVersion]) -> list[ModelVersion]:
    by_model: dict[str, list[ModelVersion]] = {}
    for each in sorted(versions, key=lambda each: (each.model, each.version)):
        by_model.setdefault(each.model, []).append(each)
    return [each for named in by_model.values() for each in ([v for v in named if v.stage in IN_USE] or named[-1:])]


def document_file(document: Document, asked: Format) -> bytes:
    """Raises NoPdf."""
    if asked == "json":
        return as_json(document)
    return document_html(document) if asked == "html" else document_pdf(document)


def coverage_file(coverage: Coverage, asked: Format) -> bytes:
    """Raises NoPdf."""
    if asked == "json":
        return as_json(coverage)
    return coverage_html(coverage) if asked == "html" else coverage_pdf(coverage)


def card_file(facts: Facts, kind: Export) -> bytes:
    """Raises CardTooLong."""
    if kind == "huggingface":
        return huggingface.readme(facts)
    return sagemaker.card(facts) if kind == "sagemaker" else cyclonedx.bom(facts)


def as_json(value: Struct) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n"
