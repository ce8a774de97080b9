"""All that the platform knows of a version, collected once: what readers read. Values alone, no services."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from taxiway.audit.contract import Entry
from taxiway.datasets.contract import DatasetVersion, Profile
from taxiway.endpoints.contract import EndpointRecord
from taxiway.evidence.contract import Statement
from taxiway.gates.contract import Evidence, PathVersion, Standing
from taxiway.gates.findings.contract import Finding
from taxiway.gates.questionnaires.contract import Questionnaire, Sheet
from taxiway.gates.reviews.contract import Review
from taxiway.lineage.contract import Edge
from taxiway.models.bundles.bundle import Manifest
from taxiway.models.contract import Card, ModelVersion, StageEntry
from taxiway.monitors.contract import MonitorReport
from taxiway.projects.contract import Project
from taxiway.runs.again.sameness import Reproduction
from taxiway.runs.contract import Artifact, Run


class Data(Struct, frozen=True):
    """A dataset's version, with its profile where whoever asks may see it."""

    version: DatasetVersion
    profile: Profile | None


class Facts(Struct, frozen=True, kw_only=True):
    """Everything about one version, oldest first in every list. None or empty where there is nothing.

    evidence: the newest of each gate. paths: those it was judged by. said: statements about it and its run.
    unseen: refs of data in projects that whoever asks may not see.
    """

    version: ModelVersion
    project: Project
    card: Card
    as_of: datetime
    manifest: Manifest | None = None
    lock: str = ""
    run: Run | None = None
    packages: dict[str, str] = {}
    artifacts: list[Artifact] = []
    reproductions: list[Reproduction] = []
    predecessors: list[ModelVersion] = []
    stages: list[StageEntry] = []
    datasets: list[Data] = []
    unseen: list[str] = []
    evidence: list[Evidence] = []
    standing: Standing | None = None
    paths: list[PathVersion] = []
    sheets: list[Sheet] = []
    questionnaires: list[Questionnaire] = []
    findings: list[Finding] = []
    reviews: list[Review] = []
    endpoints: list[EndpointRecord] = []
    monitors: list[MonitorReport] = []
    edges: list[Edge] = []
    said: list[Statement] = []
    entries: list[Entry] = []
