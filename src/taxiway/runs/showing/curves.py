"""The charts of metrics: over steps or time, linear or logarithmic, as measured or smoothed."""

from __future__ import annotations

import fnmatch
import math
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from taxiway.kernel.errors import BadField
from taxiway.runs.contract import Run
from taxiway.runs.points.log import Log
from taxiway.runs.showing import telling
from taxiway.web.figures.lines import Line, LineChart, Point, Threshold
from taxiway.web.numbers import number
from taxiway.web.site import View

Axis = Literal["step", "time", "clock"]
AXES: tuple[tuple[Axis, str], ...] = (("step", "step"), ("time", "time since its start"), ("clock", "time of day"))
SHORT = 20  # points that are few enough to be dots
MICROS = 1e6
UNITS = ((3 * 86_400.0, 86_400.0, "days"), (3 * 3_600.0, 3_600.0, "hours"), (180.0, 60.0, "minutes"))


class Look(Struct, frozen=True):
    """How charts are drawn, as the address says it.

    smooth: 0 to 99, the share in percent that each point takes over from the ones before it. find: shell-style
    pattern, or a part, of the names of the metrics that are shown.
    """

    axis: Axis = "step"
    is_log: bool = False
    smooth: int = 0
    find: str = ""

    def query(self, **more: str) -> str:
        """The look as the query of an address; what is at its default is left out."""
        said = {"x": "" if self.axis == "step" else self.axis, "log": "1" if self.is_log else ""}
        said |= {"smooth": str(self.smooth or ""), "find": self.find, **more}
        return urlencode({name: value for name, value in said.items() if value})

    def shows(self, name: str) -> bool:
        pattern = self.find if any(mark in self.find for mark in "*?[") else f"*{self.find}*"
        return not self.find or fnmatch.fnmatchcase(name.lower(), pattern.lower())


def read_look(view: View) -> Look:
    """Raises BadField."""
    axis = next((key for key, _ in AXES if key == view.one("x", "step")), None)
    if axis is None:
        raise BadField(field="x", value=repr(view.one("x")[:20]), expected="step, time or clock")
    smooth = view.number("smooth", 0)
    if not 0 <= smooth <= 99:
        raise BadField(field="smooth", value=str(smooth), expected="a number from 0 to 99")
    return Look(axis, view.one("log") == "1", smooth, view.one("find")[:200])


class Curves:
    """Draws the metrics of runs."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def charts(
        self, runs: Sequence[Run], names: Sequence[str], look: Look, *, columns: int, height: float = 220
    ) -> list[LineChart]:
        """A chart for each metric, with a line for each run that has it."""
        return [self.chart(runs, name, look, columns=columns, height=height) for name in names]

    def chart(self, runs: Sequence[Run], name: str, look: Look, *, columns: int, height: float = 220) -> LineChart:
        courses = self.log.courses([run.id for run in runs], name, columns=columns, by_time=look.axis != "step")
        return draw(runs, name, [list(course) for course in courses], look, height=height)


def draw(
    runs: Sequence[Run], name: str, courses: Sequence[list[Point]], look: Look, *, height: float = 220
) -> LineChart:
    """The chart of a metric. courses: of each run, by step, or by microseconds since 1970 where the axis is of time.

    A metric that is logged for each fold has no course: it is dots over the folds, whatever the axis, with their mean.
    """
    if telling.is_by_fold(name) and look.axis == "step":
        return by_fold(runs, name, courses, look, height=height)
    placed, x_name = on_axis(courses, [micros(run) for run in runs], look.axis)
    lines: list[Line] = []
    for colour, (label, course) in enumerate(zip(telling.labels(runs), placed, strict=True)):
        if not course:
            continue
        if look.smooth and len(course) > 2 and not telling.is_by_fold(name):
            lines.append(Line(name=label, points=tuple(course), is_faint=True, colour=colour))
            course = smoothed(course, look.smooth / 100)  # noqa: PLW2901 - the faint line keeps the measured one
        lines.append(Line(name=label, points=tuple(course), colour=colour))
    return LineChart(
        title=name,
        lines=tuple(lines),
        x_name=x_name,
        is_time=look.axis == "clock",
        is_log=look.is_log,
        is_scattered=telling.is_by_fold(name),
        has_dots=max((len(line.points) for line in lines), default=0) <= SHORT,
        height=height,
    )


def by_fold(runs: Sequence[Run], name: str, courses: Sequence[list[Point]], look: Look, *, height: float) -> LineChart:
    """The chart of a metric with a value for each fold of the data: none follows on another, so no line joins them."""
    lines = tuple(
        Line(name=label, points=tuple(course), colour=colour)
        for colour, (label, course) in enumerate(zip(telling.labels(runs), courses, strict=True))
        if course
    )
    folds = sorted({x for line in lines for x, _ in line.points if math.isfinite(x)})
    return LineChart(
        title=name,
        lines=lines,
        thresholds=tuple(Threshold(mean, "mean of the folds") for mean in means(lines) if len(lines) == 1),
        x_name="fold",
        is_log=look.is_log,
        is_scattered=True,
        places=tuple((x, number(x)) for x in folds[:: max(1, len(folds) // SHORT)]),
        height=height,
    )


def means(lines: Sequence[Line]) -> list[float]:
    """The mean of each line's finite values, where it has any."""
    finite = [[y for _, y in line.points if math.isfinite(y)] for line in lines]
    return [math.fsum(values) / len(values) for values in finite if values]


def on_axis(courses: Sequence[list[Point]], starts: Sequence[float], axis: Axis) -> tuple[list[list[Point]], str]:
    """The courses with x as the axis counts it, and what that is called. starts: microseconds since 1970."""
    if axis == "step":
        return list(courses), "step"
    if axis == "clock":
        return [[(x / MICROS, y) for x, y in course] for course in courses], ""
    passed = [[((x - start) / MICROS, y) for x, y in course] for course, start in zip(courses, starts, strict=True)]
    longest = max((x for course in passed for x, _ in course), default=0.0)
    unit, unit_name = next(((size, name) for least, size, name in UNITS if longest >= least), (1.0, "seconds"))
    return [[(x / unit, y) for x, y in course] for course in passed], f"{unit_name} since the start"


def micros(run: Run) -> float:
    return run.started_at.timestamp() * MICROS


def smoothed(points: Sequence[Point], share: float) -> list[Point]:
    """An exponential moving average of what is drawn, without the pull of its first value.

    Each value is ``share`` of the average before it and the rest of its own, divided by the weights so far
    (1 - share^n), as in Kingma and Ba's moments (2015). What is not finite stays as it is and moves nothing.

    >>> smoothed([(0, 1.0), (1, 3.0)], 0.5)
    [(0, 1.0), (1, 2.3333333333333335)]
    """
    average, weight, found = 0.0, 0.0, []
    for x, y in points:
        if not math.isfinite(y):
            found.append((x, y))
            continue
        average = share * average + (1 - share) * y
        weight = share * weight + (1 - share)
        found.append((x, average / weight))
    return found
