"""Where versions come from, and what a new one says of itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from taxiway.audit.service import Record
from taxiway.datasets.contract import DatasetVersion
from taxiway.datasets.service import Datasets
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.lineage.service import draw_edge
from taxiway.models import store
from taxiway.models.bundles.bundle import Manifest, UsedVersion, bundle_digest
from taxiway.models.contract import ModelVersion
from taxiway.models.refusals import RunElsewhere
from taxiway.projects.contract import Project
from taxiway.projects.service import Projects
from taxiway.runs.service import Runs


class Sources:
    """What versions come from: the nouns below, as far as models ask them."""

    def __init__(self, projects: Projects, datasets: Datasets, runs: Runs) -> None:
        self.projects = projects
        self.datasets = datasets
        self.runs = runs

    def datasets_of(self, manifest: Manifest, project: str, visible: Collection[str] | None) -> list[str]:
        """References of the dataset versions that a bundle was trained on. Raises NotFound for an unknown digest.

        visible: the projects among which to look; None is all of them.
        """
        refs: dict[str, None] = {}
        for digest in manifest.datasets:
            everywhere = self.datasets.with_digest(digest)
            found = [each for each in everywhere if visible is None or each.project in visible]
            if not found:
                raise NotFound(kind="dataset", name=digest, hint="Register the dataset, then log the model again.")
            own = [each for each in found if each.project == project] or found
            refs[own[-1].ref] = None
        return list(refs)

    def versions_of(self, refs: Sequence[str]) -> list[DatasetVersion]:
        """The dataset versions that references such as ``dataset:mortgages/loans@2`` name. Raises NotFound."""
        found = []
        for ref in refs:
            _, name, version = parse(ref)
            project, _, dataset = name.partition("/")
            found.append(self.datasets.find(project, dataset, version))
        return found

    def check_run(self, manifest: Manifest, project: str) -> None:
        """Raises NotFound, RunElsewhere."""
        if manifest.run is not None and self.runs.find(manifest.run).project != project:
            raise RunElsewhere(model=manifest.name, run=manifest.run, project=project)

    def pinned(self, manifest: Manifest) -> list[str]:
        """The digests of the predictions that a bundle's run logged. Raises NotFound."""
        artifacts = self.runs.artifacts(manifest.run) if manifest.run else []
        return [each.digest for each in artifacts if each.predictions]


def new_version(record: Record, manifest: Manifest | None, *, model: str, project: Project, note: str) -> ModelVersion:
    """The next version of a model, within the change that makes it; without a manifest it has no bundle."""
    return ModelVersion(
        model=model,
        version=store.next_number(record.connection, model, record.at),
        project=project.name,
        bundle=bundle_digest(manifest) if manifest else "",
        flavour=manifest.flavour if manifest else "",
        signature=manifest.signature if manifest else store.NO_COLUMNS,
        threshold=manifest.threshold if manifest else None,
        run=manifest.run if manifest else None,
        datasets=[],
        environment=manifest.environment if manifest else None,
        risk=project.risk,
        evaluation=None,
        stage="none",
        aliases=[],
        size_bytes=sum(file.size_bytes for file in manifest.files) if manifest else 0,
        note=note,
        created_by=record.caller.name,
        created_at=record.at,
        changed_at=record.at,
    )


def draw_edges(record: Record, version: ModelVersion, uses: Sequence[UsedVersion] = ()) -> None:
    """What the version came from: its run, the data that trained and judged it, and the versions that it asks."""
    project, ref = version.project, version.ref
    if version.run:
        draw_edge(record, source=f"run:{version.run}", verb="produced", target=ref, project=project)
    for dataset in version.datasets:
        draw_edge(record, source=dataset, verb="trained", target=ref, project=project)
    for each in uses:
        draw_edge(record, source=f"model:{each.model}@{each.version}", verb="used_by", target=ref, project=project)
    if version.evaluation and version.evaluation.dataset:
        draw_edge(record, source=version.evaluation.dataset, verb="judged", target=ref, project=project)
