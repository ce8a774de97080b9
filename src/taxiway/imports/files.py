"""Taking the files of runs and of logged models: bytes that were stored before, or places that stay where they are."""

from __future__ import annotations

from taxiway.audit.service import Ledger, Record
from taxiway.imports import store
from taxiway.imports.contract import IncomingFile, Skipped, TakeFiles, Taken
from taxiway.imports.service import Imports
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound, TaxiwayError
from taxiway.models.logged import LoggedModels
from taxiway.runs import intake
from taxiway.runs.contract import Artifact
from taxiway.runs.paths import check_path
from taxiway.runs.service import MEDIA_TYPE
from taxiway.storage.blobs import Blobs
from taxiway.stores.service import Stores


class FileIntake:
    """Names files for the runs and logged models that they belong to."""

    def __init__(self, imports: Imports, logged: LoggedModels, blobs: Blobs, stores: Stores) -> None:
        self.imports = imports
        self.ledger: Ledger = imports.ledger
        self.logged = logged
        self.blobs = blobs
        self.stores = stores

    def take(self, caller: Caller, body: TakeFiles, *, source: str) -> Taken:
        """Names the files of a run or of a logged model. Raises NotFound where that was not taken before."""
        self.imports.require(source)
        kind = "logged" if body.run.startswith("m-") else "run"
        with self.imports.database.read() as connection:
            here = store.ours(connection, source, kind, [body.run]).get(body.run)
        if here is None:
            raise NotFound(kind=f"imported {kind}", name=body.run, hint="Send it before its files.")
        good: list[Artifact] = []
        skipped: list[Skipped] = []
        for file in body.files:
            try:
                good.append(self._checked(here, file))
            except TaxiwayError as refusal:
                skipped.append(Skipped("file", f"{body.run}/{file.path}"[:200], str(refusal)))
        if kind == "logged":
            for artifact in good:
                self.logged.put_file(
                    logged=here, path=artifact.path, digest=artifact.digest, media_type=artifact.media_type
                )

        def make(record: Record) -> Taken:
            at = record.at
            if kind == "run":
                named = [Artifact(here, a.path, a.digest, a.size_bytes, a.media_type, at) for a in good]
                intake.put_files(record.connection, here, named)
            if body.stamp:
                store.mark(record.connection, source, "files", [(body.run, here, body.stamp)])
            record.note(of=here, files=len(good), size_bytes=sum(one.size_bytes for one in good))
            return Taken(new=len(good), skipped=skipped)

        return self.ledger.change(caller, "imports.files", f"import:{source}", make, answer=Taken)

    def _checked(self, here: str, file: IncomingFile) -> Artifact:
        """The file as it will be named. Raises BadField, NotFound."""
        check_path(file.path)
        if not MEDIA_TYPE.fullmatch(file.media_type):
            raise BadField(field="media_type", value=repr(file.media_type[:100]), expected="such as image/png")
        if not file.store:
            size = self.blobs.size(file.digest)
            return Artifact(here, file.path, file.digest, size, file.media_type, self.imports.clock())
        (ref,) = self.stores.refer([(file.store, file.place, file.size_bytes)])
        if here.startswith("m-"):  # the files of a model are what it is: their digests are taken at once
            ref = self.stores.settle(ref)
        return Artifact(here, file.path, ref, file.size_bytes, file.media_type, self.imports.clock())
