"""What ties runs to logged models: which they read, which they made, and what they measured of them."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence

from taxiway.access.service import Access
from taxiway.compat.mlflow.logged import ModelPoint
from taxiway.compat.mlflow.shown import Ties
from taxiway.kernel.caller import Caller
from taxiway.kernel.numbers import to_wire
from taxiway.models.logged.contract import LoggedMetric
from taxiway.models.logged.service import LoggedModels
from taxiway.storage.database import read_moment


class ModelTies:
    """The logged models, as the calls about runs need them."""

    def __init__(self, access: Access, logged: LoggedModels) -> None:
        self.access = access
        self.logged = logged

    def ties(self, runs: Sequence[str]) -> Mapping[str, Ties]:
        """By run: the ids of the models it read, and of those it made, each with its step."""
        read, made = self.logged.uses(runs, "input"), self.logged.uses(runs, "output")
        return {run: ([model for model, _ in read.get(run, ())], made.get(run, ())) for run in {*read, *made}}

    def use(self, caller: Caller, models: Sequence[str], *, run: str) -> None:
        """Notes that a run read models. Raises NotFound, and NotAllowed for one that the caller may not read."""
        self._admit(caller, "models.read", models)
        self.logged.use(run=run, models=dict.fromkeys(models, 0), role="input")

    def measure(self, caller: Caller, points: Sequence[ModelPoint], *, run: str) -> None:
        """Keeps what was measured. Raises NotFound, and NotAllowed for a model that the caller may not write to."""
        self._admit(caller, "models.write", [point.model for point in points])
        given: defaultdict[str, list[LoggedMetric]] = defaultdict(list)
        for point in points:
            given[point.model].append(metric_of(point, run))
        self.logged.measure(given)

    def _admit(self, caller: Caller, needs: str, models: Sequence[str]) -> None:
        for model in dict.fromkeys(models):
            find = functools.partial(self._projects, model)
            self.access.admit(caller, needs, kind="logged model", name=model, find=find)

    def _projects(self, model: str) -> list[str]:
        return [self.logged.project_of(model)]


def metric_of(point: ModelPoint, run: str) -> LoggedMetric:
    row = point.row
    return LoggedMetric(
        key=row.key,
        value="NaN" if row.value is None else to_wire(row.value),
        step=row.step,
        at=read_moment(row.at),
        run=run,
        dataset=point.dataset_name,
        dataset_digest=point.dataset_digest,
    )
