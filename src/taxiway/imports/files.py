"""Taking the files of runs, logged models and traces: bytes that were stored before, or places that stay."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

from taxiway.audit.service import Ledger, Record
from taxiway.imports import store
from taxiway.imports.contract import MOST_FILES, IncomingFile, IncomingFiles, Skipped, TakeFiles, Taken
from taxiway.imports.service import Imports
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, TaxiwayError, TooLarge
from taxiway.models.logged.service import LoggedModels
from taxiway.runs.contract import Artifact
from taxiway.runs.foreign import intake
from taxiway.runs.paths import check_path
from taxiway.runs.service import MEDIA_TYPE
from taxiway.storage.blobs import Blobs
from taxiway.stores.service import Stores
from taxiway.traces.service import Traces

Owner = Literal["trace", "logged", "run"]
OWNERS: tuple[Owner, ...] = ("trace", "logged", "run")


class FileIntake:
    """Names files for the runs, logged models and traces that they belong to."""

    def __init__(self, imports: Imports, blobs: Blobs, stores: Stores) -> None:
        self.imports = imports
        self.ledger: Ledger = imports.ledger
        self.logged: LoggedModels = imports.logged
        self.traces: Traces = imports.traces
        self.blobs = blobs
        self.stores = stores

    def take(self, caller: Caller, body: TakeFiles, *, source: str) -> Taken:
        """Names the files of many owners in one change. Raises TooLarge."""
        self.imports.require(source)
        count = sum(len(one.files) for one in body.owners)
        if count > MOST_FILES:
            raise TooLarge(what="The number of files", limit=MOST_FILES, found=count)
        here = self._here(source, [one.owner for one in body.owners])
        part = Part(self, here)
        for one in body.owners:
            part.add(one)
        for model, files in part.of_models.items():
            for file in files:
                self.logged.put_file(logged=model, path=file.path, digest=file.digest, media_type=file.media_type)

        for trace, files in part.of_traces.items():
            for file in files:
                self.traces.put_file(caller, trace, file.path, file.digest, file.media_type)

        def make(record: Record) -> Taken:
            for run, files in part.of_runs.items():
                intake.put_files(record.connection, run, files)
            store.mark(record.connection, source, "files", part.marks)
            all_ = (part.of_runs, part.of_models, part.of_traces)
            named = [file for owners in all_ for files in owners.values() for file in files]
            record.note(owners=len(body.owners), files=len(named), size_bytes=sum(one.size_bytes for one in named))
            return Taken(new=len(named), skipped=part.skipped)

        return self.ledger.change(caller, "imports.files", f"import:{source}", make, answer=Taken)

    def _here(self, source: str, theirs: list[str]) -> dict[str, tuple[Owner, str]]:
        """What the owners are here."""
        with self.imports.database.read() as connection:
            return {
                id_: (kind, ours)
                for kind in OWNERS
                for id_, ours in store.ours(connection, source, kind, theirs).items()
            }


class Part:
    """Files on their way in, looked at one by one."""

    def __init__(self, taking: FileIntake, here: dict[str, tuple[Owner, str]]) -> None:
        self.taking = taking
        self.here = here
        self.of_runs: defaultdict[str, list[Artifact]] = defaultdict(list)
        self.of_models: defaultdict[str, list[Artifact]] = defaultdict(list)
        self.of_traces: defaultdict[str, list[Artifact]] = defaultdict(list)
        self.marks: list[tuple[str, str, str]] = []
        self.skipped: list[Skipped] = []

    def add(self, given: IncomingFiles) -> None:
        found = self.here.get(given.owner)
        if found is None:
            self.skipped.append(Skipped("files", given.owner, "what they belong to was not taken"))
            return
        kind, owner = found
        kept = {"run": self.of_runs, "logged": self.of_models, "trace": self.of_traces}[kind]
        for file, ref in zip(given.files, self._refer(given), strict=True):
            try:
                checked = self._checked(found, file, ref)
            except TaxiwayError as refusal:
                self.skipped.append(Skipped("file", f"{given.owner}/{file.path}"[:200], str(refusal)))
                continue
            kept[owner].append(checked)
        if given.stamp:
            self.marks.append((given.owner, owner, given.stamp))

    def _refer(self, given: IncomingFiles) -> list[str]:
        """For each file the reference to its place in a store, or its digest; empty where that is refused."""
        try:
            placed = [(file.store, file.place, file.size_bytes) for file in given.files if file.store]
            refs = iter(self.taking.stores.refer(placed))
            return [next(refs) if file.store else file.digest for file in given.files]
        except TaxiwayError:
            return [self._refer_alone(given.owner, file) for file in given.files]

    def _refer_alone(self, owner: str, file: IncomingFile) -> str:
        if not file.store:
            return file.digest
        try:
            return self.taking.stores.refer([(file.store, file.place, file.size_bytes)])[0]
        except TaxiwayError as refusal:
            self.skipped.append(Skipped("file", f"{owner}/{file.path}"[:200], str(refusal)))
            return ""

    def _checked(self, owner: tuple[Owner, str], file: IncomingFile, ref: str) -> Artifact:
        """The file as it will be named. Raises BadField, NotFound."""
        check_path(file.path)
        if not MEDIA_TYPE.fullmatch(file.media_type):
            raise BadField(field="media_type", value=repr(file.media_type[:100]), expected="such as image/png")
        if file.store and not ref:
            raise BadField(field="place", value=repr(file.place[:100]), expected="a plain file beneath its store")
        if file.store and owner[0] != "run":  # a model is what its files are: their digests are taken at once
            ref = self.taking.stores.settle(ref)
        size = file.size_bytes if file.store else self.taking.blobs.size(ref)
        return Artifact(owner[1], file.path, ref, size, file.media_type, self.taking.imports.clock())
