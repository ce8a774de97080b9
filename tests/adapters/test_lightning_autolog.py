"""What a Lightning trainer does is logged with the open run. Needs Lightning, which our own environment lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import taxiway as tw
from taxiway import client as clients
from taxiway.client import Client

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed here")
lightning: Any = pytest.importorskip("pytorch_lightning", reason="Lightning is not installed here")

pytestmark = pytest.mark.filterwarnings("ignore")
LIBRARY = "pytorch-lightning"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAXIWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(clients, "_default", [])
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    client = clients.default_client()
    yield client
    tw.autolog(on=False)
    client.close()


class Line(lightning.LightningModule):  # type: ignore[misc] # no types here
    def __init__(self, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(3, 1)

    def loss(self, batch: Any) -> Any:
        return ((self.layer(batch) - 1) ** 2).mean()

    def training_step(self, batch: Any, _number: int) -> Any:
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Any, _number: int) -> None:
        self.log("val_loss", self.loss(batch))

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


def train(folder: Path, *, epochs: int = 3) -> None:
    torch.manual_seed(1)
    data = torch.utils.data.DataLoader(torch.ones(40, 3), batch_size=4)
    trainer = lightning.Trainer(
        max_epochs=epochs, log_every_n_steps=5, default_root_dir=folder, accelerator="cpu", logger=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Line(), data, data)


def test_steps_epochs_parameters_and_the_best_checkpoint_are_logged(client: Client, tmp_path: Path) -> None:
    tw.autolog(LIBRARY)

    with tw.run() as run:
        train(tmp_path / "trained")

    shown = client.runs.show(run.id)
    assert (shown.params["module"], shown.params["lr"], shown.params["max_epochs"]) == ("Line", 0.1, 3)
    assert (shown.params["optimizer"], shown.params["trained_weights"]) == ("SGD", 4)
    assert [point.step for point in client.runs.metric(run.id, "train_loss_step")] == [5, 10, 15, 20, 25, 30]
    assert [point.step for point in client.runs.metric(run.id, "val_loss")] == [10, 20, 30]
    epochs = [float(point.value) for point in client.runs.metric(run.id, "train_loss_epoch")]
    assert len(epochs) == 3
    assert epochs[-1] < epochs[0]
    assert "checkpoints/best.ckpt" in [one.path for one in client.runs.artifacts(run.id)]


def test_a_trainer_opens_a_run_of_its_own_and_is_given_back_as_it_was(client: Client, tmp_path: Path) -> None:
    before = lightning.Trainer.fit
    tw.autolog(LIBRARY, models=False)

    train(tmp_path / "trained", epochs=1)
    tw.autolog(on=False)

    runs = client.runs.list()
    assert lightning.Trainer.fit is before
    assert [(run.name, run.status) for run in runs] == [("Line", "finished")]
    assert client.runs.artifacts(runs[0].id) == [
        one for one in client.runs.artifacts(runs[0].id) if "ckpt" not in one.path
    ]
