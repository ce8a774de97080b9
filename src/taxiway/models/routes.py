"""The API of models."""

from __future__ import annotations

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.models import contract
from taxiway.models.bundles.bundle import MANIFEST
from taxiway.models.logged import contract as logged_contract
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
    server.doorkeeper.project_of["logged"] = models.logged.project_of
    server.serve(contract.register_version, models.register)
    server.serve(contract.log_model, models.log)
    server.serve(contract.create_model, models.catalogue.create)
    server.serve(contract.register_source, models.sourced.register)
    server.serve(contract.seal_version, models.sourced.seal)
    server.serve(contract.judge_by, models.sourced.judge_by)
    server.serve(logged_contract.list_logged, models.logged.list)
    server.serve(logged_contract.show_logged, models.logged.show)
    server.serve(contract.change_model, models.catalogue.change)
    server.serve(contract.delete_model, models.catalogue.delete)
    server.serve(contract.change_version, models.catalogue.change_version)
    server.serve(contract.delete_version, models.catalogue.delete_version)
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
