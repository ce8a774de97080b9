"""Two servers on one database whose clocks differ: what was void stays void."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from taxiway.gates.refusals import GateClosed
from tests.gates.story import Story
from tests.support.kept import Kept


def test_a_clock_that_is_behind_brings_no_approval_back(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with kept.again(Story, tmp_path) as story:
        story.ready()
        story.vera.gates.approve("mortgage", comment="seen")
        behind = datetime.now(UTC) - timedelta(minutes=30)
        monkeypatch.setattr(story.live.house.writer, "clock", lambda: behind)
        story.olga.models.promote("mortgage@1", "archived", reason="it is wrong")

        with pytest.raises(GateClosed):
            story.ana.models.promote("mortgage@1", "production")

        entries = story.ivo.audit.entries(limit=1000).items
    assert [entry.at for entry in entries] == sorted((entry.at for entry in entries), reverse=True)
