"""The pages of traces: a list that can be searched, and one trace as a waterfall, whatever its program sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from taxiway.kernel.caller import Caller
from taxiway.traces.contract import Event, Remark, Span
from taxiway.traces.service import Place
from taxiway.traces.telling import in_order, shown, text_of
from taxiway.traces.told import Told
from tests.support.live import Live, running
from tests.web.browse import Visitor

ANA = Caller(name="local", kind="local", is_admin=True)
HERE = Place(1, "default")
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with a trace that failed, and one without steps."""
    with running(tmp_path_factory.mktemp("traces") / "home", login=False) as live:
        remark = Remark("a-1", "helpful", "feedback", {"feedback": {"value": False}, "rationale": "<b>rude</b>"}, 1, 1)
        steps = [
            span("1", "answer", state="error", message="no such order"),
            span("2", "look <up>", "1", kind="TOOL", attributes={"mlflow.spanInputs": {"order": 3}}),
            span("3", "loop", "3"),
            span("4", "open", "1", ended_ns=None),
        ]
        live.house.traces.log_spans(ANA, {"tr-a": steps}, place=HERE)
        live.house.traces.tell(
            ANA, Told("tr-a", "error", 1000, 2000, request="<i>may I</i>", remarks=[(remark, False)]), place=HERE
        )
        live.house.traces.tell(ANA, Told("tr-b", "unknown", 1, tags={"mlflow.traceName": "empty"}), place=HERE)
        yield live


def span(id_: str, name: str, parent: str | None = None, **more: object) -> Span:
    given: dict[str, object] = {"ended_ns": 2 * SECOND, "events": [Event("exception", SECOND, {"type": "E"})]} | more
    parent_id = parent and parent * 16
    return Span(id=id_ * 16, name=name, started_ns=SECOND, parent=parent_id, **given)  # type: ignore[arg-type]


def test_the_list_shows_the_newest_first_and_can_be_searched(told: Live) -> None:
    every = Visitor(told.url).get("/traces").text
    failed = Visitor(told.url).get("/traces?filter=status%20%3D%20'ERROR'").text
    wrong = Visitor(told.url).get("/traces?filter=colour%20%3D%201").text

    assert "2 traces, 1 failed" in every
    assert every.index("/traces/tr-a") < every.index("/traces/tr-b")
    assert "/traces/tr-b" not in failed
    assert "is not accepted" in wrong


def test_a_trace_is_a_waterfall_of_its_steps(told: Live) -> None:
    page = Visitor(told.url).get("/traces/tr-a").text

    assert "answer failed after 2\N{NO-BREAK SPACE}s, in 4 steps: no such order" in page
    assert 'class="figure-svg waterfall"' in page
    assert "look &lt;up&gt;" in page
    assert "&lt;i&gt;may I&lt;/i&gt;" in page
    assert "&lt;b&gt;rude&lt;/b&gt;" in page
    assert "not ended" in page


def test_a_trace_without_steps_says_so(told: Live) -> None:
    assert "No step of it came here" in Visitor(told.url).get("/traces/tr-b").text
    assert Visitor(told.url).get("/traces/tr-none").status == 404


def test_parents_stand_before_their_children() -> None:
    spans = [span("c", "child", "b"), span("a", "circle", "d"), span("b", "root"), span("d", "circle", "a")]

    assert [(one.name, depth) for one, depth in in_order(spans)] == [
        ("root", 0),
        ("child", 1),
        ("circle", 0),
        ("circle", 1),
    ]
    assert shown([]) == []


def test_a_long_value_is_cut() -> None:
    assert text_of("x" * 3000).endswith(" …")
    assert text_of({"a": 1}) == '{\n  "a": 1\n}'
    assert text_of(None) == ""
