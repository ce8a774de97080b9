"""A watched endpoint with known answers: a model that is right about warm days until April turns it round."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from taxiway.endpoints.contract import Label
from taxiway.models.bundles.bundle import Manifest, NativeModel, write_bundle
from taxiway.models.contract import ModelVersion
from taxiway.models.predicting.signature import Column, Signature
from tests.monitors.traffic import Traffic
from tests.support.live import Live

PROJECT = "flight-delays"
ENDPOINT = "flights"
SIGNATURE = Signature(
    inputs=(Column(name="temp", type="number", nullable=True), Column(name="origin", type="string")),
    outputs=(Column(name="prediction", type="integer"), Column(name="score", type="number")),
)
CONTRACT = """\
columns:
  origin: {type: string, allowed: [EWR, JFK, LGA]}
"""
ORIGINS = np.array(["EWR", "JFK", "LGA"])
Floats = NDArray[np.float64]


def chances(temp: Floats) -> Floats:
    """What the model says: the warmer, the likelier."""
    return np.asarray(1 / (1 + np.exp((60 - temp) / 8)))


class Served:
    """`olga` owns the project and operates; `ana` contributes; the endpoint `flights` serves version 1.

    table: what it was trained and judged on. said: its held-out predictions, with `late`, `said` and `score`.
    """

    def __init__(self, live: Live, folder: Path, *, table: Any, said: Any, signature: Signature) -> None:
        self.live = live
        self.traffic = Traffic(live.house.home)
        self.reference = table
        self.olga = live.as_person("olga")
        self.olga.projects.create(PROJECT, purpose="say which flights will be late", risk="low")
        self.ana = live.as_person("ana", "contributor", project=PROJECT)
        self.data = self.ana.datasets.register("training", table, project=PROJECT, contract=CONTRACT)
        self.version = self.register(folder / "bundle", said, signature)
        self.ana.gates.evaluate(ENDPOINT)
        self.ana.models.promote(f"{ENDPOINT}@1", "production", reason="good enough")
        self.olga.endpoints.deploy(ENDPOINT, f"{ENDPOINT}@1", wait=False)

    def go_on(self, live: Live, folder: Path) -> None:
        """Goes on with a server that holds all that was told until now."""
        self.live = live
        self.traffic = Traffic(live.house.home)
        self.olga, self.ana = map(live.as_person, ("olga", "ana"))

    def register(self, folder: Path, said: Any, signature: Signature) -> ModelVersion:
        folder.mkdir()
        (folder / "model.bin").write_bytes(b"warm is late")
        with self.ana.runs.start(project=PROJECT) as run:
            run.use(self.data)
            pinned = run.log_predictions(
                said, label="late", prediction="said", score="score", dataset=self.data, split="3 folds of whole days"
            )
            draft = Manifest(
                name=ENDPOINT,
                flavour="none",
                signature=signature,
                native=NativeModel(file="model.bin", serialization="none"),
                threshold=0.5,
                run=run.id,
                datasets=(self.data.digest,),
            )
            write_bundle(folder, draft, lock="numpy==2.0\n")
            return self.ana.models.register(folder, project=PROJECT, evaluation=pinned)

    def label(self, labels: list[Label]) -> None:
        self.olga.endpoints.label(ENDPOINT, labels)


class Story(Served):
    """The warmer, the later: so it was in the reference, and so the model says."""

    def __init__(self, live: Live, folder: Path, *, rows: int = 2000) -> None:
        self.rng = np.random.default_rng(5)
        temp = self.rng.normal(55, 15, rows)
        late = self.truths(temp)
        table = pa.table({"temp": temp, "origin": self.rng.choice(ORIGINS, rows), "late": late})
        said = pa.table({"late": late, "said": (chances(temp) >= 0.5).astype(int), "score": chances(temp)})
        super().__init__(live, folder, table=table, said=said, signature=SIGNATURE)

    def go_on(self, live: Live, folder: Path) -> None:
        super().go_on(live, folder)
        self.rng = copy.deepcopy(self.rng)

    def truths(self, temp: Floats, *, turned: bool = False) -> NDArray[np.int64]:
        """What happened: as the model says, or turned round."""
        likely = 1 - chances(temp) if turned else chances(temp)
        return (self.rng.random(temp.size) < likely).astype(np.int64)

    def month(
        self,
        start: datetime,
        *,
        days: int = 20,
        rows: int = 30,
        warmer: float = 0.0,
        turned: bool = False,
        labelled: bool = True,
    ) -> list[Label]:
        """Traffic of some days from a moment on; the labels that go with it, which arrive unless they are kept back."""
        found: list[Label] = []
        for day in range(days):
            temp = self.rng.normal(55 + warmer, 15, rows)
            inputs = [
                {"temp": float(t), "origin": str(o)} for t, o in zip(temp, self.rng.choice(ORIGINS, rows), strict=True)
            ]
            keys = self.traffic.send(inputs, [float(s) for s in chances(temp)], at=start + timedelta(days=day))
            truths = self.truths(temp, turned=turned)
            found += [Label(id_, int(truth), row) for (id_, row), truth in zip(keys, truths, strict=True)]
        if labelled:
            self.label(found)
        return found
