"""The pages of traces: those there are, and one as a waterfall."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import parse
from taxiway.traces import telling
from taxiway.traces.contract import ListTraces, Trace
from taxiway.traces.filter import Term
from taxiway.traces.query import SOURCE_RUN, Search
from taxiway.traces.service import Traces
from taxiway.web.numbers import duration
from taxiway.web.site import Html, Site, View

COLUMNS = [
    ("", "trace"),
    ("", "state"),
    ("", "began"),
    ("", "took", "num"),
    ("", "steps", "num"),
    ("", "asked", "wide"),
]
LONGEST_ASKED = 120
MOST_IN_PANEL = 5


class TracePages:
    def __init__(self, site: Site, traces: Traces) -> None:
        self.site = site
        self.traces = traces

    def all(self, view: View) -> Html:
        given = {name: view.one(name) for name in ("project", "experiment", "filter", "after") if view.one(name)}
        problem = ""
        try:
            ask = convert(given, ListTraces)
            page = self.traces.list(view.caller, ask)
        except BadField as refusal:
            problem = str(refusal)
            page = self.traces.list(view.caller, ListTraces(project=given.get("project", "")))
        values = {
            "title": "Traces",
            "answer": telling.of_list(page.items, page.next is not None),
            "found": [
                (trace, telling.VERDICTS[trace.state], telling.WORDS[trace.state], moment(trace.started_ms))
                for trace in page.items
            ],
            "next": page.next,
            "columns": COLUMNS,
            "problem": problem,
            "filter": given.get("filter", ""),
            "wanted": {name: given.get(name, "") for name in ("project", "experiment", "after")},
            "url": view.url,
            "duration": in_words,
            "longest": LONGEST_ASKED,
        }
        if given.get("project"):
            values["project"] = given["project"]
        return Html("traces/list.html", "runs", values)

    def of_run(self, view: View, thing: str) -> str | None:
        """The traces of a run, for its page."""
        run = parse(thing).name
        search = Search(terms=(Term("trace", "run", "=", run),), limit=MOST_IN_PANEL)
        found, has_more = self.traces.search(search)
        query = urlencode({"filter": f"run_id = '{run}'"})
        return self._panel(found, f"/traces?{query}", has_more=has_more)

    def of_project(self, view: View, thing: str) -> str | None:
        """A project's newest traces, for its page."""
        project = parse(thing).name
        found, has_more = self.traces.search(Search(project=project, limit=MOST_IN_PANEL))
        return self._panel(found, f"/traces?{urlencode({'project': project})}", has_more=has_more)

    def _panel(self, found: list[Trace], url: str, *, has_more: bool) -> str | None:
        if not found:
            return None
        rows = [(t, telling.VERDICTS[t.state], telling.WORDS[t.state], moment(t.started_ms)) for t in found]
        return self.site.fragment("traces/panel.html", rows=rows, url=url, has_more=has_more, duration=in_words)

    def show(self, view: View) -> Html:
        found = self.traces.show(view.caller, trace=view.path["trace"])
        trace, spans = found.trace, telling.shown(found.spans)
        values = {
            "title": trace.name or trace.id,
            "project": trace.project,
            "trace": trace,
            "answer": telling.of_trace(trace, found.spans),
            "verdict": telling.VERDICTS[trace.state],
            "began": moment(trace.started_ms),
            "took": in_words(trace.duration_ms),
            "spans": spans,
            "most": telling.MOST_STEPS,
            "figure": telling.waterfall(trace, spans) if spans else None,
            "files": self.traces.files(trace.id),
            "facts": telling.facts(trace),
            "runs": list(dict.fromkeys([*filter(None, [trace.facts.get(SOURCE_RUN)]), *trace.runs])),
            "remarks": [telling.remark(one) for one in trace.remarks],
        }
        return Html("traces/trace.html", "runs", values)


def add(site: Site, traces: Traces) -> None:
    pages = TracePages(site, traces)
    site.page("/traces", pages.all, needs="runs.read", scope="platform")
    site.page("/traces/{trace}", pages.show, needs="runs.read")
    site.panel("runs/run", pages.of_run)
    site.panel("projects/project", pages.of_project)


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def in_words(ms: int | None) -> str:
    return "" if ms is None else duration(ms / 1000)
