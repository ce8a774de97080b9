"""A project whose versions can reach production in three steps, for tests of what may answer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from msgspec import Raw

from taxiway.endpoints.blocks import MANY
from taxiway.endpoints.gateway.configuration import Configuration, read_configuration
from taxiway.endpoints.inferences.record import Line, Lines
from taxiway.endpoints.inferences.writing import InferenceLog
from taxiway.endpoints.steering.publishing import Front
from taxiway.kernel.ids import new_id
from taxiway.models.contract import ModelVersion
from tests.gates.story import FAIR, PROJECT, Story
from tests.support.live import Live

PATH = """\
path: strict
mode: block
applies_to: {risk: [high]}
stages:
  staging:
    - performance: {metric: accuracy, at_least: 0.6}
  production:
    - approvals: {roles: [validator], count: 1, expires: 90d}
"""


class Stage(Story):
    """As the story of gates, and `olu` operates. No gateway runs: what it would read and write is looked at here."""

    def __init__(self, live: Live, folder: Path) -> None:
        super().__init__(live, folder, PATH)
        self.olu = live.as_person("olu", "operator", project=PROJECT)
        self._meet(live)

    def go_on(self, live: Live, folder: Path) -> None:
        super().go_on(live, folder)
        self.olu = live.as_person("olu")
        self._meet(live)

    def _meet(self, live: Live) -> None:
        self.home = live.house.home
        live.house.publisher.front = Front(login=True)

    def approved(self) -> ModelVersion:
        """A new version with every gate open, still in no stage."""
        version = self.version(FAIR)
        name = f"mortgage@{version.version}"
        self.ana.gates.evaluate(name)
        self.vera.gates.approve(name, comment="looked at it")
        return version

    def promoted(self) -> ModelVersion:
        """A new version in production."""
        version = self.approved()
        name = f"mortgage@{version.version}"
        self.ana.models.promote(name, "staging")
        return self.ana.models.promote(name, "production")

    def deployed(self, version: str = "mortgage@newest") -> int:
        """The number of the revision that a deployment made."""
        return self.olu.endpoints.deploy("mortgage", version, wait=False).number

    def configuration(self) -> Configuration:
        """What the gateway would read, its signature checked."""
        return read_configuration(self.home / "gateway", self.live.house.keys.public_file.read_bytes())

    def answered(self, rows: int = 1, endpoint: str = "mortgage") -> str:
        """The id of a prediction, recorded as the gateway records it."""
        at, request = datetime.now(UTC), new_id()
        asked, told = Raw(b'{"income":1.0}'), Raw(b'{"prediction":1}')
        of = ("mortgage@1", "sha256:" + "0" * 64)
        shared = Lines(rows, request, at, endpoint, 1, *of, [asked] * rows, [told] * rows, 2.5, "answered")
        alone = [Line(request, row, at, at, endpoint, 1, *of, asked, told, 2.5, "answered") for row in range(rows)]
        lines = [shared] if rows >= MANY else alone
        log = InferenceLog(self.home)
        log.append(endpoint, lines, rows)
        log.finish()
        return request
