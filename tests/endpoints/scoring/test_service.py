"""Who may score a file, by which version, and what is kept of that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from taxiway.client import Client
from taxiway.endpoints.scoring import contract
from taxiway.endpoints.scoring.commands import bar, show
from taxiway.endpoints.scoring.contract import AskScoring
from taxiway.endpoints.scoring.result import HowFar, Scored
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import NotAllowed
from tests.endpoints.story import Stage
from tests.gates.story import FAIR
from tests.support.live import Live

if TYPE_CHECKING:
    from tests.endpoints.running_server import Platform

PROJECT = "mortgages"


def test_a_file_is_answered_as_the_endpoint_answers_its_rows(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.endpoints.running_server import applications

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    frame = applications()[0].iloc[:200]
    given = platform.ana.datasets.register("to-score", frame, project=PROJECT)
    source = platform.ana.datasets.download("to-score", project=PROJECT, to=tmp_path / "in.parquet")

    done = platform.ana.endpoints.score(
        "mortgage@1", source, tmp_path / "out.parquet", keep=["income"], register="scored"
    )
    online = platform.ana.endpoints.invoke("mortgage", frame).predictions

    found = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert found["prediction"] == [each["prediction"] for each in online]
    assert found["score"] == pytest.approx([each["score"] for each in online], abs=1e-14, rel=0)
    assert (done.inputs, done.registered) == ([given.ref], f"dataset:{PROJECT}/scored@1")
    edges = {(e.source, e.verb) for e in platform.ana.lineage.walk(done.registered).edges}
    assert {(given.ref, "scored_into"), ("model:mortgage@1", "scored")} <= edges


def test_closed_gates_let_only_a_trial_through(sqlite_live: Live, tmp_path: Path) -> None:
    stage = Stage(sqlite_live, tmp_path)
    stage.version(FAIR)
    where = {"model": "mortgage", "version": "newest"}

    def ask(client: Client, *, is_trial: bool = False) -> contract.ScoringLeave:
        return client.transport.call(contract.ask_scoring, AskScoring(is_trial=is_trial), **where)

    with pytest.raises(GateClosed):
        ask(stage.olu)
    with pytest.raises(NotAllowed):
        ask(stage.vera, is_trial=True)
    assert ask(stage.olu, is_trial=True).is_trial
    assert sqlite_live.last_verb() == "endpoints.score"


def test_the_bar_tells_rows_speed_and_time_left() -> None:
    far = HowFar(rows=30, share=0.25, rows_per_s=10.0, seconds_left=90.0)

    assert bar(far) == "[######                  ] 30 rows, 10 rows/s, 1:30 left"


def test_a_trial_is_told_as_one() -> None:
    done = Scored(
        id="1",
        model="m",
        version=2,
        is_trial=True,
        rows=5,
        failed=1,
        resumed=0,
        output="o",
        digest="d",
        input_digest="e",
    )

    assert "This is a trial" in show(done)
    assert "1 rows have no answer" in show(done)
