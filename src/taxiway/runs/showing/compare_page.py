"""The page on which runs stand side by side: two or twenty with everything, up to a hundred as a table and lines."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from taxiway.kernel.natural import natural
from taxiway.runs.compare import Row, Scalar
from taxiway.runs.comparison import MOST_WITH_CODE, Comparisons
from taxiway.runs.contract import CompareRuns, Comparison, Run
from taxiway.runs.points.log import Log
from taxiway.runs.search.filter import NOTE
from taxiway.runs.showing import telling
from taxiway.runs.showing.curves import AXES, Curves, Look, read_look
from taxiway.web.figures.lines import LineChart
from taxiway.web.figures.parallel import ParallelChart, Upright
from taxiway.web.numbers import number
from taxiway.web.sides import Cell, Line
from taxiway.web.site import Html, Site, View

MOST_CHARTS = 24
FEW_CHARTS = 8  # of more runs than stand side by side with their code
COLUMNS, FEWEST_COLUMNS = 200, 40
MOST_DRAWN = 4000  # columns of all lines of a chart
SIDE_BY_SIDE = 8  # more runs than these are rows, not columns
MOST_AXES = 9
LONGEST_NUMBER = 6  # digits of a number in a text that nobody minds
MOST_WORDS = 12  # different texts on one axis


class ComparePage:
    def __init__(self, site: Site, log: Log, comparisons: Comparisons) -> None:
        self.site = site
        self.log = log
        self.comparisons = comparisons
        self.curves = Curves(log)

    def show(self, view: View) -> Html:
        ids = view.query.get("run", [])
        if len(set(ids)) < 2:
            return Html("runs/compare.html", "runs", {"title": "Compare", "found": None, "ids": ids})
        look = read_look(view)
        found = self.comparisons.compare(view.caller, CompareRuns(run=ids))
        runs = found.runs
        projects = {run.project for run in runs}
        values: dict[str, Any] = {
            "title": "Compare " + " and ".join(telling.labels(runs)[:3]),
            "found": found,
            "runs": runs,
            "labels": telling.labels(runs),
            "answer": telling.of_comparison(found),
            "is_wide": len(runs) > SIDE_BY_SIDE,
            "cells": cells_of(found) if len(runs) > SIDE_BY_SIDE else None,
            **metrics_by_kind(found.metrics),
            "params": telling.plain_lines(found.params),
            "tags": telling.plain_lines(row for row in found.tags if row.name != NOTE),
            "inputs": telling.plain_lines(found.inputs),
            "environment": telling.plain_lines(found.environment),
            "changes": telling.code_diffs(found),
            "code_words": telling.of_code(runs, found.code),
            "has_code": len(runs) <= MOST_WITH_CODE,
            "look": look,
            "axes": AXES,
            "hidden": [("run", run.id) for run in runs],
            "parallel": parallel(found),
            **self._charts(runs, look),
            "panels": self.site.drawn("runs/compare", view, " ".join(run.ref for run in runs)),
        }
        if len(projects) == 1:
            values["project"] = projects.pop()
        return Html("runs/compare.html", "runs", values)

    def _charts(self, runs: list[Run], look: Look) -> dict[str, Any]:
        counts = [self.log.counts(run.id) for run in runs]
        names = sorted({name for each in counts for name, points in each.items() if points > 1}, key=natural)
        shown = [name for name in names if look.shows(name)]
        shown.sort(key=telling.is_of_machine)
        most = MOST_CHARTS if len(runs) <= MOST_WITH_CODE else FEW_CHARTS
        columns = max(FEWEST_COLUMNS, min(COLUMNS, MOST_DRAWN // len(runs)))
        charts: list[LineChart] = self.curves.charts(runs, shown[:most], look, columns=columns)
        named = [msgspec.structs.replace(chart, title=telling.shown_name(chart.title)) for chart in charts]
        return {
            "charts": [chart for chart in named if not telling.is_of_machine(chart.title)],
            "machine_charts": [chart for chart in named if telling.is_of_machine(chart.title)],
            "has_curves": bool(names),
            "left_out": max(0, len(shown) - most),
        }


def metrics_by_kind(rows: list[Row]) -> dict[str, list[Line]]:
    """The metrics that say how good runs are; those of each fold, of which the last is compared; the machine's."""
    kinds: dict[str, list[Row]] = {"metrics": [], "folds": [], "machine": []}
    for row in rows:
        is_by_fold, is_of_machine = telling.is_by_fold(row.name), telling.is_of_machine(row.name)
        kinds["machine" if is_of_machine else "folds" if is_by_fold else "metrics"].append(row)
    return {kind: telling.metric_lines(found) for kind, found in kinds.items()}


def cells_of(found: Comparison) -> tuple[list[tuple[str, str, str]], list[list[Cell]]]:
    """What differs between many runs, a row for each: the columns and each run's cells, the machine's metrics last.

    After all of them come columns that most runs have nothing in.
    """
    params = [Row(row.name, [short(value) for value in row.values], row.is_different) for row in found.params]
    kinds = metrics_by_kind(found.metrics)
    shown = (*kinds["metrics"], *telling.plain_lines(params), *kinds["folds"], *kinds["machine"])
    differing = [line for line in shown if line.is_different]
    differing.sort(key=lambda line: 2 * sum(not cell.text.strip("–") for cell in line.cells) > len(line.cells))
    rows = [[line.cells[index] for line in differing] for index in range(len(found.runs))]
    return [("", line.name, "num") for line in differing], rows


def short(value: Scalar | None) -> Scalar | None:
    """A parameter for a narrow column: four digits of a number, also of one that was logged as a text."""
    found = number_in(value) if isinstance(value, str) and len(value) > LONGEST_NUMBER else value
    return number(found, 4) if isinstance(found, float) and math.isfinite(found) else value


def parallel(found: Comparison) -> ParallelChart | None:
    """Parameters that differ, then metrics that do, as axes; None where there are fewer than two."""
    params = [upright(row) for row in found.params if row.is_different and is_common(row)]
    metrics = [upright(row) for row in found.metrics if is_common(row) and not telling.is_of_machine(row.name)]
    metrics.sort(key=lambda axis: telling.rank(axis.name))
    few = [axis for axis in params if len(axis.words) <= MOST_WORDS]
    most_metrics = max(2, MOST_AXES - len(few))
    axes = [*few[: MOST_AXES - min(len(metrics), 2)], *metrics[:most_metrics][::-1]][:MOST_AXES]
    if len(axes) < 2 or len(found.runs) < 3:
        return None
    return ParallelChart(
        title="From parameters to metrics",
        names=tuple(telling.labels(found.runs)),
        axes=tuple(axes),
        urls=tuple(f"/runs/{run.id}" for run in found.runs),
        height=320,
    )


def is_common(row: Row) -> bool:
    """Whether half of the runs at least have a value, and not all of those the same: else nothing is seen there."""
    given = [value for value in row.values if value is not None]
    return 2 * len(given) >= len(row.values) and len(set(map(repr, given))) > 1


def upright(row: Row) -> Upright:
    """A row as an axis: of numbers where every value is one, else of texts."""
    given = [value for value in row.values if value is not None]
    numbers = [number_in(value) for value in given]
    if all(number is not None for number in numbers):
        return Upright(row.name, tuple(None if value is None else number_in(value) for value in row.values))
    return Upright(row.name, tuple(None if value is None else telling.text_of(value) for value in row.values))


def number_in(value: object) -> float | None:
    """A parameter as a number: one that was logged as such, or as a text that says one, as other clients do."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(str(value))
    except ValueError:
        return None
