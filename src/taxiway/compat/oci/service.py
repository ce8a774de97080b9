"""What a platform says of an image: which bundle it holds, and in which stage that stood when it was asked.

The image's digest is worked out here from the bundle's own manifest; nobody can have another one signed.
"""

from __future__ import annotations

from taxiway.audit.service import Ledger, Record
from taxiway.compat.oci.contract import Image, ReleaseImage
from taxiway.compat.oci.layout import digest_of, image_of
from taxiway.compat.oci.reading import RELEASE
from taxiway.evidence.attesting import attest
from taxiway.evidence.contract import ListStatements, Shown
from taxiway.evidence.service import Statements
from taxiway.evidence.statement import Subject
from taxiway.gates.service import Gates
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.models.lookup import require_version
from taxiway.models.service import Models


class Images:
    """Versions as images of a registry."""

    def __init__(self, ledger: Ledger, models: Models, gates: Gates, statements: Statements) -> None:
        self.ledger = ledger
        self.models = models
        self.gates = gates
        self.statements = statements

    def show(self, caller: Caller, *, digest: str) -> Image:
        """How the version stands that an image holds, by the image's digest or the bundle's. Raises NotFound."""
        ask = ListStatements(subject=digest, predicate_type=RELEASE, limit=1)
        found = self.statements.find(caller, ask).items
        if not found:
            hint = "`taxiway models push` makes images known here."
            raise NotFound(kind="image", name=digest[:100], hint=hint)
        thing = parse(found[0].thing)
        version = self.models.find(thing.name, thing.version or 0)
        standing = self.gates.standing(caller, model=version.model, version=version.version)
        closed = [gate.gate for stage in standing.stages for gate in stage.gates if gate.stops]
        is_released = version.stage == "production" and all(stage.is_open for stage in standing.stages)
        return Image(digest, version.model, version.version, version.bundle, version.stage, is_released, closed)

    def release(self, caller: Caller, body: ReleaseImage, *, model: str, version: str) -> Shown:
        """Signs in which stage a version stands, and which of its gates are open. Raises NoBundle, NotFound."""
        found = self.models.find(model, version)
        manifest = self.models.files_of(model, version)
        image = image_of(manifest, model=found.model, version=found.version)
        standing = self.gates.standing(caller, model=model, version=found.version)

        def make(record: Record) -> str:
            here = require_version(record, model, found.version)
            said = {
                "model": here.model,
                "version": here.version,
                "bundle": here.bundle,
                "stage": here.stage,
                "path": standing.path,
                "pathDigest": standing.path_digest,
                "open": {each.stage: each.is_open for each in standing.stages},
                "at": record.at,
            }
            name = f"{here.model}@{here.version}"
            subjects = [Subject(name, digest_of(image)), Subject(here.ref, here.bundle)]
            made = attest(record, subjects, RELEASE, said)
            record.note(image=digest_of(image), stage=here.stage)
            return made.id

        made = self.ledger.change(caller, "models.release_image", found.ref, make, answer=str, project=found.project)
        return self.statements.show(caller, statement=made)
