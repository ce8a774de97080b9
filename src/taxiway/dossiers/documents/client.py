"""The SDK of documents, coverage and exported cards, within that of dossiers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taxiway.dossiers.cards.contract import Export, export_card
from taxiway.dossiers.documents import contract
from taxiway.dossiers.documents.contract import AskFormat, Document, Format
from taxiway.dossiers.packs import contract as packs
from taxiway.dossiers.packs.contract import Coverage, PackListed, ProjectCoverage
from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.transport import Transport
from taxiway.models.client import split


class Written:
    """What people read of a version: documents made from its records."""

    transport: Transport

    def document(self, name: str, document: str = "annex-iv") -> Document:
        """A document about a version, each field recorded, entered or missing.

        document: ``annex-iv`` or ``card``. Raises BadField, NotFound.

        >>> client.dossiers.document("mortgage@2").missing  # doctest: +SKIP
        """
        return self.transport.call(contract.show_document, **split(name), document=document)

    def save_document(self, name: str, to: str | Path, document: str = "annex-iv", *, form: Format = "html") -> Path:
        """Writes it to a file; the same records make the same bytes. Raises BadField, FileExistsError, NoPdf, NotFound.

        >>> client.dossiers.save_document("mortgage@2", "mortgage.pdf", form="pdf")  # doctest: +SKIP
        """
        return self._save(to, contract.take_document, AskFormat(form), **split(name), document=document)

    def packs(self) -> list[PackListed]:
        """The control packs there are.

        >>> [pack.name for pack in client.dossiers.packs()]  # doctest: +SKIP
        """
        return self.transport.call(packs.list_packs).items

    def coverage(self, name: str, pack: str) -> Coverage:
        """Which records of a version are evidence for the clauses of a pack. Raises NoSuchPack, NotFound, YamlBroken.

        >>> client.dossiers.coverage("mortgage@2", "eu-ai-act").counts  # doctest: +SKIP
        """
        return self.transport.call(packs.show_coverage, **split(name), pack=pack)

    def save_coverage(self, name: str, pack: str, to: str | Path, *, form: Format = "html") -> Path:
        """Writes it to a file. Raises FileExistsError, NoPdf, NoSuchPack, NotFound, YamlBroken.

        >>> client.dossiers.save_coverage("mortgage@2", "sr-26-2", "sr.html")  # doctest: +SKIP
        """
        return self._save(to, packs.take_coverage, AskFormat(form), **split(name), pack=pack)

    def project_coverage(self, project: str, pack: str) -> ProjectCoverage:
        """The same over a project's versions in use. Raises NoSuchPack, NotFound, YamlBroken.

        >>> client.dossiers.project_coverage("mortgage-approvals", "sr-26-2").versions  # doctest: +SKIP
        """
        return self.transport.call(packs.show_project_coverage, project=project, pack=pack)

    def save_card(self, name: str, to: str | Path, *, export: Export = "huggingface") -> Path:
        """Writes the card of a version as another system takes it. Raises CardTooLong, FileExistsError, NotFound.

        export: ``huggingface`` (a README.md), ``sagemaker`` (JSON) or ``cyclonedx`` (a bill of materials, JSON).

        >>> client.dossiers.save_card("mortgage@2", "bom.cdx.json", export="cyclonedx")  # doctest: +SKIP
        """
        return self._save(to, export_card, None, **split(name), export=export)

    def _save(self, to: str | Path, endpoint: Endpoint[Any, Any], body: Any, **path: Any) -> Path:
        target = Path(to)
        if target.exists():
            raise FileExistsError(f"{target} is there already. Give a name that is not, or remove it.")
        beside = target.with_name(f".{target.name}.new")
        try:
            with beside.open("wb") as into:
                self.transport.download(endpoint, into, body, **path)
            beside.rename(target)
        finally:
            beside.unlink(missing_ok=True)
        return target
