"""The API of datasets."""

from __future__ import annotations

from taxiway.datasets import contract
from taxiway.datasets.service import Datasets
from taxiway.kernel.caller import Caller
from taxiway.web.downloads import Download
from taxiway.web.serve import Server

PARQUET = "application/vnd.apache.parquet"
MEDIA_TYPES = {"parquet": PARQUET, "csv": "text/csv"}


def bind(server: Server, datasets: Datasets) -> None:
    def get_file(caller: Caller, *, project: str, name: str, version: int) -> Download:
        found = datasets.find(project, name, version)
        file_name = f"{name}-{found.version}.{found.format}"
        return Download(datasets.given_file(found), file_name, MEDIA_TYPES[found.format], found.digest)

    def get_table(caller: Caller, *, project: str, name: str, version: int) -> Download:
        found = datasets.find(project, name, version)
        return Download(datasets.table_file(found), f"{name}-{found.version}.parquet", PARQUET, found.table)

    server.serve(contract.list_datasets, datasets.list)
    server.serve(contract.compare_versions, datasets.compare)
    server.serve(contract.list_versions, datasets.versions)
    server.serve(contract.register_version, datasets.register)
    server.serve(contract.show_version, datasets.show)
    server.serve(contract.show_profile, datasets.profile)
    server.serve(contract.get_file, get_file)
    server.serve(contract.get_table, get_table)
    server.serve(contract.check_table, datasets.check)
