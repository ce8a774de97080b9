"""The table of runs, and where all pages of runs are. What they say is put in words by `telling`."""

from __future__ import annotations

from typing import Any

import msgspec

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.runs import telling
from taxiway.runs.compare_page import ComparePage
from taxiway.runs.comparison import Comparisons
from taxiway.runs.contract import ListRuns
from taxiway.runs.filter import Field, Order, render_order
from taxiway.runs.log import Log
from taxiway.runs.parsing import parse_order
from taxiway.runs.preview import ArtifactPage
from taxiway.runs.run_page import RunPage
from taxiway.runs.service import Runs
from taxiway.web.figures.sparkline import Sparkline
from taxiway.web.site import Found, Html, Site, View

ON_A_PAGE = 50
MOST_CHARTS = 12
MOST_COLUMNS = 3  # parameters shown beside the metric
SPARK_COLUMNS = 48
CHART_COLUMNS = 400
MOST_SHOWN_BYTES = 200_000
SHORT = 20  # points that are few enough to be dots
PICTURES = ("image/svg+xml", "image/png", "image/jpeg")


class RunPages:
    def __init__(self, runs: Runs, log: Log) -> None:
        self.runs = runs
        self.log = log

    # --- the table ---

    def all(self, view: View) -> Html:
        """A refused filter leaves the form as it was sent, and says what is wrong with it."""
        order = view.one("order", "-started_at")
        ask = ListRuns(
            project=view.one("project"),
            experiment=view.one("experiment"),
            filter=view.one("filter"),
            limit=ON_A_PAGE,
            after=view.one("after"),
        )
        experiments = sorted({e.name for e in self.runs.experiments(view.caller, telling.of_project(ask)).items})
        values: dict[str, Any] = {
            "title": "Runs",
            "ask": ask,
            "order": order,
            "url": view.url,
            "experiments": [("", "all"), *((name, name) for name in experiments)],
            "problem": "",
        }
        if ask.project:
            values["project"] = ask.project
        try:
            ask = msgspec.structs.replace(ask, order=read_order(order))
            values |= self._rows(view, ask)
        except BadField as refusal:
            values |= {"problem": str(refusal), "runs": [], "counts": {}, "metric": "", "metrics": []}
            return Html("runs/list.html", "runs", {**values, "answer": "This filter cannot be read"}, refusal.status)
        return Html("runs/list.html", "runs", values)

    def _rows(self, view: View, ask: ListRuns) -> dict[str, Any]:
        page = self.runs.list(view.caller, ask)
        counts = self.runs.count(view.caller, ask)
        metrics = telling.common([run.metrics for run in page.items])
        params = telling.varying([run.params for run in page.items], MOST_COLUMNS)
        kinds = [telling.is_numeric(page.items, name) for name in params]
        metric = view.one("metric") or ordered_metric(ask.order) or telling.chief([run.metrics for run in page.items])
        ids = [run.id for run in page.items] if metric else []
        courses = self.log.courses(ids, metric, columns=SPARK_COLUMNS) or [[] for _ in page.items]
        sparks = [
            Sparkline(title=f"{metric} of {run.name}", values=tuple(value for _, value in course))
            if len(course) > 1
            else None
            for run, course in zip(page.items, courses, strict=True)
        ]
        return {
            "runs": page.items,
            "next": page.next,
            "counts": counts,
            "answer": telling.of_list(ask, counts),
            "metric": metric,
            "metrics": [(name, name) for name in sorted({*metrics, metric} - {""})],
            "sparks": sparks,
            "values": [telling.number_of(run, metric) for run in page.items],
            "params": [telling.cells(run, params, kinds) for run in page.items],
            "columns": telling.columns(metric, params, kinds, has_courses=any(sparks)),
        }

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Runs whose name holds the text, the newest first."""
        named = f"name contains {telling.quoted(text)}"
        found = self.runs.list(caller, ListRuns(filter=named, limit=most)).items
        return [Found(run.name, f"/runs/{run.id}", f"{run.status}, in {run.project}") for run in found]


def add(site: Site, runs: Runs, log: Log, comparisons: Comparisons) -> None:
    """Slots for panels of the nouns above: ``runs/run`` is given a run's reference; ``runs/compare`` those of all the
    runs compared, with a blank between."""
    pages, one = RunPages(runs, log), RunPage(site, runs, log)
    site.page("/runs", pages.all, needs="runs.read", scope="platform")
    site.page("/runs/compare", ComparePage(site, log, comparisons).show, needs="runs.read", scope="platform")
    site.page("/runs/{run}", one.show, needs="runs.read")  # after those whose names could be an id
    site.page("/runs/{run}/charts", one.charts, needs="runs.read")
    site.page("/runs/{run}/metric", one.metric, needs="runs.read")
    site.page("/runs/{run}/artifact", ArtifactPage(runs).show, needs="runs.read")
    site.finds("Runs", pages.find)


def read_order(text: str) -> str:
    """The order that a column's link asks for ("-metrics.loss" is falling) in the words of the service."""
    found = parse_order(text.removeprefix("-"))
    return ", ".join(render_order(Order(one.field, is_falling=text.startswith("-"))) for one in found)


def ordered_metric(order: str) -> str:
    fields: list[Field] = [one.field for one in parse_order(order)]
    return next((field.name for field in fields if field.kind == "metrics"), "")
