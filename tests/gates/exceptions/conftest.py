"""The story of a version whose fairness is not clear, on a path that leaves some ways around it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from taxiway.client import Client
from tests.gates.story import CARD, PROJECT, UNCLEAR, Story
from tests.support.kept import Kept
from tests.support.live import Live

LEEWAY = """\
path: strict
mode: block
applies_to: {risk: [high]}
waivers: {by: [validator, approver], at_most: 60d}
break_glass: [operator]
stages:
  staging:
    - performance: {metric: accuracy, at_least: 0.85}
      waivable: false
    - fairness: {attribute: race, metric: selection_rate_ratio, at_least: 0.8, resamples: 2000}
      inconclusive: {conditional: 14d}
  production:
    - findings: {}
    - card: {complete: true}
    - approvals: {roles: [validator], count: 1, expires: 90d}
"""


class Exceptional(Story):
    """As the story, with `otto` who operates and `abe` who approves. Version 1 lacks clear fairness and an approval."""

    def __init__(self, live: Live, folder: Path) -> None:
        super().__init__(live, folder, LEEWAY)
        self.otto = live.as_person("otto", "operator", project=PROJECT)
        self.abe = live.as_person("abe", "approver", project=PROJECT)
        self.version(UNCLEAR)
        self.ana.models.enter_card("mortgage", **CARD)
        self.ana.gates.evaluate("mortgage")

    def go_on(self, live: Live, folder: Path) -> None:
        super().go_on(live, folder)
        self.otto, self.abe = live.as_person("otto"), live.as_person("abe")

    def waived(self, by: Client | None = None) -> str:
        """The id of a waiver of fairness that ana asked for and somebody granted."""
        asked = self.ana.gates.waivers.ask("mortgage@1", "fairness", reason="a pilot with 40 customers", days=30)
        (by or self.abe).gates.waivers.grant("mortgage@1", asked.id, comment="bearable for a pilot")
        return asked.id

    def later(self, **by: float) -> None:
        """Puts the server's clock forward."""
        house, now = self.live.house, self.live.house.clock

        def clock() -> datetime:
            return now() + timedelta(**by)

        house.clock = house.writer.clock = house.gates.clock = clock
        house.gates.waivers.clock = house.gates.findings.clock = house.gates.approvals.clock = clock


@pytest.fixture
def story(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Exceptional]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Exceptional, tmp_path) as story:
        yield story
