"""What an image's log says of its bundle."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

from taxiway.endpoints.gateway.status import GatewayStatus, RevisionStatus, State, write_status
from taxiway.endpoints.standalone.telling import tell, words


def seen(state: State, reason: str = "", *lines: str) -> RevisionStatus:
    return RevisionStatus("credit", 1, "credit", 1, "sha256:0", state, False, reason, log_tail=list(lines))


def test_it_says_that_it_answers_or_why_it_does_not() -> None:
    reason = "a worker ended with exit code 1: ModuleNotFoundError: No module named 'pandas'"

    assert words(seen("ready")) == "taxiway: credit answers"
    assert words(seen("starting")) == ""
    assert words(seen("failing", reason, "Traceback", "ModuleNotFoundError")) == (
        f"taxiway: credit does not answer: {reason}\n  Traceback\n  ModuleNotFoundError"
    )


def test_each_change_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    ended, said = threading.Event(), list[str]()

    def write(state: State) -> None:
        when = datetime(2026, 1, 1, tzinfo=UTC)
        write_status(tmp_path, GatewayStatus(1, when, when, 1, [seen(state, "it is no model")]))

    def say(line: str) -> None:
        said.append(line)
        write("ready")
        if len(said) == 2:
            ended.set()

    write("refused")
    last = threading.Timer(10, ended.set)
    last.start()
    tell(tmp_path, say, ended)
    last.cancel()

    assert said == ["taxiway: credit does not answer: it is no model", "taxiway: credit answers"]
