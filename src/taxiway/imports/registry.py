"""Taking models, versions and aliases. Nothing moves past the gates: where a version stood is told, not copied."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from taxiway.audit.service import Record
from taxiway.imports import store
from taxiway.imports.contract import Import, IncomingLogged, IncomingModel, IncomingVersion, Skipped, Taken
from taxiway.imports.service import Imports
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.errors import NotFound, TaxiwayError, TooLarge
from taxiway.models.contract import ChangeModel, ChangeVersion, CreateModel, Model, PointAlias, RegisterSource
from taxiway.models.logged_contract import LogModel
from taxiway.models.refusals import AliasGuarded
from taxiway.models.service import Models
from taxiway.projects.service import DEFAULT
from taxiway.runs.experiments import Experiments
from taxiway.storage.database import read_moment

MOST_GAPS = 10_000
STAGE_TAG = "mlflow.stage"  # where a version stood there
GAP = "A number that was not taken over, because nothing had it there any more"
REASON = "It pointed there when the model was imported"


class RegistryIntake:
    """Opens models and registers their versions under the numbers that they had."""

    def __init__(self, imports: Imports, models: Models, experiments: Experiments) -> None:
        self.imports = imports
        self.models = models
        self.experiments = experiments

    # --- logged models ---

    def take_logged(self, caller: Caller, body: IncomingLogged, *, source: str) -> Taken:
        """Opens a logged model, once. Raises NotFound where its experiment was not taken."""
        self.imports.require(source)
        with self.imports.database.read() as connection:
            known = store.ours(connection, source, "logged", [body.id])
            place = store.ours(connection, source, "experiment", [body.experiment]).get(body.experiment)
            run = store.ours(connection, source, "run", [body.run]).get(body.run, "")
        if known:
            return Taken()
        if place is None:
            raise NotFound(kind="imported experiment", name=body.experiment, hint="Send it before its models.")
        project, name = place.split("/", 1)
        sheet = self.experiments.named(project, name)
        asked = LogModel(
            project=project,
            experiment=sheet.number if sheet else 0,
            name=body.name,
            kind=body.kind,
            run=run,
            params=body.params,
            tags=body.tags,
        )
        made = self.models.logged.create(self.keyed(caller, source, f"logged/{body.id}"), asked)
        if body.is_ready:
            self.models.logged.finish(self.keyed(caller, source, f"ready/{body.id}"), logged=made.id, status="ready")
        self.mark(caller, source, "logged", (body.id, made.id, "taken"))
        return Taken(new=1)

    # --- models ---

    def take(self, caller: Caller, body: IncomingModel, *, source: str) -> Taken:
        """Takes a model as it is there now: what is new, and what was said of it since."""
        opened = self.imports.require(source)
        part = ModelPart(self, caller, opened, body)
        try:
            part.open()
            part.clear_gaps()
        except TaxiwayError as refusal:
            return Taken(skipped=[Skipped("model", body.name[:200], str(refusal))])
        for version in body.versions:
            part.take(version)
        for alias, number in sorted(body.aliases.items()):
            part.point(alias, number)
        return Taken(new=part.new, skipped=part.skipped, left=part.left)

    def find(self, name: str) -> Model | None:
        try:
            return self.models.show(SYSTEM, model=name)
        except NotFound:
            return None

    def known(self, source: str, kind: str, theirs: str) -> tuple[str, str] | None:
        """What a thing of theirs is here, and its stamp."""
        with self.imports.database.read() as connection:
            ours = store.ours(connection, source, kind, [theirs]).get(theirs)
            stamp = store.stamps(connection, source, kind, [theirs]).get(theirs, "")
        return None if ours is None else (ours, stamp)

    def keyed(self, caller: Caller, source: str, what: str) -> Caller:
        """The caller with an idempotency key, so that a step that was cut off is not done twice."""
        key = hashlib.sha256(f"{source}/{what}".encode()).hexdigest()[:40]
        return replace(caller, key=f"import-{key}", fingerprint=what)

    def mark(self, caller: Caller, source: str, kind: str, theirs: tuple[str, str, str]) -> None:
        """Notes what a thing is here: theirs, ours and the stamp of what was taken."""

        def make(record: Record) -> None:
            store.mark(record.connection, source, kind, [theirs])
            record.note(kind=kind, theirs=theirs[0], ours=theirs[1])

        plain = replace(caller, key=None)
        self.imports.ledger.change(plain, "imports.mark", f"import:{source}", make, answer=type(None))


class ModelPart:
    """One model on its way in."""

    def __init__(self, intake: RegistryIntake, caller: Caller, opened: Import, body: IncomingModel) -> None:
        self.intake = intake
        self.models = intake.models
        self.caller = replace(caller, key=None)
        self.source = opened.source
        self.project = opened.project or DEFAULT
        self.body = body
        self.name = body.name
        self.new = 0
        self.numbers: dict[int, int] = {}
        self.skipped: list[Skipped] = []
        self.left: list[str] = []

    def open(self) -> None:
        """Opens the name, or says of it what is said there by now. Raises BadField."""
        body = self.body
        stamp = stamp_of(body.description, body.tags)
        known = self.intake.known(self.source, "model", self.name)
        if known is not None and known[1] == stamp:
            return
        if self.intake.find(self.name) is None:
            asked = CreateModel(self.project, self.name, body.description, body.tags)
            self.models.catalogue.create(self.caller, asked, is_wide=True)
            self.new += 1
        else:
            said = ChangeModel(description=body.description, tags=body.tags)
            self.models.catalogue.change(self.caller, said, model=self.name, is_wide=True)
        self.intake.mark(self.caller, self.source, "model", (self.name, self.name, stamp))

    def clear_gaps(self) -> None:
        """Takes away what an import that was cut off left of numbers that nothing has."""
        for version in self.models.versions(self.caller, model=self.name).items:
            if version.note == GAP:
                self.models.catalogue.delete_version(self.caller, model=self.name, version=str(version.version))

    def take(self, version: IncomingVersion) -> None:
        """Registers a version under its number, once; later only what is said of it follows."""
        theirs = f"{self.name}@{version.version}"
        tags = {**version.tags, STAGE_TAG: version.stage} if version.stage else dict(version.tags)
        stamp = stamp_of(version.description, tags)
        known = self.intake.known(self.source, "version", theirs)
        try:
            if known is None:
                number = self._register(version, tags)
                self.new += 1
            else:
                number = int(known[0].rpartition("@")[2])
                if known[1] != stamp:
                    said = ChangeVersion(description=version.description, tags=tags)
                    self.models.catalogue.change_version(self.caller, said, model=self.name, version=str(number))
        except TaxiwayError as refusal:
            self.skipped.append(Skipped("version", theirs[:200], str(refusal)))
            return
        self.numbers[version.version] = number
        self._leave(version, number)
        if known is None or known[1] != stamp:
            self.intake.mark(self.caller, self.source, "version", (theirs, f"{self.name}@{number}", stamp))

    def _leave(self, version: IncomingVersion, number: int) -> None:
        stage = version.stage.lower()
        if stage in ("production", "staging"):
            self.left.append(
                f"{self.name} v{version.version} stood in {version.stage}. It goes there through the gates: "
                f"`taxiway models promote {self.name}@{number} {stage} --reason …`."
            )

    def _register(self, version: IncomingVersion, tags: dict[str, str]) -> int:
        run = self.intake.known(self.source, "run", version.run) if version.run else None
        logged = self.intake.known(self.source, "logged", version.logged) if version.logged else None
        stood = f" It stood in {version.stage}." if version.stage else ""
        asked = RegisterSource(
            source=version.source or "unknown",
            run=run[0] if run else version.run or None,
            folder=version.folder if run and not logged else None,
            logged_model=logged[0] if logged else "",
            description=version.description,
            tags=tags,
            note=f"Imported; made there at {read_moment(version.created_at):%Y-%m-%d %H:%M} UTC.{stood}",
        )
        number = self._numbered(version.version, asked)
        if number != version.version:
            problem = f"its number was taken, so it is version {number} here"
            self.skipped.append(Skipped("version", f"{self.name}@{version.version}"[:200], problem))
        return number

    def _numbered(self, wanted: int, asked: RegisterSource) -> int:
        """Registers the version; numbers before its own that nothing has there are passed over, and stay unused."""
        empty = RegisterSource(source="unknown", note=GAP)
        for _ in range(MOST_GAPS):
            what = f"version/{self.name}@{wanted}"
            next_number = self.models.next_number(self.name)
            body = asked if next_number >= wanted else empty
            keyed = self.intake.keyed(self.caller, self.source, what if body is asked else f"{what}/gap/{next_number}")
            made = self.models.sourced.register(keyed, body, model=self.name)
            if body is asked:
                return made.version
            self.models.catalogue.delete_version(self.caller, model=self.name, version=str(made.version))
        raise TooLarge(what="The gap before a version's number", limit=MOST_GAPS, found=wanted)

    def point(self, alias: str, number: int) -> None:
        """Points an alias where it pointed there; one that stands for a stage is left to the gates."""
        here = self.numbers.get(number)
        model = self.intake.find(self.name)
        if here is None or model is None:
            problem = f"it points at version {number}, which was not taken"
            self.skipped.append(Skipped("alias", f"{self.name}@{alias}"[:200], problem))
            return
        theirs = f"{self.name}@{alias}"
        try:
            if model.aliases.get(alias) != here:
                asked = PointAlias(here, REASON)
                self.models.movements.point_alias(self.caller, asked, model=self.name, alias=alias)
                self.new += 1
        except AliasGuarded as refusal:
            self.left.append(f"The alias {alias} of {self.name} pointed at v{number}. {refusal}")
            return
        except TaxiwayError as refusal:
            self.skipped.append(Skipped("alias", theirs[:200], str(refusal)))
            return
        if self.intake.known(self.source, "alias", theirs) is None:
            self.intake.mark(self.caller, self.source, "alias", (theirs, theirs, str(here)))


def stamp_of(*facts: object) -> str:
    """A short text that differs as soon as one of the facts does."""
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()[:32]
