"""Finding, noting, setting aside and freeing runs, as typed."""

from __future__ import annotations

import json

import pytest

from taxiway.cli import main
from tests.runs.conftest import MakeRun
from tests.support.live import Live


@pytest.fixture
def typed(open_live: Live, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two runs' ids, and a command line that speaks to their server."""
    open_live.client.projects.create("fraud")
    monkeypatch.setenv("TAXIWAY_URL", open_live.url)
    return [make_run(open_live.client, name, metrics={"auc": auc}).id for name, auc in (("good", 0.9), ("bad", 0.1))]


def test_a_run_is_noted_found_set_aside_taken_back_and_freed(
    typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = typed

    def say(*words: str) -> str:
        code = main([*words])
        assert code == 0
        return capsys.readouterr().out

    assert say("runs", "note", good, "a *wider* net") == ""
    assert say("runs", "note", good) == "a *wider* net\n"
    assert good in say("runs", "list", '"wider net" or metrics.auc > 1', "--order", "metrics.auc desc, name")
    assert bad in say("runs", "delete", bad)
    assert bad not in say("runs", "list")
    assert bad in say("runs", "trash")
    say("runs", "restore", bad)
    say("runs", "delete", bad, good)
    assert "2 runs and 0 experiments would be freed" in say("gc", "--dry-run")
    assert "0 runs and 0 experiments freed" in say("gc", "--older-than", "7d")
    freed = json.loads(say("gc", "--json"))
    assert (freed["runs"], freed["kept"]) == (2, [])
    assert say("runs", "trash") == "(none)\n"


def test_what_cannot_be_read_is_said_with_its_place(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list", "metrics.auc >"]) == 1
    assert "at character 14, where it ends" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["gc", "--older-than", "soon"])
