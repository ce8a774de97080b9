"""The files of runs, logged models, traces and versions behind one door: MLflow's client names all by a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from taxiway.compat.mlflow.places import Place, media_type_of
from taxiway.compat.mlflow.refusals import CallRefused
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.models.logged.service import LoggedModels
from taxiway.models.service import Models
from taxiway.runs.foreign.foreign_files import ForeignFiles
from taxiway.storage.blobs import Blobs
from taxiway.traces.service import Traces
from taxiway.web.bodies import Upload
from taxiway.web.downloads import Download, store


class Kept(Protocol):
    """A file that something keeps, whatever that is."""

    @property
    def path(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def media_type(self) -> str: ...


class Files(NamedTuple):
    """Keeping, reading and dropping files by their place."""

    blobs: Blobs
    runs: ForeignFiles
    logged: LoggedModels
    traces: Traces
    models: Models

    def owner(self, place: Place) -> str:
        """The project of what a place belongs to. Raises NotFound, also where it is not in that experiment."""
        match place.kind:
            case "run":
                experiment, project = self.runs.owner(place.thing)
            case "trace":
                experiment, project = self.traces.owner(place.thing)
            case "version":
                return self.models.find(place.thing, place.experiment).project
            case _:
                model = self.logged.find(place.thing)
                experiment, project = model.experiment, model.project
        if experiment != place.experiment:
            hint = f"It is not in the experiment {place.experiment}."
            raise NotFound(kind=place.kind.replace("_", " "), name=place.thing, hint=hint)
        return project

    def put(self, caller: Caller, place: Place, upload: Upload) -> None:
        """Stores what comes and names it. Raises what the three services raise, DiskFull, TooLarge."""
        if not place.path:
            raise nameless()
        if upload.headers.get("content-encoding", "identity").lower() != "identity":
            raise packed()
        self.owner(place)
        self.name(caller, place, store(self.blobs, upload))

    def name(self, caller: Caller, place: Place, digest: str) -> None:
        """Names bytes that the caller just sent."""
        self.models.access.digests.sent(caller, digest)
        kind = media_type_of(place.path)
        match place.kind:
            case "run":
                self.runs.put(caller, run=place.thing, path=place.path, digest=digest, media_type=kind)
            case "version":
                raise sealed()
            case "trace":
                self.traces.put_file(caller, place.thing, place.path, digest, kind)
            case _:
                self.logged.put_file(logged=place.thing, path=place.path, digest=digest, media_type=kind)

    def within(self, place: Place) -> Sequence[Kept]:
        """Every file of a place, and maybe those beside it. Raises NotFound."""
        self.owner(place)
        match place.kind:
            case "run":
                return self.runs.within(place.thing, place.path)
            case "trace":
                return self.traces.files(place.thing)
            case "version":
                return self._bundle(place)
            case _:
                return self.logged.files(place.thing)

    def fetch(self, place: Place) -> Download:
        """Raises NotFound."""
        self.owner(place)
        found: Kept | None
        if place.kind == "run":
            found = self.runs.find(place.thing, place.path)
        else:
            found = next((file for file in self.within(place) if file.path == place.path), None)
        if found is None:
            raise NotFound(kind="artifact", name=place.path[:200], hint="List its folder to see what there is.")
        name = found.path.rpartition("/")[2]
        return Download(self.blobs.file(found.digest), name, found.media_type, found.digest)

    def _bundle(self, place: Place) -> list[BundledFile]:
        """The files of a version as it was registered. Raises NoBundle, NotFound."""
        manifest = self.models.files_of(place.thing, place.experiment)
        return [BundledFile(f.path, f.digest, f.size_bytes, media_type_of(f.path)) for f in manifest.files]

    def drop(self, caller: Caller, place: Place) -> None:
        """Drops a file, a folder or all; where there is nothing, nothing happens. Raises NotFound for its owner."""
        self.owner(place)
        match place.kind:
            case "run":
                self.runs.drop(caller, run=place.thing, path=place.path)
            case "version":
                raise sealed()
            case "trace":
                self.traces.drop_files(place.thing, chosen(self.within(place), place.path))
            case _:
                for path in chosen(self.within(place), place.path):
                    self.logged.drop_file(logged=place.thing, path=path)


class BundledFile(NamedTuple):
    """A file of a registered version."""

    path: str
    digest: str
    size_bytes: int
    media_type: str


def chosen(files: Sequence[Kept], path: str) -> list[str]:
    """The paths of a file or of all in a folder."""
    return [one.path for one in files if not path or one.path == path or one.path.startswith(f"{path}/")]


def nameless() -> CallRefused:
    return CallRefused(error_code="INVALID_PARAMETER_VALUE", message="Invalid path: it names no file. Add its name.")


def sealed() -> CallRefused:
    message = "The files of a registered version do not change. Log the model again and register that."
    return CallRefused(error_code="PERMISSION_DENIED", message=message)


def packed() -> CallRefused:
    message = "Content-Encoding: files are kept as they are sent. Send this one without an encoding."
    return CallRefused(error_code="INVALID_PARAMETER_VALUE", message=message)
