"""Taking models, versions and aliases. Nothing moves past the gates: where a version stood is told, not copied."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from taxiway.gates.refusals import GateClosed
from taxiway.imports.contract import Import, IncomingModel, IncomingVersion, Skipped, Taken
from taxiway.imports.service import Imports
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.errors import NotFound, TaxiwayError, TooLarge
from taxiway.models.contract import ChangeModel, ChangeVersion, CreateModel, Model, PointAlias, RegisterSource
from taxiway.models.refusals import AliasGuarded
from taxiway.models.service import Models
from taxiway.projects.service import DEFAULT
from taxiway.storage.database import read_moment

MOST_GAPS = 10_000
STAGE_TAG = "mlflow.stage"  # where a version stood there
GAP = "A number that was not taken over, because nothing had it there any more"
REASON = "It pointed there when the model was imported"


class RegistryIntake:
    """Opens models and registers their versions under the numbers that they had."""

    def __init__(self, imports: Imports, models: Models) -> None:
        self.imports = imports
        self.models = models

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


class ModelPart:
    """One model on its way in."""

    def __init__(self, intake: RegistryIntake, caller: Caller, opened: Import, body: IncomingModel) -> None:
        self.intake = intake
        self.imports = intake.imports
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
        known = self.imports.known(self.source, "model", self.name)
        if known is not None and known[1] == stamp:
            return
        if self.intake.find(self.name) is None:
            asked = CreateModel(self.project, self.name, body.description, body.tags)
            self.models.catalogue.create(self.caller, asked, is_wide=True)
            self.new += 1
        else:
            said = ChangeModel(description=body.description, tags=body.tags)
            self.models.catalogue.change(self.caller, said, model=self.name, is_wide=True)
        self.imports.mark(self.caller, self.source, "model", (self.name, self.name, stamp))

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
        known = self.imports.known(self.source, "version", theirs)
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
            self.imports.mark(self.caller, self.source, "version", (theirs, f"{self.name}@{number}", stamp))

    def _leave(self, version: IncomingVersion, number: int) -> None:
        stage = version.stage.lower()
        if stage in ("production", "staging"):
            self.left.append(
                f"{self.name} v{version.version} stood in {version.stage}. It goes there through the gates: "
                f"`taxiway models promote {self.name}@{number} {stage} --reason …`."
            )

    def _register(self, version: IncomingVersion, tags: dict[str, str]) -> int:
        run = self.imports.known(self.source, "run", version.run) if version.run else None
        logged = self.imports.known(self.source, "logged", version.logged) if version.logged else None
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
            self.skipped.append(Skipped("version", f"{self.name}@{version.version}"[:200], problem, is_lost=False))
        return number

    def _numbered(self, wanted: int, asked: RegisterSource) -> int:
        """Registers the version; numbers before its own that nothing has there are passed over, and stay unused."""
        empty = RegisterSource(source="unknown", note=GAP)
        for _ in range(MOST_GAPS):
            what = f"version/{self.name}@{wanted}"
            next_number = self.models.next_number(self.name)
            body = asked if next_number >= wanted else empty
            keyed = self.imports.keyed(self.caller, self.source, what if body is asked else f"{what}/gap/{next_number}")
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
        except (AliasGuarded, GateClosed) as refusal:
            said = str(refusal).partition("\n")[0]
            self.left.append(f"The alias {alias} of {self.name} pointed at v{number}. {said}")
            return
        except TaxiwayError as refusal:
            self.skipped.append(Skipped("alias", theirs[:200], str(refusal)))
            return
        if self.imports.known(self.source, "alias", theirs) is None:
            self.imports.mark(self.caller, self.source, "alias", (theirs, theirs, str(here)))


def stamp_of(*facts: object) -> str:
    """A short text that differs as soon as one of the facts does."""
    return hashlib.sha256(msgspec.json.encode(facts, order="sorted")).hexdigest()[:32]
