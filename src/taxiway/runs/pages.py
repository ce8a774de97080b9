"""The pages of runs: the table, one run, and runs side by side. What they say is put in words by `telling`."""

from __future__ import annotations

from typing import Any

import msgspec

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.kernel.numbers import from_wire
from taxiway.kernel.thing import href
from taxiway.runs import telling
from taxiway.runs.comparison import Comparisons
from taxiway.runs.contract import CHANGES, Artifact, CompareRuns, ListRuns, Run
from taxiway.runs.filter import Field, Order, render_order
from taxiway.runs.log import Log
from taxiway.runs.parsing import parse_order
from taxiway.runs.service import Runs
from taxiway.web.figures.lines import Line, LineChart
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
    def __init__(self, site: Site, runs: Runs, log: Log, comparisons: Comparisons) -> None:
        self.site = site
        self.runs = runs
        self.log = log
        self.comparisons = comparisons

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
            "values": [number_of(run, metric) for run in page.items],
            "params": [telling.cells(run, params, kinds) for run in page.items],
            "columns": telling.columns(metric, params, kinds, has_courses=any(sparks)),
        }

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Runs whose name holds the text, the newest first."""
        named = f"name contains {telling.quoted(text)}"
        found = self.runs.list(caller, ListRuns(filter=named, limit=most)).items
        return [Found(run.name, f"/runs/{run.id}", f"{run.status}, in {run.project}") for run in found]

    # --- one run ---

    def show(self, view: View) -> Html:
        run = self.runs.find(view.path["run"])
        artifacts = self.runs.artifacts(run.id)
        counts = self.log.counts(run.id)
        values = {
            "title": run.name,
            "project": run.project,
            "run": run,
            "answer": telling.of_run(run, counts),
            "params": [(name, telling.text_of(value)) for name, value in run.params.items()],
            "metrics": [(name, number_of(run, name), counts.get(name, 0)) for name in run.metrics],
            "charts": self._charts([run], [name for name in run.metrics if counts.get(name, 0) > 1]),
            "pictures": [a for a in artifacts if a.media_type in PICTURES],
            "artifacts": artifacts,
            "predictions": [a for a in artifacts if a.predictions is not None],
            "inputs": [(ref.removeprefix("dataset:"), href(ref)) for ref in run.inputs],
            "changes": telling.patch_lines(self._text(artifacts, CHANGES)),
            "logs": [(a.path, text) for a in artifacts if a.path.startswith("logs/") and (text := self._read(a))],
            "packages": self.runs.packages(run.id).packages,
            "panels": self.site.drawn("runs/run", view, run.ref),
        }
        return Html("runs/run.html", "runs", values)

    def _charts(self, runs: list[Run], names: list[str]) -> list[LineChart]:
        charts = []
        for name in names[:MOST_CHARTS]:
            courses = self.log.courses([run.id for run in runs], name, columns=CHART_COLUMNS)
            lines = tuple(
                Line(name=label, points=tuple(course))
                for label, course in zip(telling.labels(runs), courses, strict=True)
                if course
            )
            is_short = max(len(line.points) for line in lines) <= SHORT
            charts.append(LineChart(title=name, lines=lines, x_name="step", y_name="", has_dots=is_short, height=240))
        return charts

    def _text(self, artifacts: list[Artifact], path: str) -> str:
        found = next((a for a in artifacts if a.path == path), None)
        return self._read(found) if found else ""

    def _read(self, artifact: Artifact) -> str:
        """The beginning of a text artifact."""
        with self.runs.blobs.open(artifact.digest) as file:
            text = file.read(MOST_SHOWN_BYTES).decode("utf-8", "replace")
        is_whole = artifact.size_bytes <= MOST_SHOWN_BYTES
        return text if is_whole else f"{text}\n… download the file for the rest"

    # --- side by side ---

    def compare(self, view: View) -> Html:
        ids = view.query.get("run", [])
        if len(set(ids)) < 2:
            return Html("runs/compare.html", "runs", {"title": "Compare", "found": None, "ids": ids})
        found = self.comparisons.compare(view.caller, CompareRuns(run=ids))
        runs = found.runs
        curves = [row.name for row in found.metrics if self._has_curve(runs, row.name)]
        projects = {run.project for run in runs}
        values = {
            "title": "Compare " + " and ".join(telling.labels(runs)[:3]),
            "found": found,
            "runs": runs,
            "labels": telling.labels(runs),
            "answer": telling.of_comparison(found),
            "metrics": telling.metric_rows(found.metrics),
            "params": telling.plain_rows(found.params),
            "tags": telling.plain_rows(found.tags),
            "inputs": telling.plain_rows(found.inputs),
            "environment": telling.plain_rows(found.environment),
            "changes": [(change.file, telling.diff_lines(change.diff)) for change in found.code],
            "code_words": telling.of_code(runs, found.code),
            "charts": self._charts(runs, curves),
            "panels": self.site.drawn("runs/compare", view, " ".join(run.ref for run in runs)),
        }
        if len(projects) == 1:
            values["project"] = projects.pop()
        return Html("runs/compare.html", "runs", values)

    def _has_curve(self, runs: list[Run], name: str) -> bool:
        return any(self.log.counts(run.id).get(name, 0) > 1 for run in runs)


def add(site: Site, runs: Runs, log: Log, comparisons: Comparisons) -> None:
    """Slots for panels of the nouns above: ``runs/run`` is given a run's reference; ``runs/compare`` those of all the
    runs compared, with a blank between."""
    pages = RunPages(site, runs, log, comparisons)
    site.page("/runs", pages.all, needs="runs.read", scope="platform")
    site.page("/runs/compare", pages.compare, needs="runs.read", scope="platform")  # before {run}
    site.page("/runs/{run}", pages.show, needs="runs.read")
    site.finds("Runs", pages.find)


def read_order(text: str) -> str:
    """The order that a column's link asks for ("-metrics.loss" is falling) in the words of the service."""
    found = parse_order(text.removeprefix("-"))
    return ", ".join(render_order(Order(one.field, is_falling=text.startswith("-"))) for one in found)


def ordered_metric(order: str) -> str:
    fields: list[Field] = [one.field for one in parse_order(order)]
    return next((field.name for field in fields if field.kind == "metrics"), "")


def number_of(run: Run, metric: str) -> float | None:
    """A run's newest value; None where it has none."""
    value = run.metrics.get(metric)
    return None if value is None else from_wire(value)
