"""Traffic for monitors: records written by the real inference log, labels kept in a dictionary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from taxiway.endpoints.inferences.ageing.sealing import seal_closed
from taxiway.endpoints.inferences.record import Line
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.kernel.ids import new_id

MARCH = datetime(2013, 3, 1, tzinfo=UTC)
APRIL = datetime(2013, 4, 1, tzinfo=UTC)
MAY = datetime(2013, 5, 1, tzinfo=UTC)


@dataclass
class Traffic:
    """An endpoint's log under a home. `labels` are those that have arrived."""

    home: Path
    endpoint: str = "flights"
    labels: dict[tuple[str, int], Any] = field(default_factory=dict)

    def send(
        self,
        inputs: Sequence[Mapping[str, Any]],
        scores: Sequence[float] | None = None,
        *,
        at: Sequence[datetime] | datetime = MARCH,
        status: Any = "answered",
    ) -> list[tuple[str, int]]:
        """Logs one request of several rows as a gateway does, and ends it as one that stops; gives the rows' keys."""
        request = new_id()
        times = [at] * len(inputs) if isinstance(at, datetime) else at
        answers: list[dict[str, float]] = [{"prediction": int(s >= 0.5), "score": s} for s in scores or ()]
        answers += [{}] * (len(inputs) - len(answers))
        lines = [
            Line(
                prediction_id=request,
                row=row,
                at=MAY + timedelta(days=60),
                event_at=when,
                endpoint=self.endpoint,
                revision=1,
                model=f"{self.endpoint}@1",
                bundle_digest="sha256:0",
                inputs=Raw(msgspec.json.encode(given)),
                outputs=Raw(msgspec.json.encode(answer) if status == "answered" else b"null"),
                latency_ms=1.0,
                status=status,
            )
            for row, (given, answer, when) in enumerate(zip(inputs, answers, times, strict=True))
        ]
        log = InferenceLog(self.home)
        log.append(self.endpoint, lines)
        log.finish()
        return [(request, row) for row in range(len(lines))]

    def seal(self) -> None:
        seal_closed(self.home)

    def label(self, keys: Sequence[tuple[str, int]], labels: Sequence[Any]) -> None:
        self.labels.update(zip(keys, labels, strict=True))

    def labels_between(self, first: str, last: str) -> Mapping[tuple[str, int], Any]:
        return {key: label for key, label in self.labels.items() if first <= key[0] <= last}
