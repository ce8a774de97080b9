"""What a PyTorch loop shows of itself is logged with the open run. Needs torch, which our own environment lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import taxiway as tw
from taxiway import client as clients
from taxiway.client import Client

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed here")


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAXIWAY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(clients, "_default", [])
    client = clients.default_client()
    yield client
    tw.autolog(on=False)
    client.close()


def loop(steps: int, *, lr: float = 0.1, passes: int = 1) -> None:
    torch.manual_seed(1)
    model = torch.nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=10, gamma=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        for _ in range(passes):
            ((model(torch.ones(4, 3)) - 1) ** 2).mean().backward()
        optimizer.step()
        schedule.step()


def test_the_losses_and_learning_rates_of_a_loop_are_logged(client: Client) -> None:
    tw.autolog("torch", every=5)

    with tw.run() as run:
        loop(21)

    shown = client.runs.show(run.id)
    losses = client.runs.metric(run.id, "loss")
    rates = [point.value for point in client.runs.metric(run.id, "learning_rate")]
    assert (shown.params["optimizer"], shown.params["momentum"], shown.params["trained_weights"]) == ("SGD", 0.9, 4)
    assert [point.step for point in losses] == [0, 5, 10, 15, 20]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])
    assert float(losses[-1].value) < float(losses[0].value)


def test_several_passes_make_one_loss_and_several_optimizers_their_own(client: Client) -> None:
    tw.autolog("torch", every=1)

    with tw.run() as run:
        loop(3, passes=4)
        loop(2, lr=0.2)

    assert len(client.runs.metric(run.id, "loss")) == 3
    assert len(client.runs.metric(run.id, "optimizer_2/loss")) == 2
    assert client.runs.show(run.id).params["optimizer_2/lr"] == 0.2


def test_without_a_run_or_turned_off_nothing_is_logged(client: Client) -> None:
    before = torch.Tensor.backward
    tw.autolog("torch")
    loop(3)
    tw.autolog(on=False)

    with tw.run() as run:
        loop(3)

    assert torch.Tensor.backward is before
    assert client.runs.show(run.id).metrics == {}
