"""The story of one prediction: from the answer back to the version, its run, its data, and who let it pass."""

from __future__ import annotations

from taxiway.datasets.contract import DatasetVersion
from taxiway.endpoints.contract import AskTrace, KeptLabel, PredictionTrace, Revision, TracedRow
from taxiway.endpoints.external import store as external
from taxiway.endpoints.external.refusals import PredictionAmbiguous
from taxiway.endpoints.inferences.labelling import Labels, RowId
from taxiway.endpoints.inferences.log import find
from taxiway.endpoints.inferences.record import Inference
from taxiway.endpoints.inferences.subjects import revealed
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.models.contract import ModelVersion
from taxiway.runs.contract import Run

MOST_ROWS = 100


class Tracer:
    """Traces predictions."""

    def __init__(self, endpoints: Endpoints, labels: Labels) -> None:
        self.endpoints = endpoints
        self.labels = labels

    def project_of(self, prediction: str) -> str:
        """The project of the endpoint that made a prediction. Raises NotFound."""
        return self.endpoints.project_of(self.found(prediction)[0].endpoint)

    def found(self, prediction: str) -> list[Inference]:
        """The records of a request, row by row. Raises NotFound, PredictionAmbiguous."""
        found = find(self.endpoints.home, prediction) or self._fed(prediction)
        if not found:
            hint = "Its id is in the answer and in the header Taxiway-Prediction-Id."
            raise NotFound(kind="prediction", name=prediction, hint=hint)
        return found

    def _fed(self, prediction: str) -> list[Inference]:
        """The records of a request that was answered elsewhere, by the other side's id, or ENDPOINT:ID.

        Raises PredictionAmbiguous.
        """
        endpoint, _, rest = prediction.partition(":")
        with self.endpoints.database.read() as connection:
            called = {own for _, own in external.called_here(connection, prediction)}
            called |= {own for name, own in external.called_here(connection, rest) if name == endpoint}
        if len(called) > 1:
            raise PredictionAmbiguous(prediction=prediction, count=len(called))
        return [found for own in called for found in find(self.endpoints.home, own)]

    def trace(self, caller: Caller, body: AskTrace, *, prediction: str) -> PredictionTrace:
        """Raises NotFound, for a row that the request did not have, too."""
        records = self.found(prediction)
        first = records[0]
        project = self.endpoints.project_of(first.endpoint)
        if first.subject_key and self.endpoints.below.access.is_allowed(caller, "endpoints.personal", project):
            records = revealed(self.endpoints.home, records)
        asked = [each for each in records if body.row in (None, each.row)]
        if not asked:
            hint = f"The request had {len(records)}, counted from 0."
            raise NotFound(kind="row", name=f"{prediction}/{body.row}", hint=hint)
        revision = self.endpoints.revision(caller, endpoint=first.endpoint, number=first.revision)
        below = self.endpoints.below
        version = below.models.recall(revision.model, revision.version)
        run = below.runs.find(version.run) if version.run else None
        shown = asked[:MOST_ROWS]
        labels = self.labels.for_rows([(each.prediction_id, each.row) for each in shown])
        return PredictionTrace(
            prediction_id=first.prediction_id,
            at=first.at,
            latency_ms=first.latency_ms,
            row_count=len(records),
            rows=[traced(each, labels) for each in shown],
            endpoint=first.endpoint,
            project=version.project,
            revision=revision,
            version=version,
            bundle=first.bundle_digest,
            is_same_bundle=is_same_bundle(first, revision, version),
            run=run,
            datasets=self._datasets(version, run),
            gates=self.endpoints.standing_at_deploy(first.endpoint, first.revision),
            stages=below.models.stages(caller, model=version.model, version=str(version.version)).items,
        )

    def _datasets(self, version: ModelVersion, run: Run | None) -> list[DatasetVersion]:
        """What the version was trained on and what its run read besides."""
        refs = dict.fromkeys([*version.datasets, *(run.inputs if run else [])])
        return [self._dataset(ref) for ref in refs]

    def _dataset(self, ref: str) -> DatasetVersion:
        thing = parse(ref)
        project, _, name = thing.name.partition("/")
        return self.endpoints.below.datasets.find(project, name, thing.version)


def traced(record: Inference, labels: dict[RowId, KeptLabel]) -> TracedRow:
    return TracedRow(
        record.row,
        record.event_at,
        record.inputs,
        record.outputs,
        record.status,
        record.error,
        labels.get((record.prediction_id, record.row)),
    )


def is_same_bundle(record: Inference, revision: Revision, version: ModelVersion) -> bool:
    """Whether log, revision and version speak of the same bytes."""
    return record.bundle_digest == revision.bundle == version.bundle
