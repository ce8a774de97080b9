"""The page of one run, the charts on it that move while it runs, and a page for each of its metrics."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from msgspec import Struct

from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.natural import natural
from taxiway.kernel.thing import href
from taxiway.runs.contract import CHANGES, Artifact, Run
from taxiway.runs.points import times
from taxiway.runs.points.history import Columns
from taxiway.runs.points.log import Log
from taxiway.runs.points.segments import History
from taxiway.runs.service import Runs
from taxiway.runs.showing import telling
from taxiway.runs.showing.curves import AXES, Curves, Look, draw, read_look
from taxiway.web.figures.lines import LineChart, Point
from taxiway.web.sides import texts_of
from taxiway.web.site import Html, Site, View

MOST_CHARTS = 60
SMALL_COLUMNS = 160
MOST_ROOMY = 12  # charts: more are small ones,
DENSE_COLUMNS, DENSE_HEIGHT = 90, 132.0
MOST_OPEN = 30  # and once so many are seen, the headings that follow are folded
LARGE_COLUMNS = 800
MOST_POINTS_LISTED = 100
MOST_SHOWN_BYTES = 200_000
PICTURES = ("image/svg+xml", "image/png", "image/jpeg")
BY_FOLD = "By fold"
SYSTEM, MACHINE = "system", 2  # metrics of the machine stand last, folded


class Group(Struct, frozen=True):
    """The charts under one heading."""

    title: str
    charts: list[LineChart]
    is_open: bool


class RunPage:
    def __init__(self, site: Site, runs: Runs, log: Log) -> None:
        self.site = site
        self.runs = runs
        self.log = log
        self.curves = Curves(log)

    def show(self, view: View) -> Html:
        run = self.runs.find(view.path["run"])
        artifacts = sorted(self.runs.artifacts(run.id), key=lambda artifact: natural(artifact.path))
        values = {
            "title": run.name,
            "project": run.project,
            "params": [(name, telling.text_of(value)) for name, value in sorted(run.params.items(), key=by_name)],
            "pictures": [a for a in artifacts if a.media_type in PICTURES],
            "artifacts": artifacts,
            "folders": by_folder(artifacts),
            "shown_path": telling.shown_path,
            "predictions": [a for a in artifacts if a.predictions is not None],
            "inputs": [(ref.removeprefix("dataset:"), href(ref)) for ref in run.inputs],
            "changes": telling.patch_lines(self._text(artifacts, CHANGES)),
            "logs": [(a.path, text) for a in artifacts if a.path.startswith("logs/") and (text := self._read(a))],
            "packages": self.runs.packages(run.id).packages,
            "panels": self.site.drawn("runs/run", view, run.ref),
            **self._metrics(run, read_look(view)),
        }
        return Html("runs/run.html", "runs", values)

    def charts(self, view: View) -> Html:
        """The part of the page that is about metrics, for whoever watches it; empty where `seen` is what there is."""
        run = self.runs.find(view.path["run"])
        if view.one("seen") == mark_of(run, self.log.counts(run.id)):
            return Html("runs/same.html", "runs")
        return Html("runs/metrics.html", "runs", self._metrics(run, read_look(view)))

    def _metrics(self, run: Run, look: Look) -> dict[str, object]:
        counts = self.log.counts(run.id)
        names = sorted(run.metrics, key=natural)
        curved = [name for name in names if counts.get(name, 0) > 1 and look.shows(name)]
        drawn = sorted(curved, key=place_of)[:MOST_CHARTS]
        is_dense = len(drawn) > MOST_ROOMY
        columns, height = (DENSE_COLUMNS, DENSE_HEIGHT) if is_dense else (SMALL_COLUMNS, 220.0)
        groups: list[Group] = []
        for (place, title), those in groupby(drawn, section):
            charts = self.curves.charts([run], list(those), look, columns=columns, height=height)
            before = sum(len(group.charts) for group in groups)
            groups.append(Group(title, charts, is_open=place < MACHINE and (before < MOST_OPEN or bool(look.find))))
        return {
            "run": run,
            "answer": telling.of_run(run, counts),
            "look": look,
            "axes": AXES,
            "metrics": [(name, telling.number_of(run, name), counts.get(name, 0)) for name in names],
            "groups": groups,
            "is_dense": is_dense,
            "by_fold": BY_FOLD,
            "shown_name": telling.shown_name,
            "left_out": len(curved) - len(drawn),
            "has_curves": any(count > 1 for count in counts.values()),
            "mark": mark_of(run, counts),
        }

    def metric(self, view: View) -> Html:
        """One metric, large: a stretch of its steps, and its points as numbers."""
        run = self.runs.find(view.path["run"])
        key, look = view.one("key"), read_look(view)
        if key not in run.metrics:
            hint = f"Its page lists those it logged: /runs/{run.id}"
            raise NotFound(kind="metric", name=key[:250], hint=hint)
        first, last = step_of(view, "from"), step_of(view, "to")
        found = self.log.history(run.id, key, first_step=first, last_step=last)
        values = {
            "title": f"{key} of {run.name}",
            "project": run.project,
            "run": run,
            "key": key,
            "look": look,
            "axes": AXES,
            "first": "" if first is None else first,
            "last": "" if last is None else last,
            "answer": telling.of_series(key, found),
            "chart": large(run, key, found, look),
            "count": len(found),
            "texts": texts_of(found.values[-MOST_POINTS_LISTED:].tolist())[0][::-1],
            "points": [
                (step, times.moment(at), value)
                for step, at, value in zip(
                    found.steps[-MOST_POINTS_LISTED:].tolist(),
                    found.at[-MOST_POINTS_LISTED:].tolist(),
                    found.values[-MOST_POINTS_LISTED:].tolist(),
                    strict=True,
                )
            ][::-1],
        }
        return Html("runs/metric.html", "runs", values)

    def _text(self, artifacts: list[Artifact], path: str) -> str:
        found = next((a for a in artifacts if a.path == path), None)
        return self._read(found) if found else ""

    def _read(self, artifact: Artifact) -> str:
        """The beginning of a text artifact."""
        with self.runs.blobs.open(artifact.digest) as file:
            text = file.read(MOST_SHOWN_BYTES).decode("utf-8", "replace")
        is_whole = artifact.size_bytes <= MOST_SHOWN_BYTES
        return text if is_whole else f"{text}\n… download the file for the rest"


def by_name(pair: tuple[str, object]) -> tuple[list[str | int], str]:
    return natural(pair[0])


def section(name: str) -> tuple[int, str]:
    """Under which heading a metric's chart stands: what comes before its first slash.

    Those with a value for each fold come after those with a course, those of the machine last.
    """
    head, slash, _ = name.partition("/")
    if telling.is_by_fold(name):
        return 1, BY_FOLD
    return (MACHINE if head == SYSTEM else 0), head if slash else ""


def place_of(name: str) -> tuple[int, tuple[list[str | int], str]]:
    """The order of the headings."""
    place, head = section(name)
    return place, natural(head)


def mark_of(run: Run, counts: dict[str, int]) -> str:
    """Changes whenever a run logs a point or ends."""
    return f"{run.status}-{sum(counts.values())}-{len(counts)}"


def by_folder(artifacts: list[Artifact]) -> list[tuple[str, list[Artifact]]]:
    """Artifacts under their first folder, those that lie in none first."""
    found: dict[str, list[Artifact]] = {"": []}
    for artifact in artifacts:
        head, slash, _ = artifact.path.partition("/")
        found.setdefault(head if slash else "", []).append(artifact)
    return [(folder, kept) for folder, kept in found.items() if kept]


def step_of(view: View, name: str) -> int | None:
    text = view.one(name)
    if not text:
        return None
    step = view.number(name, 0)
    if not -(2**63) <= step < 2**63:
        raise BadField(field=name, value=text, expected="a step")
    return step


def large(run: Run, key: str, found: History, look: Look) -> LineChart:
    return draw([run], key, [drawn_points(found, look)], look, height=420)


def drawn_points(found: History, look: Look) -> list[Point]:
    """What a large chart shows of a series: all of it, or each column's extremes."""
    places = found.steps if look.axis == "step" else times.within_calendar(found.at)
    if len(found) <= 2 * LARGE_COLUMNS:
        order = np.argsort(places, kind="stable")
        return list(zip(places[order].astype(float).tolist(), found.values[order].tolist(), strict=True))
    columns = Columns(LARGE_COLUMNS, int(places.min()), int(places.max()))
    columns.add(places, found.values)
    return list(columns.drawn())
