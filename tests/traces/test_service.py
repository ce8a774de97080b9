"""Traces as they are kept: spans and the word on the whole in either order, searched, remarked on, deleted."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.access.service import Access
from taxiway.audit.service import Ledger
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import now
from taxiway.kernel.errors import BadField, NotFound, TooLarge
from taxiway.storage.blobs import FileBlobs
from taxiway.storage.database import Database
from taxiway.storage.keys import Keys
from taxiway.storage.writes import Writer
from taxiway.traces import service
from taxiway.traces.contract import ListTraces, Remark, Span, TraceElsewhere
from taxiway.traces.filter import parse_filter, parse_order
from taxiway.traces.query import Search
from taxiway.traces.service import Place, Traces
from taxiway.traces.told import Told

ANA = Caller(name="local", kind="local", is_admin=True)
HERE, THERE = Place(1, "default"), Place(2, "default")
SECOND = 1_000_000_000


@pytest.fixture
def traces(url_with_tables: str, tmp_path: Path) -> Iterator[Traces]:
    database = Database(url_with_tables)
    writer = Writer(database, now, str(tmp_path))
    ledger = Ledger(database, writer, Keys(tmp_path / "keys"))
    yield Traces(database, ledger, Access(database, ledger, now), FileBlobs(tmp_path / "blobs"))
    writer.close()
    database.close()


def span(id_: str, at_s: float = 1, *, parent: str | None = None, name: str = "step", **more: object) -> Span:
    start = int(at_s * SECOND)
    given: dict[str, object] = {"ended_ns": start + SECOND, "state": "ok"} | more
    return Span(id=id_ * 16, name=name, started_ns=start, parent=parent and parent * 16, **given)  # type: ignore[arg-type]


def found(traces: Traces, text: str, *order: str) -> list[str]:
    search = Search(terms=tuple(parse_filter(text)), order=parse_order(order), experiments=(1,))
    return [trace.id for trace in traces.search(search)[0]]


def test_spans_make_a_trace_and_its_program_has_the_last_word(traces: Traces) -> None:
    traces.log_spans(ANA, {"tr-1": [span("b", 2, parent="a")]}, place=HERE)
    first = traces.find("tr-1")
    traces.log_spans(ANA, {"tr-1": [span("a", 1, name="ask", ended_ns=5 * SECOND)]}, place=HERE)
    second = traces.find("tr-1")
    told = Told("tr-1", "error", 900, 4321, request="hello", tags={"mlflow.traceName": "chat"}, facts={"user": "u"})
    third = traces.tell(ANA, told, place=HERE)
    traces.log_spans(ANA, {"tr-1": [span("c", 0)]}, place=HERE)

    assert (first.state, first.name, first.started_ms, first.duration_ms) == ("running", "", 2000, 1000)
    assert (second.state, second.name, second.started_ms, second.duration_ms) == ("ok", "ask", 1000, 4000)
    assert (third.state, third.name, third.started_ms, third.duration_ms) == ("error", "chat", 900, 4321)
    assert (third.request, third.facts, third.spans, third.created_by) == ("hello", {"user": "u"}, 2, "local")
    shown = traces.with_spans(["tr-1", "tr-none"])
    assert [[one.id[0] for one in each.spans] for each in shown] == [["c", "a", "b"]]
    assert shown[0].trace.state == "error"


def test_a_span_sent_again_stands_once(traces: Traces) -> None:
    for name in ("first", "second"):
        traces.log_spans(ANA, {"t": [span("a", name=name)]}, place=HERE)

    assert [one.name for one in traces.with_spans(["t"])[0].spans] == ["second"]


def test_a_trace_of_another_experiment_is_not_written_to(traces: Traces) -> None:
    traces.log_spans(ANA, {"t": [span("a")]}, place=HERE)

    with pytest.raises(TraceElsewhere):
        traces.log_spans(ANA, {"new": [span("b")], "t": [span("b")]}, place=THERE)
    with pytest.raises(TraceElsewhere):
        traces.tell(ANA, Told("t", "ok", 1), place=THERE)

    assert [len(one.spans) for one in traces.with_spans(["t", "new"])] == [1]


SEARCHES = {
    "status = 'ERROR'": ["b"],
    "timestamp_ms < 2000": ["a"],
    "end_time_ms = 2500": ["a"],
    "name LIKE 'Ask%'": ["a"],
    "name ILIKE 'ask%'": ["b", "a"],
    "name RLIKE '^.sk$'": ["b", "a"],
    "tags.team = 'x'": ["a"],
    "tags.team != 'x'": ["b"],
    "tags.team IS NULL": ["c"],
    "metadata.user = 'u'": ["b"],
    "run_id = 'r1'": ["c", "b"],
    "request_id IN ('a', 'c')": ["c", "a"],
    "span.name = 'tool'": ["a"],
    "span.type = 'TOOL'": ["a"],
    "span.status = 'ERROR'": ["b"],
    "span.attributes.city.name = 'Bern'": ["b"],
    "text LIKE '%Bern%'": ["b"],
    "text LIKE '%bern%'": [],
    "feedback.score >= 0.5": ["a"],
    "feedback.score < 0.5": [],
    "feedback.score IS NOT NULL AND status = 'OK'": ["a"],
}


def test_searches_find_what_they_say(traces: Traces) -> None:
    tell_three(traces)

    assert {text: found(traces, text) for text in SEARCHES} == SEARCHES


def tell_three(traces: Traces) -> None:
    traces.log_spans(ANA, {"a": [span("a", kind="TOOL", name="tool")]}, place=HERE)
    shown = span("a", name="ask", state="error", attributes={"city.name": "Bern"})
    traces.log_spans(ANA, {"b": [shown]}, place=HERE)
    remark = Remark("n1", "score", "feedback", {"value": 0.7}, 1, 1)
    team = {"mlflow.traceName": "Ask", "team": "x"}
    traces.tell(ANA, Told("a", "ok", 1000, 1500, tags=team, remarks=[(remark, 0.7)]), place=HERE)
    facts = {"user": "u", "mlflow.sourceRun": "r1"}
    traces.tell(ANA, Told("b", "error", 2000, tags={"mlflow.traceName": "ask", "team": "y"}, facts=facts), place=HERE)
    traces.tell(ANA, Told("c", "running", 3000), place=HERE)
    traces.link(ANA, ["c", "nothing"], "r1", project="default")


def test_what_has_no_value_is_last_either_way(traces: Traces) -> None:
    tell_three(traces)

    assert found(traces, "", "execution_time_ms", "timestamp desc") == ["a", "c", "b"]
    assert found(traces, "", "execution_time_ms DESC", "timestamp") == ["a", "b", "c"]
    assert found(traces, "", "name") == ["a", "b", "c"]


def test_a_list_goes_on_where_it_ended(traces: Traces) -> None:
    tell_three(traces)
    first = traces.list(ANA, ListTraces(limit=2))
    second = traces.list(ANA, ListTraces(limit=2, after=first.next or ""))

    assert [t.id for t in first.items + second.items] == ["c", "b", "a"]
    assert (first.next, second.next) == ("2", None)
    assert traces.list(ANA, ListTraces(limit=3)).next is None
    for odd in (ListTraces(limit=0), ListTraces(limit=501), ListTraces(after="x")):
        with pytest.raises(BadField):
            traces.list(ANA, odd)


def test_tags_and_remarks_come_and_go(traces: Traces) -> None:
    tell_three(traces)
    traces.tag(ANA, "a", {"team": "z"})
    traces.untag(ANA, "b", "team")
    traces.drop_remark(ANA, "a", "n1")

    assert (traces.find("a").tags["team"], traces.find("a").remarks) == ("z", [])
    assert "team" not in traces.find("b").tags
    with pytest.raises(NotFound):
        traces.untag(ANA, "b", "team")
    with pytest.raises(NotFound):
        traces.drop_remark(ANA, "a", "n1")
    with pytest.raises(NotFound):
        traces.tag(ANA, "nothing", {"a": "b"})


def test_a_file_belongs_to_its_trace(traces: Traces) -> None:
    tell_three(traces)
    digest = traces.blobs.put(io.BytesIO(b"{}"))
    traces.put_file(ANA, "a", "traces.json", digest, "application/json")

    assert [(file.path, file.size_bytes) for file in traces.files("a")] == [("traces.json", 2)]
    with pytest.raises(NotFound):
        traces.put_file(ANA, "nothing", "traces.json", digest, "application/json")


def test_the_oldest_go_first(traces: Traces) -> None:
    tell_three(traces)

    assert traces.delete(ANA, place=HERE, until_ms=3000, most=1) == 1
    assert traces.delete(ANA, place=THERE, ids=["b"]) == 0
    assert [t.id for t in traces.several(["a", "b", "c"])] == ["b", "c"]
    assert traces.delete(ANA, place=HERE, ids=["b", "c"]) == 2
    assert traces.with_spans(["b"]) == []


def test_traces_go_with_their_experiment(traces: Traces) -> None:
    tell_three(traces)
    traces.tell(ANA, Told("elsewhere", "ok", 1), place=THERE)

    traces.ledger.writer.write(lambda change: traces.drop_of(change.connection, [1, 7]))

    assert [t.id for t in traces.several(["a", "b", "c", "elsewhere"])] == ["elsewhere"]


def test_there_is_an_end_to_what_is_taken(traces: Traces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_SPANS", 1)
    monkeypatch.setattr(service, "MOST_SPANS_AT_ONCE", 2)
    with pytest.raises(TooLarge):
        traces.log_spans(ANA, {"t": [span("a"), span("b")]}, place=HERE)
    with pytest.raises(TooLarge):
        traces.log_spans(ANA, {"t": [span(letter) for letter in "abc"]}, place=HERE)
    for odd in ("", "../x", "a" * 65, "-a"):
        with pytest.raises(BadField):
            traces.tell(ANA, Told(odd, "ok", 1), place=HERE)
    with pytest.raises(TooLarge):
        traces.tell(ANA, Told("t", "ok", 1, tags={"a": "x" * 8001}), place=HERE)

    assert traces.several(["t"]) == []
