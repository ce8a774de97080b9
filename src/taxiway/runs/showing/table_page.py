"""The table of runs: the page, the rows alone for going on and for what changed, saved views."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField
from taxiway.kernel.natural import natural
from taxiway.runs.contract import ListRuns, Run
from taxiway.runs.points.log import Log
from taxiway.runs.search.filter import Field, Order, quoted, render_order
from taxiway.runs.search.parsing import parse_order
from taxiway.runs.service import Runs
from taxiway.runs.showing import telling
from taxiway.runs.showing.table_columns import column, offered, read_columns, usual_columns
from taxiway.runs.showing.views import SavedViews
from taxiway.web.figures.sparkline import Sparkline
from taxiway.web.numbers import number
from taxiway.web.site import Found, Html, Redirect, View
from taxiway.web.words import plural

ON_A_PAGE = 50
SPARK_COLUMNS = 48
MOST_EXPERIMENTS = 500  # to choose from; any can be written into the URL
COUNTED = 10_000  # of the runs that a filter lets through: beyond, it only matters that there are many


class TablePage:
    def __init__(self, runs: Runs, log: Log, views: SavedViews) -> None:
        self.runs = runs
        self.log = log
        self.views = views

    def all(self, view: View) -> Html:
        """A refused filter leaves the form as it was sent, and says what is wrong with it."""
        asked = self._asked(view)
        project = one(asked, "project")
        ask = read_ask(asked)
        experiments = self.runs.experiment_names(view.caller, project, most=MOST_EXPERIMENTS)
        values: dict[str, Any] = {
            "title": "Trash" if ask.deleted else one(asked, "view") or "Runs",
            "ask": ask,
            "order": one(asked, "order", "-started_at"),
            "url": url_of(asked),
            "keeps": [(name, value) for name in ("project", "order", "metric") for value in asked.get(name, [])],
            "chosen": asked.get("col", []),
            "experiments": [("", "all"), *((name, name) for name in experiments)],
            "saved": [
                (v.name, view_url(project, v.name), v.name == one(asked, "view")) for v in self.views.of(project)
            ],
            "saved_as": one(asked, "view"),
            "query": urlencode([(name, value) for name, given in asked.items() for value in given]),
            "problem": "",
        }
        if project:
            values["project"] = project
        try:
            values |= self._rows(view.caller, asked, ask)
            counts = self.runs.search.count(view.caller, ordered(ask, asked), most=COUNTED if ask.filter else None)
            values |= {"total": sum(counts.values()), "is_capped": bool(ask.filter) and sum(counts.values()) > COUNTED}
            values["answer"] = answer_of(ask, counts, is_capped=values["is_capped"])
        except BadField as refusal:
            empty = {"runs": [], "rows": [], "columns": [], "total": 0, "is_capped": False, "metric": "", "metrics": []}
            refused: dict[str, Any] = {
                "problem": str(refusal),
                "answer": "This filter cannot be read",
                "offered": [],
                "next": None,
            }
            return Html(
                "runs/list.html",
                "runs",
                {**values, **empty, **refused, "mark": "", "rows_url": "", "next_rows": ""},
                refusal.status,
            )
        return Html("runs/list.html", "runs", values)

    def rows(self, view: View) -> Html:
        """The rows of the page alone; nothing where they are those that were seen."""
        asked = self._asked(view)
        try:
            values = self._rows(view.caller, asked, read_ask(asked), seen=view.one("seen"))
        except BadField as refusal:
            return Html("runs/same.html", "", {}, refusal.status)
        if not values["is_new"]:
            return Html("runs/same.html", "", {})
        return Html("runs/rows.html", "", values)

    def _asked(self, view: View) -> dict[str, list[str]]:
        """What the URL asks for; where it names a saved view, what that asks for, and the URL changes it."""
        asked = {name: given for name, given in view.query.items() if name != "seen"}
        name, project = view.one("view"), view.one("project")
        kept = next((v for v in self.views.of(project) if v.name == name), None) if name else None
        return {**kept.asked(), **asked} if kept else asked

    def _rows(self, caller: Caller, asked: dict[str, list[str]], ask: ListRuns, seen: str = "") -> dict[str, Any]:
        fields = read_columns(asked.get("col", []))
        ask = ordered(ask, asked)
        page: Page[Run] = self.runs.list(caller, ask)
        mark = mark_of(page.items)
        if seen == mark:
            return {"is_new": False}
        sides = [run.metrics for run in page.items]
        metric = one(asked, "metric") or ordered_metric(ask.order) or telling.chief(sides)
        fields = fields or usual_columns(page.items, metric)
        columns = [column(field, page.items) for field in fields]
        sparks = self._sparks(page.items, metric if one(asked, "course") != "no" else "")
        has_courses = any(sparks) if one(asked, "course") == "" else one(asked, "course") == "yes"
        # Rows that come later must have the columns of those that are there.
        pinned = {**asked, "metric": [metric], "col": [each.key for each in columns]}
        pinned["course"] = ["yes" if has_courses else "no"]
        return {
            "is_new": True,
            "mark": mark,
            "runs": page.items,
            "next": page.next,
            "rows_url": url_of(pinned, "/runs/rows"),
            "next_rows": url_of({**pinned, "after": [page.next]}, "/runs/rows") if page.next else "",
            "columns": columns,
            "metric": metric,
            "metrics": [(name, name) for name in sorted({*telling.common(sides), metric} - {""}, key=natural)],
            "has_courses": has_courses,
            "sparks": sparks,
            "cells": [[(each.look, each.cell(run), each.label) for each in columns] for run in page.items],
            "offered": offered(page.items, fields),
        }

    def _sparks(self, runs: Sequence[Run], metric: str) -> list[Sparkline | None]:
        courses = self.log.courses([run.id for run in runs], metric, columns=SPARK_COLUMNS) if metric else []
        found: list[Sparkline | None] = []
        for run, course in zip(runs, courses or [[] for _ in runs], strict=True):
            values = tuple(value for _, value in course)
            found.append(Sparkline(title=f"{metric} of {run.name}", values=values) if len(values) > 1 else None)
        return found

    # --- what the page's forms do ---

    def save(self, view: View, fields: dict[str, str]) -> Redirect:
        project = fields.get("project", "")
        saved = self.views.save(
            view.caller, project=project, name=fields.get("name", ""), query=fields.get("query", "")
        )
        return Redirect(view_url(project, saved.name))

    def forget(self, view: View, fields: dict[str, str]) -> Redirect:
        project = fields.get("project", "")
        self.views.forget(view.caller, project=project, name=fields.get("name", ""))
        return Redirect(f"/runs?project={quote(project)}" if project else "/runs")

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Runs that are found by these words, or whose name holds the text: the newest first."""
        words = f"{quoted(text)} or " if any(c.isalnum() for c in text) else ""
        found = self.runs.list(caller, ListRuns(filter=f"{words}name contains {quoted(text)}", limit=most)).items
        return [Found(run.name, f"/runs/{run.id}", f"{run.status}, in {run.project}") for run in found]


def read_ask(asked: dict[str, list[str]]) -> ListRuns:
    """What is asked for, but for the order: reading that may refuse it."""
    return ListRuns(
        project=one(asked, "project"),
        experiment=one(asked, "experiment"),
        filter=one(asked, "filter"),
        limit=ON_A_PAGE,
        after=one(asked, "after"),
        deleted=one(asked, "deleted") == "1",
    )


def ordered(ask: ListRuns, asked: dict[str, list[str]]) -> ListRuns:
    """Raises BadField."""
    return msgspec.structs.replace(ask, order=read_order(one(asked, "order", "-started_at")))


def one(asked: dict[str, list[str]], name: str, default: str = "") -> str:
    given = asked.get(name)
    return given[-1] if given else default


def url_of(asked: dict[str, list[str]], path: str = "/runs") -> str:
    """The page's own address; where a saved view was opened, with all that it asks for."""
    query = urlencode([(name, value) for name, given in asked.items() for value in given])
    return f"{path}?{query}" if query else path


def view_url(project: str, name: str) -> str:
    return f"/runs?{urlencode({'project': project, 'view': name} if project else {'view': name})}"


def mark_of(runs: Sequence[Run]) -> str:
    """Changes when what the rows show does."""
    shown = [(run.id, run.name, run.status, run.heard_at, run.metrics, run.tags) for run in runs]
    return f"{zlib.crc32(msgspec.msgpack.encode(shown)):08x}"


def read_order(text: str) -> str:
    """The order that a column's link asks for ("-metrics.loss" is falling) in the words of the service."""
    found = parse_order(text.removeprefix("-"))
    return ", ".join(render_order(Order(each.field, each.is_falling or text.startswith("-"))) for each in found)


def ordered_metric(order: str) -> str:
    fields: list[Field] = [each.field for each in parse_order(order)]
    return next((field.name for field in fields if field.kind == "metrics"), "")


def answer_of(ask: ListRuns, counts: dict[str, int], *, is_capped: bool) -> str:
    """How many runs there are, and how they ended."""
    if ask.deleted:
        total = sum(counts.values())
        return "The trash is empty" if total == 0 else f"{plural(total, 'run')} in the trash"
    if is_capped:
        return f"More than {number(COUNTED)} runs fit this filter"
    return telling.of_list(ask, counts)
