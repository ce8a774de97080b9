"""What a monitor asks of the endpoint that it watches."""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.endpoints.contract import LabelValue
from taxiway.endpoints.inferences.labelling import Labels
from taxiway.endpoints.service import Endpoints
from taxiway.models.contract import ModelVersion
from taxiway.models.service import Models


class Watched:
    """Endpoints, as far as monitors ask them."""

    def __init__(self, endpoints: Endpoints, labels: Labels, models: Models) -> None:
        self.endpoints = endpoints
        self.labels = labels
        self.models = models
        self.home = endpoints.home

    def project_of(self, endpoint: str) -> str:
        """The project that owns an endpoint. Raises NotFound."""
        return self.endpoints.project_of(endpoint)

    def served(self, endpoint: str) -> ModelVersion:
        """The version that should answer now. Raises NotFound."""
        record = self.endpoints.find(endpoint)
        return self.models.recall(record.model, record.version)

    def labels_between(self, endpoint: str, first: str, last: str) -> Mapping[tuple[str, int], LabelValue]:
        """The labels of the predictions whose ids lie between two ids, both counted, by prediction id and row."""
        return self.labels.between(endpoint, first, last)

    def state(self, endpoint: str) -> tuple[int, int]:
        """What changes with every record and every label of an endpoint: cheap to ask, and to be compared only."""
        from taxiway.monitors.measuring import log_size

        return log_size(self.home, endpoint), self.labels.count(endpoint)
