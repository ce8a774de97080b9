"""The page of an inference log: a filter, how many rows and how fast, and the newest of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import numpy as np
from msgspec.structs import asdict, replace

from taxiway.endpoints.inferences.logs.asking import Asking
from taxiway.endpoints.inferences.logs.contract import AskLog, KeepLog
from taxiway.endpoints.inferences.logs.figures import Told, draw_latency, draw_volume, edges
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.inferences.query.asking import Question, Reading
from taxiway.endpoints.showing.told import fields
from taxiway.kernel.errors import BadField
from taxiway.web.site import Html, Redirect, Site, View
from taxiway.web.words import plural

SHOWN = 50
DRAWN_S = 4.0  # how long the figures may take; they say where they end
SPANS = (
    ("15 min", "15 min"),
    ("1h", "1 hour"),
    ("6h", "6 hours"),
    ("1d", "1 day"),
    ("7d", "7 days"),
    ("30d", "30 days"),
)
USUAL = "1h"


class LogPages:
    def __init__(self, site: Site, asking: Asking) -> None:
        self.site = site
        self.asking = asking

    def show(self, view: View) -> Html:
        """The whole page; a filter that cannot be read is told beside it, and nothing else is shown."""
        return Html("endpoints/log.html", "endpoints", self._values(view))

    def rows(self, view: View) -> Html:
        """The part that changes, for whoever watches it; empty where `seen` is what there is."""
        values = self._values(view)
        template = "endpoints/log_same.html" if view.one("seen") == values["mark"] else "endpoints/log_rows.html"
        return Html(template, "endpoints", values)

    def _values(self, view: View) -> dict[str, Any]:
        name = view.path["endpoint"]
        where, since, is_shadows = view.one("where"), view.one("since") or USUAL, view.one("of") == "shadows"
        about = {"where": where, "since": since}
        kept = self.asking.logs.show(view.caller, endpoint=name)
        values: dict[str, Any] = {
            "title": f"Log of {name}",
            "project": self.asking.logs.endpoints.project_of(name),
            "name": name,
            "kept": kept,
            "where": where,
            "since": since,
            "spans": SPANS if since in dict(SPANS) else ((since, since), *SPANS),
            "query": urlencode(about | ({"of": "shadows"} if is_shadows else {})),
            "is_shadows": is_shadows,
            "views": [
                ("What callers got", f"/endpoints/{name}/log?{urlencode(about)}", not is_shadows),
                ("What shadows said", f"/endpoints/{name}/log?{urlencode(about | {'of': 'shadows'})}", is_shadows),
            ],
            "policy": kept.policy,
            "sent": view.sent,
            "may_keep": self.asking.logs.access.is_allowed(
                view.caller, "endpoints.deploy", self.asking.logs.endpoints.project_of(name)
            ),
            "problem": "",
            "records": [],
            "figures": [],
            "mark": "",
        }
        try:
            asked = AskLog(where, since, limit=SHOWN, shadows=is_shadows)
            found = self.asking.ask(view.caller, asked, endpoint=name)
            question = self.asking.question(view.caller, name, asked)
        except BadField as refusal:
            return values | {"problem": str(refusal), "answer": f"The log of {name} was not asked"}
        told, is_cut = self._told(question)
        total = len(told.at)
        ends = edges(question.since or question.now - timedelta(hours=1), question.now)
        newest = found.records[0] if found.records else None
        return values | {
            "records": [(each, fields(each.outputs or {}), fields(each.inputs)) for each in found.records],
            "total": total,
            "is_cut": is_cut,
            "answer": answer_of(name, since, told, has_filter=bool(where), is_shadows=is_shadows),
            "figures": [draw_volume(told, ends), draw_latency(told, ends)] if total else [],
            "mark": f"{newest.prediction_id}-{total}" if newest else "none",
        }

    def keep(self, view: View, fields: dict[str, str]) -> Redirect:
        """What the form does not name stays as it is."""
        name = view.path["endpoint"]
        policy = policy_of(fields, self.asking.logs.policy(name))
        self.asking.logs.keep(view.caller, KeepLog(policy, fields.get("reason", "")), endpoint=name)
        return Redirect(f"/endpoints/{name}/log#policy")

    def _told(self, question: Question) -> tuple[Told, bool]:
        """What the figures draw, and whether time ran out before all of it was looked at."""
        reading = Reading(self.asking.logs.home, replace(question, deadline_s=DRAWN_S), is_brief=True)
        parts = [
            (
                np.asarray(table["at"].cast("int64").to_numpy(), dtype=np.float64) / 1e6,
                np.asarray(table["latency_ms"].to_numpy(), dtype=np.float64),
                np.asarray(table["status"].to_numpy(), dtype=np.str_),
            )
            for table in reading.tables()
        ]
        if not parts:
            nothing = np.empty(0)
            return Told(nothing, nothing, nothing.astype(np.str_)), reading.is_cut
        at, latency_ms, status = (np.concatenate(some) for some in zip(*parts, strict=True))
        return Told(at, latency_ms, status), reading.is_cut


def answer_of(name: str, since: str, told: Told, *, has_filter: bool, is_shadows: bool) -> str:
    """How many rows there were and how fast, in a sentence."""
    said, total = dict(SPANS).get(since, since), len(told.at)
    whom = f"shadows of {name}" if is_shadows else name
    if not total:
        return f"No row of {whom} {'meets the filter' if has_filter else 'was answered'} in the last {said}"
    p99 = float(np.quantile(told.latency_ms, 0.99, method="higher"))
    failed, abandoned = (int((told.status == each).sum()) for each in ("failed", "abandoned"))
    tail = f", {failed:,} of them without an answer" if failed else ""
    tail += f", {abandoned:,} abandoned by their callers" if abandoned else ""
    verb = "met the filter" if has_filter else "were recorded"
    return f"{plural(total, 'row')} of {whom} {verb} in the last {said}, p99 {p99:.3g} ms{tail}"


def policy_of(fields: dict[str, str], before: LogPolicy) -> LogPolicy:
    """The policy with what a form said of it. Raises BadField."""
    days = fields.get("keep_days", "").strip()
    said = {name: fields[name] for name in ("when_full", "inputs") if fields.get(name)}
    given = {**asdict(before), **said, "durability": fields.get("durability") or None, "keep_days": days or None}
    try:
        return msgspec.convert(given, LogPolicy, strict=False)
    except msgspec.ValidationError as e:
        raise BadField(field="keep_days", value=repr(days), expected=f"a whole number of days ({e})") from e


def add(site: Site, asking: Asking) -> None:
    pages = LogPages(site, asking)
    site.page("/endpoints/{endpoint}/log", pages.show, needs="endpoints.read")
    site.page("/endpoints/{endpoint}/log/rows", pages.rows, needs="endpoints.read")
    site.form("/endpoints/{endpoint}/log/policy", pages.keep, page=pages.show, needs="endpoints.deploy")
