"""The API of dossiers."""

from __future__ import annotations

from taxiway.dossiers import contract
from taxiway.dossiers.contract import AskDossier
from taxiway.dossiers.judging.contract import judge_bundle
from taxiway.dossiers.judging.service import Judging
from taxiway.dossiers.service import Dossiers
from taxiway.kernel.caller import Caller
from taxiway.web.downloads import Download
from taxiway.web.serve import Server

ZIP = "application/zip"


def bind(server: Server, dossiers: Dossiers, judging: Judging) -> None:
    def take(caller: Caller, body: AskDossier, *, model: str, version: str) -> Download:
        file = dossiers.file(caller, body, model=model, version=version)
        return Download(file, f"{model}-{version}.dossier.zip", ZIP)

    server.serve(contract.show_dossier, dossiers.show)
    server.serve(contract.take_dossier, take)
    server.serve(judge_bundle, judging.judge)
