"""The preview of what a dossier says to people, and a project's coverage."""

from __future__ import annotations

from taxiway.dossiers.cards.contract import EXPORTS, FILES, export_card
from taxiway.dossiers.documents.contract import DOCUMENTS, FORMATS, take_document
from taxiway.dossiers.documents.html import FILTERS, drawn
from taxiway.dossiers.documents.pdf import has_pdf
from taxiway.dossiers.documents.service import Documents
from taxiway.dossiers.documents.words import sums, tally
from taxiway.dossiers.packs.contract import STATES, take_coverage
from taxiway.kernel.errors import BadField
from taxiway.web.site import Html, Site, View

TITLES = {"annex-iv": "Annex IV", "card": "Model card"}
EXPORT_TITLES = {"huggingface": "Hugging Face", "sagemaker": "SageMaker", "cyclonedx": "CycloneDX"}
PROJECT_PACK = "eu-ai-act"


class DocumentPages:
    def __init__(self, documents: Documents) -> None:
        self.documents = documents

    def version(self, view: View) -> Html:
        """One document or pack of a version, by ``show``: `annex-iv`, `card`, or a pack's name."""
        where = {"model": view.path["model"], "version": view.path["version"]}
        found = self.documents.models.find(**where)
        number = {"model": found.model, "version": str(found.version)}
        shown = view.one("show", "annex-iv")
        packs = self.documents.packs.list()
        here = f"/dossiers/models/{found.model}/versions/{found.version}"
        tabs = [(TITLES[name], f"{here}?show={name}", name == shown) for name in DOCUMENTS]
        tabs += [(pack.title.partition(",")[0], f"{here}?show={pack.name}", pack.name == shown) for pack in packs]
        values = {
            "title": f"{found.model} version {found.version}, in documents",
            "version": found,
            "tabs": tabs,
            "forms": [form for form in FORMATS if form != "pdf" or has_pdf()],
            "exports": [
                (EXPORT_TITLES[kind], export_card.url({**number, "export": kind}), FILES[kind][0]) for kind in EXPORTS
            ],
            "document": None,
            "coverage": None,
        }
        if shown in DOCUMENTS:
            document = self.documents.show(view.caller, **number, document=shown)
            values |= {"document": document, "answer": sums(document)}
            values["file"] = take_document.url({**number, "document": shown})
            values["command"] = (
                f"taxiway models document {found.model}@{found.version} --as {shown} --format pdf --out FILE"
            )
        else:
            if shown not in (known := [pack.name for pack in packs]):
                raise BadField(field="show", value=repr(shown), expected=f"one of {', '.join([*DOCUMENTS, *known])}")
            coverage = self.documents.coverage(view.caller, **number, pack=shown)
            values |= {"coverage": coverage, "answer": f"Evidence for {coverage.title}: {tally(coverage)}"}
            values["file"] = take_coverage.url({**number, "pack": shown})
            values["command"] = f"taxiway gates coverage {found.model}@{found.version} --pack {shown}"
        return Html("dossiers/preview.html", "models", values)

    def project(self, view: View) -> Html:
        """A pack over a project's versions in use."""
        project, shown = view.path["project"], view.one("pack", PROJECT_PACK)
        packs = self.documents.packs.list()
        found = self.documents.project(view.caller, project=project, pack=shown)
        here = f"/dossiers/projects/{project}/coverage"
        rows = list(zip(*(coverage.clauses for coverage in found.versions), strict=True))
        values = {
            "title": f"{project}: coverage",
            "project": project,
            "found": found,
            "rows": rows,
            "states": STATES,
            "tabs": [(pack.title.partition(",")[0], f"{here}?pack={pack.name}", pack.name == shown) for pack in packs],
            "answer": "; ".join(f"{each.thing.partition(':')[2]}: {tally(each)}" for each in found.versions)
            or "No model is registered here yet",
        }
        return Html("dossiers/coverage.html", "projects", values)


def add(site: Site, documents: Documents) -> None:
    pages = DocumentPages(documents)
    site.environment.filters.update(FILTERS)
    site.environment.globals["drawn"] = drawn
    site.page("/dossiers/models/{model}/versions/{version}", pages.version, needs="models.read")
    site.page("/dossiers/projects/{project}/coverage", pages.project, needs="models.read")
