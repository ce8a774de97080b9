"""Finding what a monitor compares with: the features' table, the pinned predictions, the baseline they give."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.datasets.contract import DatasetVersion
from taxiway.datasets.service import Datasets
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.thing import parse
from taxiway.models.contract import Evaluation, ModelVersion
from taxiway.models.predicting.signature import Column
from taxiway.monitors.contract import ColumnReference, CreateMonitor, Reference, ReferenceUnfit
from taxiway.monitors.terms import METRIC_WORDS, Metric
from taxiway.storage.blobs import Blobs, verify_blob


class Cut(Struct, frozen=True):
    """A reference with the baseline that goes with it."""

    reference: Reference
    baseline: float
    baseline_from: str


class References:
    """Cuts the reference of a new monitor."""

    def __init__(self, datasets: Datasets, blobs: Blobs, access: Access) -> None:
        self.datasets = datasets
        self.blobs = blobs
        self.access = access

    def cut(self, caller: Caller, endpoint: str, version: ModelVersion, body: CreateMonitor) -> Cut:
        """Raises BadField, DigestMismatch, NotFound, ReferenceUnfit."""
        wanted = wanted_columns(version, body.features)
        check_metric(version, body.metric)
        table = self._table(caller, endpoint, version, body.reference)

        from taxiway.monitors.cutting import ColumnUnfit, ReferenceTable, digest_of

        file = ReferenceTable(self.datasets.table_file(table))
        verify_blob(self.blobs, table.table, f"the table of {table.ref}")
        if lacking := [column.name for column in wanted if column.name not in file.names]:
            problem = f"{table.ref} has no column {', '.join(lacking)}"
            remedy = "Name the features that it has, or another reference."
            raise ReferenceUnfit(endpoint=endpoint, problem=problem, remedy=remedy)
        try:
            features = [file.cut(column.name, column.type) for column in wanted]
            score = self._score(version.evaluation)
        except ColumnUnfit as e:
            remedy = "Leave it out with `features`, or name another reference."
            raise ReferenceUnfit(endpoint=endpoint, problem=str(e), remedy=remedy) from e
        baseline, words = self._baseline(endpoint, version, body)
        pinned = version.evaluation
        reference = Reference(
            digest=digest_of([*features, *([score] if score else [])]),
            dataset=table.ref,
            table=table.table,
            rows=table.rows,
            predictions=pinned.digest if pinned else "",
            predictions_rows=pinned.rows if pinned else 0,
            split=pinned.split if pinned else "",
            features=features,
            score=score,
        )
        return Cut(reference, baseline, words)

    def _table(self, caller: Caller, endpoint: str, version: ModelVersion, given: str) -> DatasetVersion:
        """The version of the dataset whose rows are the reference."""
        pinned = version.evaluation.dataset if version.evaluation else ""
        ref = given or pinned or next(iter(version.datasets), "")
        if not ref:
            problem = f"{version.model}@{version.version} names no dataset that it was trained or judged on"
            raise ReferenceUnfit(endpoint=endpoint, problem=problem, remedy="Name one with `reference`.")
        kind, name, number = parse(ref)
        project, _, dataset = name.partition("/")
        visible = self.access.visible(caller)
        if kind != "dataset" or not dataset:
            expected = "the reference of a dataset version such as 'dataset:flight-delays/training@1'"
            raise BadField(field="reference", value=repr(given), expected=expected)
        if visible is not None and project not in visible:
            raise NotFound(kind="dataset", name=name, hint="`taxiway datasets list` shows those that you may see.")
        return self.datasets.find(project, dataset, number)

    def _score(self, pinned: Evaluation | None) -> ColumnReference | None:
        if pinned is None or not pinned.score:
            return None

        from taxiway.monitors.cutting import ReferenceTable

        verify_blob(self.blobs, pinned.digest, "what the version was judged on")
        return ReferenceTable(self.blobs.file(pinned.digest)).cut("score", "number", pinned.score)

    def _baseline(self, endpoint: str, version: ModelVersion, body: CreateMonitor) -> tuple[float, str]:
        words = METRIC_WORDS[body.metric]
        if body.baseline is not None:
            return body.baseline, "given"
        pinned = version.evaluation
        remedy = "Say what to compare with: `baseline`."
        if pinned is None or (body.metric != "accuracy" and not pinned.score):
            problem = f"{version.model}@{version.version} has no pinned predictions that a {words} follows from"
            raise ReferenceUnfit(endpoint=endpoint, problem=problem, remedy=remedy)
        value = self._measured(body.metric, pinned)
        if value is None:
            problem = f"the pinned predictions of {version.model}@{version.version} give no {words}"
            raise ReferenceUnfit(endpoint=endpoint, problem=problem, remedy=remedy)
        split = f", {pinned.split}" if pinned.split else ""
        return value, f"the pinned predictions of {version.model}@{version.version} ({pinned.rows:,} rows{split})"

    def _measured(self, metric: Metric, pinned: Evaluation) -> float | None:
        from taxiway.gates.laws.statistics import NotBinary, NotProbabilities
        from taxiway.monitors.cutting import ReferenceTable, metric_over
        from taxiway.monitors.measuring import is_same

        verify_blob(self.blobs, pinned.digest, "what the version was judged on")
        file = ReferenceTable(self.blobs.file(pinned.digest))
        labels: Any = file.values(pinned.label, "")
        if metric == "accuracy":
            said = file.values(pinned.prediction, "")
            hits = [float(is_same(label, answer)) for label, answer in zip(labels, said, strict=True)]
            return metric_over(metric, [1] * len(hits), hits)
        try:
            return metric_over(metric, labels, file.values(pinned.score, "number"))
        except (NotBinary, NotProbabilities):
            return None


def wanted_columns(version: ModelVersion, features: list[str] | None) -> list[Column]:
    """The inputs to watch, in the signature's order. Moments have no bins; they are watched only by mistake."""
    inputs = version.signature.inputs
    if features is None:
        return [column for column in inputs if column.type != "datetime"]
    known = {column.name: column for column in inputs}
    for name in features:
        if name not in known or known[name].type == "datetime":
            fitting = ", ".join(column.name for column in inputs if column.type != "datetime")
            raise BadField(field="features", value=repr(name), expected=f"inputs of {version.ref}: {fitting}")
    return [column for column in inputs if column.name in features]


def check_metric(version: ModelVersion, metric: Metric) -> None:
    """Refuses a metric of probabilities for a version whose answers hold none of the second of two labels."""
    has_score = any(column.name == "score" for column in version.signature.outputs)
    if metric != "accuracy" and not (has_score and version.threshold is not None):
        why = f"accuracy: {version.ref} does not answer with the probability of one of two labels"
        raise BadField(field="metric", value=repr(metric), expected=why)
