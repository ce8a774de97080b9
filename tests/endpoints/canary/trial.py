"""Versions on trial at the endpoint `mortgage`: comparisons, log and labels as gateway and callers leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Raw

from taxiway.endpoints.canary.contract import CanaryDetail
from taxiway.endpoints.canary.looking import STILL_S, Attendant
from taxiway.endpoints.contract import Label
from taxiway.endpoints.inferences.record import Line
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.endpoints.rollout.comparisons import Comparisons, Pair
from taxiway.kernel.ids import new_id
from tests.endpoints.story import Stage
from tests.support.live import Live

FIRST = datetime(2013, 7, 1, 8, tzinfo=UTC)
PATH = """\
path: strict
mode: block
applies_to: {risk: [high]}
stages:
  staging:
    - performance: {metric: accuracy, at_least: 0.6}
  production:
    - approvals: {roles: [validator], count: 1, expires: 90d}
    - canary: {share: 0.2, metric: log_loss, non_inferiority: 0.05, cluster: day, min_clusters: 6}
"""
ROWS = 20  # of a day, half of them with the label 1


class Trial(Stage):
    """Version 1 answers; the path of later ones asks for a canary."""

    def __init__(self, live: Live, folder: Path) -> None:
        super().__init__(live, folder)
        self.promoted()
        self.deployed()
        self.live.client.gates.publish(PATH)
        self.now_s = 1.0
        self.attendant = Attendant(live.house.endpoints, lambda: self.now_s)

    def staged(self) -> str:
        """A new version that nothing but a canary keeps from production."""
        name = f"mortgage@{self.approved().version}"
        self.ana.models.promote(name, "staging")
        return name

    def play(self, day: int, *, right: float, other: float, labelled: bool = True, shift: float = 0.0) -> None:
        """A day's requests. right, other: what the champion's and the candidate's score give to what came true.

        shift: added to all of the candidate's scores.
        """
        canary = self.shown().canary
        at, request = FIRST + timedelta(days=day), new_id()
        truth = [row % 2 for row in range(ROWS)]
        # One row in four is off by an amount that differs from day to day, as days do.
        off = [0.002 * ((day * 7 + row) % 5) for row in range(ROWS)]
        scores = [
            [abs(1 - label - value) - (extra if label else -extra) for label, extra in zip(truth, off, strict=True)]
            for value in (right, other)
        ]
        pairs = [
            Pair(
                request,
                row,
                datetime.now(UTC),
                canary.champion,
                canary.candidate,
                answer(scores[0][row]),
                answer(scores[1][row] + shift),
                agrees=True,
                latency_ms=1.0,
                shadow_latency_ms=1.2,
                event_at=at + timedelta(minutes=row),
            )
            for row in range(ROWS)
        ]
        file = Comparisons(self.home, "mortgage", canary.candidate)
        file.append(pairs)
        file.close()
        log = InferenceLog(self.home)
        log.append("mortgage", [line(request, row, at, scores[0][row]) for row in range(ROWS)])
        log.finish()
        if labelled:
            self.ana.endpoints.label("mortgage", [Label(request, truth[row], row=row) for row in range(ROWS)])

    def look(self) -> CanaryDetail:
        """Two rounds: labels are let come to an end before they count."""
        self.attendant.round()
        self.now_s += STILL_S
        self.attendant.round()
        return self.shown()

    def shown(self) -> CanaryDetail:
        return self.olu.endpoints.canary("mortgage").show()


def answer(score: float) -> Raw:
    return Raw(f'{{"prediction":{int(score >= 0.5)},"score":{score:.6f}}}'.encode())


def line(request: str, row: int, at: datetime, score: float) -> Line:
    bundle, inputs = "sha256:" + "0" * 64, Raw(b'{"income":1.0}')
    return Line(request, row, at, at, "mortgage", 1, "mortgage@1", bundle, inputs, answer(score), 1.0, "answered")
