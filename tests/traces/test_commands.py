"""Traces from a shell and from Python."""

from __future__ import annotations

import pytest

from taxiway.cli import main
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.traces.contract import Span
from taxiway.traces.service import Place
from tests.support.live import Live

ANA = Caller(name="local", kind="local", is_admin=True)


@pytest.fixture
def told(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> Live:
    monkeypatch.setenv("TAXIWAY_URL", open_live.url)
    steps = [
        Span("a" * 16, "answer", 0, 2_000_000_000, state="ok"),
        Span("b" * 16, "look up", 500_000_000, parent="a" * 16, kind="TOOL"),
    ]
    open_live.house.traces.log_spans(ANA, {"tr-1": steps, "tr-2": [steps[0]]}, place=Place(1, "default"))
    return open_live


def test_a_shell_lists_and_shows_them(told: Live, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["traces", "list", "span.type = 'TOOL'"]) == 0
    listed = capsys.readouterr().out
    assert main(["traces", "show", "tr-1"]) == 0
    shown = capsys.readouterr().out.splitlines()

    assert "tr-1" in listed
    assert "tr-2" not in listed
    assert shown[0] == "answer: ok in 2000 ms"
    assert [line.split()[0] for line in shown[1:] if line.strip("─- ")] == ["step", "answer", "look"]


def test_python_goes_on_over_pages(told: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taxiway.traces.client.AT_ONCE", 1)

    assert [trace.id for trace in told.client.traces.list(project="default")] == ["tr-1", "tr-2"]
    assert [trace.id for trace in told.client.traces.list(limit=1)] == ["tr-1"]
    assert [span.name for span in told.client.traces.show("tr-1").spans] == ["answer", "look up"]
    with pytest.raises(NotFound):
        told.client.traces.show("tr-3")
