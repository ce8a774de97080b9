"""Dossiers: collected, listed, sealed with the platform's key and written as one file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Struct

from taxiway.dossiers import verify
from taxiway.dossiers.cards.contract import FILES, CardTooLong
from taxiway.dossiers.collecting import Below, Collection
from taxiway.dossiers.contract import AskDossier, Dossier, DossierFile, NothingToShow, PartChanged
from taxiway.dossiers.documents.building import build
from taxiway.dossiers.documents.contract import DOCUMENTS, Format
from taxiway.dossiers.documents.mapping import packaged
from taxiway.dossiers.documents.service import Documents, card_file, coverage_file, document_file
from taxiway.dossiers.packing import Measured, Part, measure, write
from taxiway.dossiers.packs.covering import cover
from taxiway.dossiers.proving import Proofs
from taxiway.dossiers.reading import READ_ME
from taxiway.evidence.contract import PublicKey
from taxiway.evidence.keys import fingerprint
from taxiway.evidence.statement import DOSSIER, Subject, statement_bytes
from taxiway.kernel.caller import Caller
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import new_id
from taxiway.models.contract import ModelVersion
from taxiway.storage.contract import YamlBroken

WRITTEN: tuple[Format, ...] = ("html", "json")  # PDF depends on what a server has installed
KEPT_S = 3600.0  # how long a file that was made waits to be fetched again
FORMAT = 1


class Made(Struct, frozen=True):
    """A dossier before it is written: what it holds, the signed list, and its files as they were measured."""

    dossier: Dossier
    manifest: bytes
    files: list[Measured]


class Key(Struct, frozen=True):
    """A public key as a dossier lists it: what it signs, and the 32 bytes of it in hexadecimal digits."""

    id: str
    use: str
    public: str
    revoked_at: str = ""
    because: str = ""


class Dossiers:
    """Makes dossiers. Those it made wait a while in ``HOME/dossiers``, so that fetching one again is quick."""

    def __init__(self, home: Path, below: Below, documents: Documents) -> None:
        self.folder = home / "dossiers"
        self.below = below
        self.documents = documents

    def show(self, caller: Caller, body: AskDossier, *, model: str, version: str) -> Dossier:
        """What the dossier holds and what is missing. Raises as `file`."""
        return self._make(caller, body, self.below.models.find(model, version)).dossier

    def file(self, caller: Caller, body: AskDossier, *, model: str, version: str) -> Path:
        """The dossier as a file. Raises BundleTampered, NothingToShow, NotFound, PartChanged, BadField."""
        made = self._make(caller, body, self.below.models.find(model, version))
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._forget_old()
        file = self.folder / f"{measure(Part('', made.manifest)).digest.removeprefix('sha256:')}.zip"
        if not file.exists():
            beside = self.folder / f"{new_id()}.new"
            try:
                with beside.open("xb") as into:
                    write(into, made.manifest, made.files, lambda name: PartChanged(part=name))
                beside.rename(file)
            finally:
                beside.unlink(missing_ok=True)
        return file

    def _make(self, caller: Caller, body: AskDossier, version: ModelVersion) -> Made:
        if body.held is not None and not 1 <= body.held <= self.below.audit.head().size:
            expected = f"the size of a head, from 1 to {self.below.audit.head().size}"
            raise BadField(field="held", value=str(body.held), expected=expected)
        collection = Collection(self.below, caller, version)
        proofs = Proofs(self.below.audit, collection.things, body.held)
        if not proofs.entries:
            raise NothingToShow(thing=version.ref)
        signer = self.below.statements.signer()  # the same to the end, whoever rotates keys meanwhile
        keys = self._keys(collection, signer)
        parts = [
            Part("README.md", READ_ME.encode()),
            Part("verify.py", Path(verify.__file__).read_bytes()),
            *collection.parts(proofs.as_of),
            *proofs.parts(),
            *self._written(caller, version, collection),
            *(Part(f"keys/{name}.pem", public.encode()) for name, public in keys.items()),
        ]
        files = sorted(map(measure, parts), key=lambda each: each.part.name)
        said = {
            "format": FORMAT,
            "thing": version.ref,
            "project": version.project,
            "bundle": version.bundle,
            "as_of": proofs.as_of,
            "missing": collection.missing,
            "keys": self._listed(keys),
            "sizes": {each.part.name: each.size for each in files},
        }
        subjects = [Subject(each.part.name, each.digest) for each in files]
        sealed = self.below.statements.seal(statement_bytes(subjects, DOSSIER, said), signer)
        dossier = Dossier(
            thing=version.ref,
            bundle=version.bundle,
            as_of=proofs.as_of,
            head=proofs.size,
            key=sealed.key.id,
            statements=len(collection.said),
            files=[DossierFile(each.part.name, each.size, each.digest) for each in files],
            missing=collection.missing,
        )
        return Made(dossier, canonical_json(sealed.envelope), files)

    def _written(self, caller: Caller, version: ModelVersion, collection: Collection) -> Iterator[Part]:
        """What people read, as HTML and as JSON, and the card as other systems take it."""
        facts = self.documents.gathering.facts(caller, version)
        for name in DOCUMENTS:
            document = build(packaged(name), facts)
            yield from (Part(f"documents/{name}.{form}", document_file(document, form)) for form in WRITTEN)
        for name in self.documents.packs.names():
            try:
                coverage = cover(self.documents.packs.find(name), facts)
            except (YamlBroken, BadField) as e:
                collection.lack(f"coverage/{name}", str(e))
                continue
            yield from (Part(f"coverage/{name}.{form}", coverage_file(coverage, form)) for form in WRITTEN)
        for kind, (file, _) in FILES.items():
            try:
                yield Part(f"cards/{file}", card_file(facts, kind))
            except CardTooLong as e:
                collection.lack(f"cards/{file}", str(e))

    def _keys(self, collection: Collection, signer: PublicKey) -> dict[str, str]:
        """The public keys that anything inside is signed with, as PEM."""
        signed = {statement.key for statement, _ in collection.said} | {signer.id}
        known: list[PublicKey] = self.below.statements.public_keys()
        log = {f"audit-{key.id}": key.public for key in self.below.audit.log_keys().items}
        return {key.id: key.public for key in known if key.id in signed} | log

    def _listed(self, keys: dict[str, str]) -> list[Key]:
        known = {key.id: key for key in self.below.statements.public_keys()}
        found = []
        for name, pem in sorted(keys.items()):
            public = load_pem_public_key(pem.encode())
            assert isinstance(public, Ed25519PublicKey)
            use = "statements" if name in known else "audit"
            entry = Key(fingerprint(public), use, public.public_bytes_raw().hex())
            if name in known and (at := known[name].revoked_at):
                entry = msgspec.structs.replace(entry, revoked_at=at.isoformat(), because=known[name].because)
            found.append(entry)
        return found

    def _forget_old(self) -> None:
        for file in self.folder.iterdir():
            if file.stat().st_mtime < time.time() - KEPT_S:
                file.unlink(missing_ok=True)
