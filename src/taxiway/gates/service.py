"""Gates as the other rooms see them: how a version stands, and the guard that models ask before anything moves."""

from __future__ import annotations

from functools import partial

from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.gates import store
from taxiway.gates.approving.service import Approvals
from taxiway.gates.approving.upstream import makers_of_things, project_of_thing
from taxiway.gates.canaries import store as canaries_store
from taxiway.gates.contract import GATE_STAGES, Approval, Approve, Evaluate, InboxItem, Standing
from taxiway.gates.eligible.service import Eligibility
from taxiway.gates.exceptions import store as exceptions_store
from taxiway.gates.exceptions.breaking import Glass
from taxiway.gates.exceptions.service import Waivers
from taxiway.gates.findings import store as findings_store
from taxiway.gates.findings.service import Findings
from taxiway.gates.laws.estimates import GroupRate
from taxiway.gates.laws.rules import interval_words
from taxiway.gates.observing import store as watched
from taxiway.gates.observing.service import Observing, warn, watch
from taxiway.gates.paths.service import Paths, pin
from taxiway.gates.planning.service import Planning
from taxiway.gates.proposing.service import Proposals
from taxiway.gates.questionnaires import store as questionnaires_store
from taxiway.gates.questionnaires.service import Questionnaires
from taxiway.gates.refusals import GateClosed, Unmet
from taxiway.gates.reviews import store as reviews_store
from taxiway.gates.reviews.service import Reviews
from taxiway.gates.standing.closing import closed, waived
from taxiway.gates.standing.evaluation import Evaluations
from taxiway.gates.standing.look import Look, Sources
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.contract import CardField, ModelStage, ModelVersion
from taxiway.models.service import Models
from taxiway.storage.database import Database


class Gates:
    """Paths, evidence and approvals of one platform. It is the `Guard` of its models."""

    def __init__(self, database: Database, ledger: Ledger, access: Access, *, models: Models, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self.models = models
        self.paths = Paths(database, ledger)
        self.observing = Observing(database, access, self.paths)
        self.sources = Sources(models, self.paths, access)
        self.evaluations = Evaluations(database, ledger, self.sources, clock)
        self.planning = Planning(database, self.evaluations, access, clock)
        self.proposals = Proposals(database, ledger, self.planning, access)
        self.approvals = Approvals(database, ledger, self.sources, access, clock)
        self.reviews = Reviews(ledger, self.sources, clock)
        self.eligibility = Eligibility(database, self.sources, clock)
        self.waivers = Waivers(database, ledger, self.sources, clock)
        makers, places = partial(makers_of_things, models), partial(project_of_thing, models)
        self.findings = Findings(database, ledger, access, clock, makers=makers, places=places)
        self.questionnaires = Questionnaires(database, ledger, access, models)
        self.glass = Glass(ledger, self.sources, self.findings)
        models.catalogue.follow.append(follow_name)

    def standing(self, caller: Caller, *, model: str, version: str | int) -> Standing:
        """How a version stands before every gate of its path. Raises NotFound, PathUnfit."""
        found = self.models.find(model, version)
        with self.database.read() as connection:
            return Look(self.sources, connection, found, self.clock()).standing()

    def evaluate(self, caller: Caller, *, model: str, version: str) -> Standing:
        """As `Evaluations.evaluate`."""
        return self.evaluations.evaluate(caller, Evaluate(), model=model, version=version)

    def approve(self, caller: Caller, body: Approve, *, model: str, version: str) -> Approval:
        """As `Approvals.approve`."""
        return self.approvals.approve(caller, body, model=model, version=version)

    def inbox(self, caller: Caller) -> Page[InboxItem]:
        """As `Approvals.inbox`."""
        return self.approvals.inbox(caller)

    def questionnaires_asked(self, model: str, version: int) -> set[str]:
        """The names of the questionnaires that a version's path asks for; none where its project has no usable path."""
        found = self.models.find(model, version)
        try:
            with self.database.read() as connection:
                path = self.sources.path(connection, found)
        except TaxiwayError:
            return set()
        gates = [spec for stage in path.stages for spec in stage.gates if spec.check == "attestation"]
        return {str(spec.parameters["questionnaire"]).partition("@")[0] for spec in gates}

    # --- the guard of models ---

    def require_open(self, record: Record, version: ModelVersion, stage: ModelStage) -> None:
        """Raises GateClosed unless every gate of every stage up to this one is open, as of this change.

        A gate is open, too, while a waiver stands in for it; and all are while the glass is broken.
        """
        pin(record, self.sources.path(record.connection, version))
        standing = Look(self.sources, record.connection, version, record.at).standing()
        if unmet := [*closed(standing, stage), *self.reviews.unmet(record, version)]:
            self._require_broken(record, standing, stage, unmet)
        if said := waived(standing, stage):
            record.note(waived=said)
        watch(record, standing, stage)
        answerable = self.sources.access.people_who_may("access.grant", version.project)
        warn(record, standing, stage, [*answerable, version.created_by])
        record.note(path=standing.path, evidence=[g.evidence for s in standing.stages for g in s.gates if g.evidence])
        record.note(approvals=[a.id for s in standing.stages for a in s.approvals if a.counts])

    def _require_broken(self, record: Record, standing: Standing, stage: ModelStage, unmet: list[Unmet]) -> None:
        """Raises GateClosed unless the glass was broken for the stage and that holds."""
        glass = standing.broken
        if glass is not None and glass.until > record.at and stage in GATE_STAGES[: GATE_STAGES.index(glass.stage) + 1]:
            record.note(broken_glass=glass.id, past=[each.gate for each in unmet])
            return
        raise GateClosed(
            model=standing.model,
            version=standing.version,
            stage=stage,
            unmet=unmet,
            waived=waived(standing, stage),
            overdue=standing.overdue,
        )

    def guarded_aliases(self, connection: Connection, version: ModelVersion) -> dict[ModelStage, str]:
        """For each stage the alias that moves with it alone, by the version's path."""
        return dict(self.sources.path(connection, version).aliases.items())

    def card_fields(self, connection: Connection, version: ModelVersion) -> list[CardField]:
        """The rates by group and the gates' numbers, as fields of the version's card."""
        newest = {
            each.gate: each.outcome for each in reversed(store.evidence_of(connection, version.model, version.version))
        }
        outcomes = list(newest.values())
        groups = "; ".join(
            f"share selected by {o.metric.rpartition(' by ')[2]}: {rates_words(o.groups)}" for o in outcomes if o.groups
        )
        numbers = "; ".join(f"{o.metric} {interval_words(o.estimate)}" for o in outcomes if o.estimate)
        return [
            CardField(
                "measured", "Measured with intervals", numbers, "recorded" if numbers else "missing", [version.ref]
            ),
            CardField("by_group", "Evaluation by group", groups, "recorded" if groups else "missing", [version.ref]),
        ]


def follow_name(record: Record, before: str, to: str) -> None:
    """Evidence, approvals, requests, waivers and findings take a model's new name."""
    store.rename_model(record.connection, before, to)
    reviews_store.rename_model(record.connection, before, to)
    exceptions_store.rename_model(record.connection, before, to)
    canaries_store.rename_model(record.connection, before, to)
    findings_store.rename_model(record.connection, before, to)
    questionnaires_store.rename_model(record.connection, before, to)
    watched.rename_model(record.connection, before, to)


def rates_words(groups: list[GroupRate]) -> str:
    return ", ".join(
        f"{each.group} {interval_words(each.rate)} of {each.rate.n:,}{'' if each.is_counted else ' (too few to count)'}"
        for each in groups
    )
