"""How a log is kept, said with the deployment that makes its endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.cli import main
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.kernel.errors import BadField
from tests.endpoints.story import Stage
from tests.support.kept import Kept


@pytest.fixture
def stage(kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    with kept.again(Stage, tmp_path) as stage:
        yield stage


def test_a_deployment_says_how_the_log_is_kept_and_the_next_one_leaves_it_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.promoted()
    with pytest.raises(BadField, match="subject"):
        stage.olu.endpoints.deploy("mortgage", "mortgage@1", log=LogPolicy(personal=("name",)), wait=False)
    assert stage.olu.endpoints.list() == []

    policy = LogPolicy("acknowledged", inputs="hash", keep_days=90)
    stage.olu.endpoints.deploy("mortgage", "mortgage@1", log=policy, note="a year is too long", wait=False)
    kept = stage.olu.endpoints.inferences("mortgage").show()
    assert (kept.policy, kept.durability, kept.because) == (policy, "acknowledged", "the endpoint's own")
    assert (kept.changed_by, kept.reason) == ("olu", "a year is too long")
    assert stage.configuration().endpoints[0].log.keep_days == 90

    monkeypatch.setenv("TAXIWAY_URL", stage.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", stage.live.tokens["olu"])
    deploy = ["endpoints", "deploy", "mortgage", "mortgage@1", "--no-wait", "--workers"]
    assert main([*deploy, "2", "--keep-days", "30", "--when-log-full", "go-on"]) == 0
    assert main([*deploy, "3"]) == 0
    capsys.readouterr()
    after = stage.olu.endpoints.inferences("mortgage").show().policy
    assert after == LogPolicy("acknowledged", when_full="go-on", inputs="hash", keep_days=30)
