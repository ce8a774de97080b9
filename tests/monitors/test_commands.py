"""The command line of monitors, as a shell would use it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from taxiway.cli import main
from tests.monitors.story import ENDPOINT, Story
from tests.monitors.traffic import APRIL, MARCH

Shell = Callable[..., str]


@pytest.fixture
def shell(story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs `taxiway monitors …` against the story's home; gives what it printed."""
    monkeypatch.setenv("TAXIWAY_HOME", str(story.live.house.home))

    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main(["monitors", *words]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


def test_from_create_to_acknowledge_in_a_shell(story: Story, shell: Shell) -> None:
    story.month(MARCH)
    story.month(APRIL, turned=True)

    created = shell("create", ENDPOINT, "--features", "temp", "--tolerance", "0.02")
    evaluated = shell("evaluate", ENDPOINT)
    again = shell("evaluate", ENDPOINT)
    shown = shell("show", ENDPOINT)
    [alert] = json.loads(shell("alerts", "--json"))
    acknowledged = shell("acknowledge", ENDPOINT, alert["id"], "--comment", "on it")

    assert "watched by month, 1 feature against dataset:flight-delays/training@1 (2,000 rows)" in created
    assert "worse than" in created
    assert "ALERT April 2013: The log loss is" in evaluated
    assert again.strip() == "Nothing new: 2 windows stay as they are."
    assert "March 2013" in shown
    assert "open alert" in shown
    assert "result" in shell("windows", ENDPOINT, "--superseded")
    assert alert["window_name"] == "April 2013"
    assert "acknowledged" in acknowledged
    assert "flights" in shell("list")
    assert alert["id"] in shell("alerts", ENDPOINT, "--state", "acknowledged")
    assert "resolved" in shell("resolve", ENDPOINT, alert["id"], "--comment", "retrained")


def test_a_refusal_is_a_sentence_and_an_exit_code(shell: Shell) -> None:
    assert "There is no monitor 'flights'" in shell("show", ENDPOINT, code=1)
