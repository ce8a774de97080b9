"""What a version's page offers to those who cannot look in here: its dossier, and its signed statements."""

from __future__ import annotations

from taxiway.dossiers.contract import take_dossier
from taxiway.dossiers.service import Dossiers
from taxiway.kernel.thing import parse
from taxiway.web.site import Site, View


class DossierPanel:
    def __init__(self, site: Site, dossiers: Dossiers) -> None:
        self.site = site
        self.dossiers = dossiers

    def of_version(self, view: View, thing: str) -> str | None:
        _, model, version = parse(thing)
        said = self.dossiers.below.statements.about(thing)
        url = take_dossier.url({"model": model, "version": version})
        return self.site.fragment(
            "dossiers/panel.html", thing=thing, name=f"{model}@{version}", url=url, said=len(said)
        )


def add(site: Site, dossiers: Dossiers) -> None:
    site.panel("models/version/side", DossierPanel(site, dossiers).of_version)
