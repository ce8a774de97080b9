"""Artifacts as MLflow's client sends, lists, fetches and drops them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath

from msgspec import Struct
from starlette.responses import Response

from taxiway.compat.mlflow.call import Call, Given, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.files import Files, Kept
from taxiway.compat.mlflow.places import FileInfo, Place, listing, place_of, read_path
from taxiway.compat.mlflow.refusals import CallRefused, ParameterMissing, refused
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.web.bodies import Upload
from taxiway.web.downloads import Download

MOST_PAGE_BYTES = 10 << 20  # of a file that MLflow's page sends
ROOT = "mlflow-artifacts:"


class AtPlace(Struct, frozen=True):
    path: Given


class InFolder(Struct, frozen=True):
    path: str = ""


class OfRun(Struct, frozen=True):
    run_id: str = ""
    run_uuid: str = ""
    path: str = ""
    page_token: str = ""


class Listing(Struct, frozen=True, omit_defaults=True):
    root_uri: str = ""
    files: list[FileInfo] = []


class Presign(Struct, frozen=True):
    """Whatever is asked for: bytes come and go through the server alone."""

    path: str = ""


PROXY = "/mlflow-artifacts/artifacts"
put_file = Call("PUT", f"{PROXY}/{{path:path}}", AtPlace, Response, "runs.write", "place", body="raw")
get_file = Call("GET", f"{PROXY}/{{path:path}}", AtPlace, Download, "runs.read", "place")
drop_file = Call("DELETE", f"{PROXY}/{{path:path}}", AtPlace, Void, "runs.write", "place", body="none")
list_proxy = Call("GET", PROXY, InFolder, Listing, "runs.read", "folder")
list_files = Call("GET", "/mlflow/artifacts/list", OfRun, Listing, "runs.read", "run")
fetch = Call("GET", "/get-artifact", OfRun, Download, "runs.read", "run", versions=())
upload = Call("POST", "/ajax-api/2.0/mlflow/upload-artifact", OfRun, Void, "runs.write", "run", versions=(), body="raw")
presigned = [
    Call("GET", "/mlflow-artifacts/presigned/{path:path}", Presign, Void, "runs.read", "platform"),
    Call("POST", "/mlflow/artifacts/presigned-upload-url", Presign, Void, "runs.write", "platform"),
    Call("POST", "/mlflow/artifacts/presigned-download-url", Presign, Void, "runs.read", "platform"),
]


class Artifacts:
    """Answers the calls about files of runs, logged models and traces."""

    def __init__(self, files: Files) -> None:
        self.files = files

    def bind(self, dialect: Dialect) -> None:
        def place_owner(caller: Caller, ask: AtPlace) -> list[str]:
            return [self.files.owner(place_of(ask.path))]

        def folder_owner(caller: Caller, ask: InFolder) -> list[str]:
            return [self.files.owner(place_of(ask.path))] if ask.path else []

        dialect.know("place", place_owner)
        dialect.know("folder", folder_owner)
        dialect.serve(put_file, self.put)
        dialect.serve(get_file, self.get)
        dialect.serve(drop_file, self.drop)
        dialect.serve(list_proxy, self.list_proxy)
        dialect.serve(list_files, self.list_run)
        dialect.serve(fetch, self.fetch_run)
        dialect.serve(upload, self.upload)
        for call in presigned:
            dialect.serve(call, refuse_signing)

    def put(self, caller: Caller, ask: AtPlace, upload: Upload) -> Response:
        """An empty answer, as the proxy's is. A path that ends as a folder's names no file."""
        if ask.path.endswith("/"):
            raise refused("Invalid path: it must include a filename, and cannot end with '/'.")
        self.files.put(caller, place_of(ask.path), upload)
        return Response(b"")

    def get(self, caller: Caller, ask: AtPlace) -> Download:
        place = place_of(ask.path)
        try:
            return self.files.fetch(place)
        except NotFound as e:
            if e.kind == "artifact" and listing(sizes(self.files, place), place.path):
                raise refused(f"Artifact path refers to a directory, not a file: {ask.path[:200]!r}.") from e
            raise

    def drop(self, caller: Caller, ask: AtPlace) -> Void:
        """Where there is nothing to drop, nothing happens: not the file, nor what it would belong to."""
        with suppress(NotFound):
            self.files.drop(caller, place_of(ask.path))
        return Void()

    def list_proxy(self, caller: Caller, ask: InFolder) -> Listing:
        """Names relative to the folder, as the proxy gives them. The root of all, like what is not there, is empty."""
        if not ask.path:
            return Listing()
        place = place_of(ask.path)
        try:
            found = listing(sizes(self.files, place), place.path)
        except NotFound:
            return Listing()
        return Listing(files=[FileInfo(PurePosixPath(f.path).name, f.is_dir, f.file_size) for f in found])

    def list_run(self, caller: Caller, ask: OfRun) -> Listing:
        place = self.place_of_run(ask)
        root = f"{ROOT}/{place.experiment}/{place.thing}/artifacts"
        return Listing(root, listing(sizes(self.files, place), place.path))

    def fetch_run(self, caller: Caller, ask: OfRun) -> Download:
        if not ask.path:
            raise ParameterMissing(parameter="path")
        return self.files.fetch(self.place_of_run(ask))

    def upload(self, caller: Caller, ask: OfRun, upload: Upload) -> Void:
        is_empty = upload.headers.get("content-length", "0") == "0" and "transfer-encoding" not in upload.headers
        for what, is_missing in (("run_uuid", not id_given(ask)), ("path", not ask.path), ("data", is_empty)):
            if is_missing:
                raise refused(f"Request must specify {what}.")
        upload.limit = MOST_PAGE_BYTES
        self.files.put(caller, self.place_of_run(ask), upload)
        return Void()

    def place_of_run(self, ask: OfRun) -> Place:
        run = id_given(ask)
        if not run:
            raise ParameterMissing(parameter="run_id")
        return Place("run", run, self.files.runs.owner(run)[0], read_path(ask.path) if ask.path else "")


def id_given(ask: OfRun) -> str:
    return ask.run_id or ask.run_uuid


def sizes(files: Files, place: Place) -> list[tuple[str, int]]:
    found: list[Kept] = list(files.within(place))
    return [(one.path, one.size_bytes) for one in found]


def refuse_signing(caller: Caller, ask: Presign) -> Void:
    raise CallRefused(
        error_code="NOT_IMPLEMENTED",
        message="Signed addresses are not given: files come and go through this server, which server-info says.",
    )
