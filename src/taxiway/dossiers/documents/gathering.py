"""Gathers what is known of a version from the services, as who asks may see it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from taxiway.audit.contract import Entry
from taxiway.dossiers.collecting import Below
from taxiway.dossiers.documents.facts import Data, Facts
from taxiway.dossiers.proving import about, all_names
from taxiway.endpoints.contract import EndpointRecord, ListEndpoints
from taxiway.endpoints.service import Endpoints
from taxiway.gates.contract import Evidence, PathVersion, Standing
from taxiway.gates.findings.contract import ListFindings
from taxiway.gates.questionnaires.contract import Questionnaire, Sheet
from taxiway.gates.refusals import PathUnfit
from taxiway.gates.standing.look import Look
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.lineage.contract import Edge, WalkFrom
from taxiway.lineage.service import Lineage
from taxiway.models.bundles.bundle import LOCK, Manifest
from taxiway.models.contract import ModelVersion
from taxiway.monitors.contract import MonitorReport
from taxiway.monitors.service import Monitors
from taxiway.runs.contract import Run


class Above(Struct, frozen=True):
    """The services of a version's life after its making."""

    endpoints: Endpoints
    monitors: Monitors
    lineage: Lineage


class Gathering:
    """Collects `Facts`. Nothing in them is of this moment alone: the same records give the same facts."""

    def __init__(self, below: Below, above: Above) -> None:
        self.below = below
        self.above = above

    def facts(self, caller: Caller, version: ModelVersion) -> Facts:
        """All about a version, as the caller may see it. Raises NotFound."""
        models = self.below.models
        where = {"model": version.model, "version": str(version.version)}
        run = self._run(version)
        things = [version.ref, *([run.ref] if run else [])]
        entries = sorted(self._entries(things), key=lambda entry: entry.seq)
        endpoints = self._endpoints(caller, version)
        monitors = self._monitors(caller, endpoints)
        asked = ListFindings(thing=version.ref, state="all")
        findings = sorted(self.below.gates.findings.list(caller, asked).items, key=lambda f: (f.opened_at, f.id))
        reviews = self.below.gates.reviews.list(caller, **where).items[::-1]
        times = [entry.at for entry in entries] + [finding.changed_at for finding in findings]
        times += [review.at for review in reviews] + [endpoint.changed_at for endpoint in endpoints]
        times += [at for report in monitors for at in times_of(report)]
        as_of = max(times, default=version.changed_at)
        evidence = self.below.gates.evaluations.evidence(caller, **where).items[::-1]
        standing, paths = self._standing(caller, version, as_of, evidence)
        sheets = self.below.gates.questionnaires.sheets(caller, **where).items[::-1]
        data, unseen = self._data(caller, version)
        manifest, lock = self._bundle(version)
        kept = self.below.models.sources.runs.artifacts(run.id) if run else []
        return Facts(
            version=version,
            project=models.sources.projects.find(version.project),
            card=models.cards.show(caller, **where),
            as_of=as_of,
            manifest=manifest,
            lock=lock,
            run=run,
            packages=dict(sorted(models.sources.runs.packages(run.id).packages.items())) if run else {},
            artifacts=sorted(kept, key=lambda each: each.path),
            reproductions=self.below.reproductions.list(caller, run=run.id).items[::-1] if run else [],
            predecessors=self._predecessors(caller, version),
            stages=models.stages(caller, **where).items,
            datasets=data,
            unseen=unseen,
            evidence=list({each.gate: each for each in evidence}.values()),
            standing=standing,
            paths=paths,
            sheets=list({sheet.name: sheet for sheet in sheets}.values()),
            questionnaires=self._questionnaires(caller, sheets),
            findings=findings,
            reviews=reviews,
            endpoints=endpoints,
            monitors=monitors,
            edges=self._edges(caller, version),
            said=[said for thing in things for said, _ in self.below.statements.about(thing)],
            entries=entries,
        )

    def _run(self, version: ModelVersion) -> Run | None:
        try:
            return self.below.models.sources.runs.find(version.run) if version.run else None
        except NotFound:
            return None

    def _entries(self, things: Sequence[str]) -> list[Entry]:
        audit = self.below.audit
        return list({entry.seq: entry for thing in all_names(audit, things) for entry in about(audit, thing)}.values())

    def _predecessors(self, caller: Caller, version: ModelVersion) -> list[ModelVersion]:
        found = self.below.models.versions(caller, model=version.model).items
        return sorted((each for each in found if each.version < version.version), key=lambda each: each.version)

    def _endpoints(self, caller: Caller, version: ModelVersion) -> list[EndpointRecord]:
        found = self.above.endpoints.list(caller, ListEndpoints()).items
        served = [each for each in found if (each.model, each.version) == (version.model, version.version)]
        return sorted(served, key=lambda each: each.name)

    def _monitors(self, caller: Caller, endpoints: Sequence[EndpointRecord]) -> list[MonitorReport]:
        names = sorted(each.name for endpoint in endpoints for each in self.above.monitors.of_endpoint(endpoint.name))
        return [self.above.monitors.show(caller, monitor=name) for name in names]

    def _standing(
        self, caller: Caller, version: ModelVersion, at: datetime, evidence: Sequence[Evidence]
    ) -> tuple[Standing | None, list[PathVersion]]:
        """How it stands, and the paths it was ever judged by."""
        gates = self.below.gates
        paths = {each.path for each in evidence}
        standing = None
        try:
            with gates.database.read() as connection:
                standing = Look(gates.sources, connection, version, at).standing()
            paths |= {standing.path, *standing.demands}
        except (NotFound, PathUnfit):
            pass  # nothing is asked of it: the fields that it would fill are missing
        named = [parse(ref) for ref in sorted(paths)]
        return standing, [gates.paths.show(caller, path=each.name, version=each.version or 0) for each in named]

    def _data(self, caller: Caller, version: ModelVersion) -> tuple[list[Data], list[str]]:
        datasets, found, unseen = self.below.models.sources.datasets, [], []
        for ref in version.datasets:
            project, _, name = parse(ref).name.partition("/")
            if not self.below.access.is_allowed(caller, "datasets.read", project):
                unseen.append(ref)
                continue
            each = datasets.find(project, name, parse(ref).version)
            found.append(Data(each, datasets.profile(caller, project=project, name=name, version=each.version)))
        return found, unseen

    def _bundle(self, version: ModelVersion) -> tuple[Manifest | None, str]:
        """The manifest and the text of its lock. Raises BundleTampered."""
        if not version.bundle:
            return None, ""
        manifest = self.below.models.files_of(version.model, version.version)
        lock = self.below.models.shelf.place(version.bundle) / LOCK
        return manifest, lock.read_text("utf-8", errors="replace") if version.environment and lock.is_file() else ""

    def _questionnaires(self, caller: Caller, sheets: Sequence[Sheet]) -> list[Questionnaire]:
        return list(self._asked(caller, sorted({sheet.questionnaire for sheet in sheets})))

    def _asked(self, caller: Caller, names: Sequence[str]) -> Iterator[Questionnaire]:
        for each in names:
            name, _, number = each.partition("@")
            yield self.below.gates.questionnaires.show(caller, questionnaire=name, version=int(number))

    def _edges(self, caller: Caller, version: ModelVersion) -> list[Edge]:
        visible = self.below.access.visible(caller)
        graph = self.above.lineage.walk(WalkFrom(version.ref), visible)
        return sorted(graph.edges, key=lambda edge: (edge.source, edge.verb, edge.target))


def times_of(report: MonitorReport) -> Iterator[datetime]:
    yield report.monitor.created_at
    yield from (window.computed_at for window in report.windows)
    yield from (alert.changed_at for alert in report.alerts)
