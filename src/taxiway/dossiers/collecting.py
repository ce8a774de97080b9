"""What goes into a dossier, read from the services as they stand: each part a file, or a reason why it is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from taxiway.access.service import Access
from taxiway.audit.service import Audit
from taxiway.dossiers.contract import Missing
from taxiway.dossiers.packing import Part
from taxiway.evidence.contract import Statement
from taxiway.evidence.dsse import Envelope, payload_of
from taxiway.evidence.service import Statements
from taxiway.evidence.statement import read_statement
from taxiway.gates.refusals import PathUnfit
from taxiway.gates.service import Gates
from taxiway.gates.standing.look import Look
from taxiway.kernel.caller import Caller
from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.models.bundles.bundle import LOCK, MANIFEST
from taxiway.models.contract import ModelVersion
from taxiway.models.service import Models
from taxiway.runs.again.reproductions import Reproductions
from taxiway.runs.contract import CHANGES, NOTEBOOK, SOURCES, Run

CODE = (SOURCES, CHANGES, NOTEBOOK, LOCK)
Said = tuple[Statement, Envelope]


class Below(Struct, frozen=True):
    """The services that a dossier is collected from."""

    access: Access
    audit: Audit
    statements: Statements
    models: Models
    gates: Gates
    reproductions: Reproductions


class Collection:
    """The parts of one version's dossier as the caller may see them, in order; `missing` says what is not there."""

    def __init__(self, below: Below, caller: Caller, version: ModelVersion) -> None:
        self.below = below
        self.caller = caller
        self.version = version
        self.where = {"model": version.model, "version": str(version.version)}
        self.missing: list[Missing] = []
        self.run = self._run()
        self.things = [version.ref, *([self.run.ref] if self.run else [])]
        self.said: list[Said] = [said for thing in self.things for said in below.statements.about(thing)]

    def parts(self, as_of: datetime) -> list[Part]:
        """All files but those of the audit log and of keys. as_of: the moment by which approvals count or not."""
        found = [*self._version(), *self._bundle(), *self._datasets(), *self._of_run(), *self._gates(as_of)]
        return [*found, *(Part(f"statements/{each.id}.json", canonical_json(envelope)) for each, envelope in self.said)]

    def lack(self, part: str, why: str) -> None:
        self.missing.append(Missing(part, why))

    def _run(self) -> Run | None:
        try:
            found = self.below.models.sources.runs.find(self.version.run) if self.version.run else None
        except NotFound:
            found = None
        if found is None:
            self.lack("run", "no recorded run made this version, or it was deleted")
        return found

    def _version(self) -> Iterator[Part]:
        models = self.below.models
        card = models.cards.show(self.caller, **self.where)
        for name in card.missing:
            self.lack(f"card: {name}", "nobody has entered it")
        yield as_json("version.json", self.version)
        yield as_json("stages.json", models.stages(self.caller, **self.where).items)
        yield as_json("card.json", card)

    def _bundle(self) -> Iterator[Part]:
        """Every byte is checked against the version's digest first. Raises BundleTampered."""
        if not self.version.bundle:
            self.lack("bundle", f"the version has none: {self.version.unfit}")
            return
        bundle = self.below.models.shelf.verify(self.version.bundle)
        for name in (MANIFEST, *(file.path for file in bundle.manifest.files)):
            yield Part(f"bundle/{name}", bundle.folder / name)
        if self.version.environment is None:
            self.lack("environment", f"the bundle has no {LOCK}")

    def _datasets(self) -> Iterator[Part]:
        datasets = self.below.models.sources.datasets
        if not self.version.datasets:
            self.lack("datasets", "the version names no data that it was trained on")
        for ref in self.version.datasets:
            project, _, name = parse(ref).name.partition("/")
            if not self.below.access.is_allowed(self.caller, "datasets.read", project):
                self.lack(ref, "whoever asked for the dossier may not see its project")
                continue
            found = datasets.find(project, name, parse(ref).version)
            folder = f"datasets/{project}/{name}@{found.version}"
            yield as_json(f"{folder}/version.json", found)
            profile = datasets.profile(self.caller, project=project, name=name, version=found.version)
            yield as_json(f"{folder}/profile.json", profile)

    def _of_run(self) -> Iterator[Part]:
        if self.run is None:
            return
        runs = self.below.models.sources.runs
        yield as_json("run/run.json", self.run)
        yield as_json("run/packages.json", runs.packages(self.run.id))
        kept = {each.path: each for each in runs.artifacts(self.run.id)}
        yield as_json("run/artifacts.json", list(kept.values()))
        for path in CODE:
            if path not in kept:
                self.lack(path, "the run kept none")
                continue
            with self.below.models.blobs.open(kept[path].digest) as file:
                yield Part(f"run/{path}", file.read())
        yield as_json("run/reproductions.json", self.below.reproductions.list(self.caller, run=self.run.id).items)

    def _gates(self, as_of: datetime) -> Iterator[Part]:
        """The evidence there ever was, how the version stands, and the text of every path that it was judged by."""
        gates = self.below.gates
        evidence = gates.evaluations.evidence(self.caller, **self.where).items[::-1]
        yield as_json("gates/evidence.json", evidence)
        signed = {read_statement(payload_of(envelope)).predicate.get("id") for _, envelope in self.said}
        for each in evidence:
            if each.id not in signed:
                self.lack(f"signed statement of {each.gate}, evidence {each.id}", "it is older than signed statements")
        paths = {each.path for each in evidence}
        try:
            with gates.database.read() as connection:
                look = Look(gates.sources, connection, self.version, as_of)
                standing = look.standing()
        except (NotFound, PathUnfit) as e:
            self.lack("gates/standing.json", str(e))
        else:
            yield as_json("gates/standing.json", standing)
            yield as_json("gates/waivers.json", look.waivers)
            paths |= {standing.path, *standing.demands}
        for ref in sorted(paths):
            _, name, number = parse(ref)
            text = gates.paths.show(self.caller, path=name, version=number or 0).text
            yield Part(f"gates/paths/{name}@{number}.yaml", text.encode())


def as_json(name: str, value: object) -> Part:
    """A part that people can read: sorted, indented JSON."""
    return Part(name, msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=1) + b"\n")
