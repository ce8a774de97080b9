"""Bringing everything over: what is there already is asked first, so that going on costs as little as is missing."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from urllib.parse import unquote, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from taxiway.compat.mlflow.moving.portions import Packing, Part
from taxiway.compat.mlflow.moving.source import Found, FoundLogged, Source, stamp_of
from taxiway.compat.mlflow.moving.tracing import TakingTraces
from taxiway.compat.mlflow.moving.trees import File, Tree, TreeUnreadable
from taxiway.imports.contract import IncomingFile, IncomingFiles, IncomingModel, IncomingVersion, Skipped, Taken
from taxiway.imports.uploads import Uploads
from taxiway.kernel.errors import TaxiwayError

EXPERIMENTS_AT_ONCE = 200
FILES_AT_ONCE = 500
OWNERS_AT_ONCE = 200
MOST_SHOWN = 1_000
OF_RUN = re.compile(r"runs:/+([^/]+)/?(.*)")
OF_LOGGED = re.compile(r"models:/+(m-[^/]+)/?")

FindTree = Callable[[str], Tree]
NameFile = Callable[[Tree, File], IncomingFile]


class Progress(Struct):
    """How far it has come. of_runs: 0 while that is not known."""

    runs: int = 0
    of_runs: int = 0
    points: int = 0
    files: int = 0
    file_bytes: int = 0
    models: int = 0


class Totals(Struct):
    """What an import brought so far."""

    runs: int = 0
    points: int = 0
    rows: int = 0
    traces: int = 0
    files: int = 0
    copied_bytes: int = 0
    skipped: list[Skipped] = []
    left: list[str] = []

    def skip(self, skipped: Sequence[Skipped]) -> None:
        self.skipped += skipped[: max(0, MOST_SHOWN - len(self.skipped))]


Tell = Callable[[Progress], None]


class Importing:
    """One source on its way to one server. trees: None leaves every file where it is."""

    def __init__(self, source: Source, uploads: Uploads, name: str, tell: Tell, trees: FindTree | None) -> None:
        self.source = source
        self.uploads = uploads
        self.imports = uploads.imports
        self.name = name
        self.tell = tell
        self.trees = trees
        self.progress = Progress()
        self.totals = Totals(skipped=[], left=[])
        self.waiting: list[IncomingFiles] = []
        self.places: dict[str, str] = {}  # where the files of runs are

    def pass_over(self, since_ms: int | None = None) -> None:
        """Takes all that is new."""
        experiments = self.source.experiments()
        for start in range(0, len(experiments), EXPERIMENTS_AT_ONCE):
            part = experiments[start : start + EXPERIMENTS_AT_ONCE]
            self.totals.skip(self.imports.take_experiments(self.name, part).skipped)
        if since_ms is None:  # these are always tried again
            self.totals.skipped = [one for one in self.totals.skipped if one.kind not in ("file", "files")]
        for found in self.source.runs(since_ms):
            self._take(found)
            self.progress.runs += len(found)
            self.tell(self.progress)
        if since_ms is None:
            self._take_models()
        TakingTraces(self).take(since_ms)

    # --- runs ---

    def _take(self, found: Sequence[Found]) -> None:
        ids = [run.id for run in found]
        known = self.imports.stamps(self.name, "run", ids)
        changed = [run for run in found if known.get(run.id) != run.stamp]
        self._take_runs(changed)
        self.places |= {run.id: run.place for run in found}
        if self.trees is None:
            return
        listed = self.imports.stamps(self.name, "files", ids)
        again = {run.id for run in changed}
        for run in found:
            if run.is_live or run.id in again or run.id not in listed:
                self.take_files(run.id, run.place, listed.get(run.id, ""))
        self.send_files()

    def _take_runs(self, runs: Sequence[Found]) -> None:
        packing = Packing()
        waiting = {run.id: run for run in runs}
        for id_, series in self.source.series(runs) if runs else ():
            for part in packing.add(waiting.pop(id_), series):
                self._send(part)
        for run in waiting.values():  # without a single point
            for part in packing.add(run, []):
                self._send(part)
        if packing.part.runs:
            self._send(packing.take())

    def _send(self, part: Part) -> None:
        taken = self.imports.take_runs(self.name, part.runs)
        self.totals.runs += taken.new
        self.totals.points += taken.points
        self.totals.rows += part.points + sum(1 + len(run.params) + len(run.tags) for run in part.runs)
        self.totals.skip(taken.skipped)
        self.progress.points += part.points
        self.tell(self.progress)

    # --- files ---

    def take_files(self, owner: str, place: str, known: str) -> None:
        """Brings the files of a run, a logged model or a trace, unless they are what they were."""
        assert self.trees is not None
        if not place:
            return
        try:
            tree = self.trees(place)
            files = list(tree.files())
            stamp = stamp_of([(file.path, file.stamp) for file in files], tree.root if self.uploads.in_place else "")
            if stamp == known:
                return
            for part, is_last in portions(files):
                self._name_files(owner, tree, part, stamp if is_last else "")
        except (TreeUnreadable, OSError) as e:
            self.totals.skip([Skipped("files", owner, str(e))])

    def _name_files(self, owner: str, tree: Tree, files: Sequence[File], stamp: str) -> None:
        named = []
        for file in files:
            try:
                named.append(self._name_file(tree, file))
            except (TaxiwayError, OSError) as e:
                self.totals.skip([Skipped("file", f"{owner}/{file.path}"[:200], str(e))])
                stamp = ""  # so that the next import tries it again
            self.tell(self.progress)
        self.waiting.append(IncomingFiles(owner, named, stamp))
        if len(self.waiting) >= OWNERS_AT_ONCE or sum(len(one.files) for one in self.waiting) >= FILES_AT_ONCE:
            self.send_files()

    def send_files(self) -> None:
        """Names the files that wait for it."""
        if not self.waiting:
            return
        taken = self.imports.take_files(self.name, self.waiting)
        self.waiting = []
        self.totals.skip(taken.skipped)
        self.totals.files += taken.new

    def _name_file(self, tree: Tree, file: File) -> IncomingFile:
        kind = mimetypes.guess_type(file.path, strict=False)[0] or "application/octet-stream"
        if self.uploads.in_place:
            return self.uploads.place(tree.root, file.path, file.size_bytes, kind)
        digest, size, sent = self.uploads.send(lambda: tree.open(file.path))
        self.totals.copied_bytes += sent
        self.progress.files += 1
        self.progress.file_bytes += size
        return IncomingFile(path=file.path, size_bytes=size, media_type=kind, digest=digest)

    # --- models ---

    def _take_models(self) -> None:
        for found in self.source.logged():
            self._take_logged(found)
        for model in self.source.models():
            placed = replace(model, versions=[self._placed(version) for version in model.versions])
            self._take_model(placed)

    def _take_logged(self, found: FoundLogged) -> None:
        known = self.imports.stamps(self.name, "logged", [found.model.id])
        try:
            if known.get(found.model.id) != found.model.stamp:
                self.totals.skip(self.imports.take_logged(self.name, found.model).skipped)
        except TaxiwayError as refusal:
            self.totals.skip([Skipped("logged model", found.model.id, str(refusal))])
            return
        if self.trees is not None:
            known = self.imports.stamps(self.name, "files", [found.model.id])
            if found.model.id not in known:
                self.take_files(found.model.id, found.place, "")
                self.send_files()

    def _take_model(self, model: IncomingModel) -> None:
        try:
            taken: Taken = self.imports.take_model(self.name, model)
        except TaxiwayError as refusal:
            self.totals.skip([Skipped("model", model.name[:200], str(refusal))])
            return
        self.totals.skip(taken.skipped)
        self.totals.left += taken.left
        self.progress.models += 1
        self.tell(self.progress)

    def _placed(self, version: IncomingVersion) -> IncomingVersion:
        """The version with where its files are among those of its run, or the logged model it was made of."""
        if logged := OF_LOGGED.fullmatch(version.source):
            return replace(version, logged=logged[1])
        if (of_run := OF_RUN.fullmatch(version.source)) and of_run[1] == version.run:
            return replace(version, folder=of_run[2].strip("/"))
        place = self.places.get(version.run, "")
        inside = path_of(version.source).removeprefix(path_of(place).rstrip("/") + "/")
        if place and inside != path_of(version.source):
            return replace(version, folder=inside.strip("/"))
        return version


def path_of(place: str) -> str:
    """What of a place stays the same however it is written: a folder with or without `file:`."""
    parts = urlsplit(place)
    return unquote(parts.path) if parts.scheme == "file" else place


def portions(files: Sequence[File]) -> Iterator[tuple[list[File], bool]]:
    """Files in parts, and whether a part is the last; a single empty part where there are none."""
    rest = iter(files)
    for start in range(0, max(1, len(files)), FILES_AT_ONCE):
        yield list(islice(rest, FILES_AT_ONCE)), start + FILES_AT_ONCE >= len(files)


def source_name(origin: str) -> str:
    """What an import of this origin is called: always the same."""
    return f"mlflow-{hashlib.sha256(origin.encode()).hexdigest()[:12]}"
