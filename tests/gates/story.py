"""A project on a strict path with people, data, and versions whose gates have known answers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from taxiway.client import Client
from taxiway.datasets.contract import DatasetVersion
from taxiway.models.bundles.bundle import Manifest, NativeModel, write_bundle
from taxiway.models.contract import ModelVersion
from taxiway.models.predicting.signature import Column, Signature
from tests.support.live import Live

PROJECT = "mortgages"
PATH = """\
path: strict
applies_to: {risk: [high]}
stages:
  staging:
    - data_contract: {}
    - performance: {metric: accuracy, at_least: 0.85}
    - fairness: {attribute: race, metric: selection_rate_ratio, at_least: 0.8, resamples: 2000}
  production:
    - card: {complete: true}
    - approvals: {roles: [validator], count: 1, expires: 90d}
mode: block
"""
CONTRACT = """\
columns:
  gdlin: {type: integer, allowed: [0, 1]}
"""
CARD = {
    "intended_use": "support the clerk who decides",
    "limits": "homes in Boston only",
    "ethical_considerations": "redlining by proxy was looked for",
    "who_is_affected": "applicants",
    "contact": "ana",
}
SIGNATURE = Signature(
    inputs=(Column(name="income", type="number"),),
    outputs=(Column(name="prediction", type="integer"), Column(name="score", type="number")),
)

# How many of each group's rows are selected. Nine of ten predictions are right, whatever the group.
FAIR = {"white": (1000, 900), "black": (1000, 880)}
UNFAIR = {"white": (1000, 900), "black": (1000, 500)}
UNCLEAR = {"white": (1000, 900), "black": (60, 45)}

Groups = dict[str, tuple[int, int]]


def table(groups: Groups, *, right: float = 0.9) -> pa.Table:
    """Predictions with that many rows and selections a group, the share `right` of which are as labelled."""
    rows: dict[str, list[float | int | str]] = {"approve": [], "said": [], "score": [], "race": []}
    for name, (count, selected) in groups.items():
        for row in range(count):
            said = int(row < selected)
            is_right = (row * 7) % 1000 < right * 1000
            rows["said"].append(said)
            rows["score"].append(0.9 if said else 0.1)
            rows["approve"].append(said if is_right else 1 - said)
            rows["race"].append(name)
    return pa.table(rows)


class Story:
    """`olga` owns the project, `ana` makes versions, `vera` and `vito` validate, `ivo` runs the platform."""

    def __init__(self, live: Live, folder: Path, path: str = PATH) -> None:
        self.live = live
        self.folder = folder
        self.ivo = live.as_person("ivo", is_admin=True)
        self.ivo.gates.publish(path)
        self.olga = live.as_person("olga")
        self.olga.projects.create(PROJECT, purpose="decide on mortgages", risk="high", path="strict")
        self.ana = live.as_person("ana", "contributor", project=PROJECT)
        self.vera = live.as_person("vera", "validator", project=PROJECT)
        self.vito = live.as_person("vito", "validator", project=PROJECT)
        self.data = self.dataset()
        self.made = 0

    def go_on(self, live: Live, folder: Path) -> None:
        """Goes on with a server that holds all that was told until now."""
        self.live, self.folder = live, folder
        self.ivo, self.olga, self.ana = map(live.as_person, ("ivo", "olga", "ana"))
        self.vera, self.vito = map(live.as_person, ("vera", "vito"))

    def dataset(self, *, gdlin: int = 1) -> DatasetVersion:
        rows = pa.table({"gdlin": [0, 1, gdlin], "approve": [0, 1, 1]})
        return self.ana.datasets.register("loans", rows, project=PROJECT, contract=CONTRACT)

    def version(
        self,
        groups: Groups,
        *,
        right: float = 0.9,
        by: Client | None = None,
        data: DatasetVersion | None = None,
        name: str = "mortgage",
    ) -> ModelVersion:
        """A new version with such predictions, logged from a run."""
        client, used = by or self.ana, data or self.data
        with client.runs.start(project=PROJECT) as run:
            run.use(used)
            run.log(accuracy=right)
            predictions = run.log_predictions(
                table(groups, right=right),
                label="approve",
                prediction="said",
                score="score",
                groups=["race"],
                dataset=used,
                split="out of fold",
            )
            folder = self.bundle(name, run.id, used)
            return client.models.register(folder, project=PROJECT, evaluation=predictions)

    def bundle(
        self, name: str, run: str | None = None, data: DatasetVersion | None = None, *, risk: str = "high"
    ) -> Path:
        """A sealed folder, different from every other."""
        self.made += 1
        folder = self.folder / f"bundle-{self.made}"
        folder.mkdir()
        (folder / "model.bin").write_bytes(f"model {self.made}".encode())
        (folder / "weights").mkdir()
        (folder / "weights" / "one.bin").write_bytes(b"1")
        draft = Manifest(
            name=name,
            flavour="none",
            signature=SIGNATURE,
            native=NativeModel(file="model.bin", serialization="none"),
            threshold=0.5,
            run=run,
            datasets=(data.digest,) if data else (),
            risk_tier=risk,
        )
        write_bundle(folder, draft, lock="numpy==2.0\n")
        return folder

    def ready(self, groups: Groups = FAIR) -> ModelVersion:
        """A version with all of its evidence, complete card, no approval."""
        version = self.version(groups)
        self.ana.models.enter_card("mortgage", **CARD)
        self.ana.gates.evaluate("mortgage")
        return version


def verdicts(client: Client, name: str = "mortgage") -> dict[str, str]:
    """Each gate's verdict."""
    return {gate.gate: gate.verdict for stage in client.gates.show(name).stages for gate in stage.gates}
