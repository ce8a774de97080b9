"""The API of models."""

from __future__ import annotations

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.models import contract
from taxiway.models.bundle import MANIFEST
from taxiway.models.service import Models
from taxiway.web.downloads import Download
from taxiway.web.serve import Server


def bind(server: Server, models: Models) -> None:
    def download_file(caller: Caller, *, model: str, version: str, file: str) -> Download:
        found = models.find(model, version)
        files = models.manifest(caller, model=model, version=version).files
        listed = {MANIFEST: found.bundle} | {each.path: each.digest for each in files}
        if file not in listed:
            raise NotFound(kind="file", name=file, hint=f"The bundle holds {', '.join(sorted(listed))}.")
        place = models.shelf.place(found.bundle) / file
        return Download(place, file.rpartition("/")[2], digest=listed[file])

    server.doorkeeper.project_of["model"] = models.project_of
    server.serve(contract.register_version, models.register)
    server.serve(contract.list_models, models.list)
    server.serve(contract.show_model, models.show)
    server.serve(contract.list_versions, models.versions)
    server.serve(contract.find_version, models.find_version)
    server.serve(contract.list_stages, models.stages)
    server.serve(contract.promote, models.promote)
    server.serve(contract.point_alias, models.movements.point_alias)
    server.serve(contract.drop_alias, models.movements.drop_alias)
    server.serve(contract.show_card, models.cards.show)
    server.serve(contract.enter_card, models.cards.enter)
    server.serve(contract.verify_version, models.verify)
    server.serve(contract.show_manifest, models.manifest)
    server.serve(contract.download_file, download_file)
