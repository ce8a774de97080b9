"""The API of documents, coverage and exported cards."""

from __future__ import annotations

import hashlib
from pathlib import Path

from taxiway.dossiers.cards.contract import EXPORTS, FILES, export_card
from taxiway.dossiers.documents.contract import (
    MEDIA_TYPES,
    AskFormat,
    show_document,
    take_document,
)
from taxiway.dossiers.documents.service import Documents, card_file, coverage_file, document_file
from taxiway.dossiers.packs.contract import list_packs, show_coverage, show_project_coverage, take_coverage
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import new_id
from taxiway.web.downloads import Download
from taxiway.web.serve import Server


class Files:
    """Sends what was just made, from the folder in which dossiers wait."""

    def __init__(self, documents: Documents, folder: Path) -> None:
        self.documents = documents
        self.folder = folder

    def document(self, caller: Caller, body: AskFormat, *, model: str, version: str, document: str) -> Download:
        """Raises BadField, NoPdf, NotFound."""
        found = self.documents.show(caller, model=model, version=version, document=document)
        name = f"{found.thing.partition(':')[2].replace('@', '-')}.{document}.{body.format}"
        return self.put(document_file(found, body.format), name, MEDIA_TYPES[body.format])

    def coverage(self, caller: Caller, body: AskFormat, *, model: str, version: str, pack: str) -> Download:
        """Raises NoPdf, NoSuchPack, NotFound."""
        found = self.documents.coverage(caller, model=model, version=version, pack=pack)
        name = f"{found.thing.partition(':')[2].replace('@', '-')}.{found.pack}.{body.format}"
        return self.put(coverage_file(found, body.format), name, MEDIA_TYPES[body.format])

    def card(self, caller: Caller, *, model: str, version: str, export: str) -> Download:
        """Raises BadField, CardTooLong, NotFound."""
        kind = next((each for each in EXPORTS if each == export), None)
        if kind is None:
            raise BadField(field="export", value=repr(export), expected=f"one of {', '.join(EXPORTS)}")
        data = card_file(self.documents.facts(caller, model=model, version=version), kind)
        return self.put(data, *FILES[kind])

    def put(self, data: bytes, name: str, media_type: str) -> Download:
        digest = hashlib.sha256(data).hexdigest()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = self.folder / f"{digest}.part"
        if not file.exists():
            beside = self.folder / f"{new_id()}.new"
            beside.write_bytes(data)
            beside.rename(file)
        return Download(file, name, media_type)


def bind(server: Server, documents: Documents, folder: Path) -> None:
    made = Files(documents, folder)
    server.serve(show_document, documents.show)
    server.serve(take_document, made.document)
    server.serve(list_packs, lambda caller: documents.list_packs())
    server.serve(show_coverage, documents.coverage)
    server.serve(take_coverage, made.coverage)
    server.serve(show_project_coverage, documents.project)
    server.serve(export_card, made.card)
