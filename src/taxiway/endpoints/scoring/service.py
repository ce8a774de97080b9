"""The rules of batch scoring: a version scores a file where it may answer, or as a trial that says so."""

from __future__ import annotations

from taxiway.audit.service import Record
from taxiway.endpoints.scoring.contract import AskScoring, ScoringLeave, ScoringTold, TellScoring
from taxiway.endpoints.scoring.refusals import NotInStage
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.kernel.ids import new_id
from taxiway.kernel.thing import parse
from taxiway.lineage.service import draw_edge
from taxiway.models.lookup import require_fit, require_version


class Scoring:
    """Who may score by which version, and what is kept of that."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    def ask(self, caller: Caller, body: AskScoring, *, model: str, version: str) -> ScoringLeave:
        """Leave to score a file: the gates of the stage are open and the version stands in it, as at a deployment.

        A trial asks no gates: its answers are marked, and nobody is to use them. Raises BundleTampered, GateClosed,
        NoBundle, NotFound, NotInStage.
        """
        below = self.endpoints.below
        found = below.models.find(model, version)
        require_fit(found)
        self.endpoints.check_bundle(caller, found, found.ref)

        def make(record: Record) -> ScoringLeave:
            now = require_version(record, found.model, found.version)
            if not body.is_trial:
                below.gates.require_open(record, now, body.serves)
                if now.stage != body.serves:
                    raise NotInStage(model=now.model, version=now.version, stage=now.stage, serves=body.serves)
            leave = ScoringLeave(new_id(), now.model, now.version, now.bundle, body.serves, body.is_trial)
            record.note(scoring=leave.id, bundle=now.bundle, serves=body.serves, is_trial=body.is_trial)
            return leave

        return self.endpoints.ledger.change(
            caller, "endpoints.score", found.ref, make, answer=ScoringLeave, project=found.project
        )

    def tell(self, caller: Caller, body: TellScoring, *, model: str, version: str) -> ScoringTold:
        """Keeps what was scored, with edges from the datasets that were, and from the version, to the output.

        An output that was not registered stands in the edges by the scoring's id. Raises BadField, NotFound.
        """
        below = self.endpoints.below
        found = below.models.find(model, version)
        visible = below.access.visible(caller)
        datasets = [
            each for each in below.datasets.with_digest(body.input) if visible is None or each.project in visible
        ]
        if body.registered:
            self._check_registered(body, found.project)
        output = body.registered or f"scoring:{body.id}"

        def make(record: Record) -> ScoringTold:
            inputs = [each.ref for each in datasets]
            for source in inputs:
                draw_edge(record, source=source, verb="scored_into", target=output, project=found.project)
            draw_edge(record, source=found.ref, verb="scored", target=output, project=found.project)
            record.note(scoring=body.id, input=body.input, output=body.output, inputs=inputs)
            record.note(rows=body.rows, failed=body.failed, is_trial=body.is_trial, registered=body.registered)
            return ScoringTold(body.id, inputs)

        return self.endpoints.ledger.change(
            caller, "endpoints.scored", found.ref, make, answer=ScoringTold, project=found.project
        )

    def _check_registered(self, body: TellScoring, project: str) -> None:
        thing = parse(body.registered)
        versions = self.endpoints.below.datasets.with_digest(body.output)
        if thing.kind != "dataset" or body.registered not in [each.ref for each in versions if each.project == project]:
            expected = f"a dataset version of the project {project} that holds the output's bytes"
            raise BadField(field="registered", value=repr(body.registered), expected=expected)
