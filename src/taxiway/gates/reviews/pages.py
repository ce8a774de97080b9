"""The inventory of models in use as a page and a table to take along, and reviews on the page of a version."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

from taxiway.gates.reviews.contract import OUTCOMES, STATES, Inventoried, ListInventory, RecordReview, ReviewState
from taxiway.gates.reviews.service import Reviews
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import href, parse
from taxiway.models.names import page_of
from taxiway.projects.service import TIERS
from taxiway.projects.waiting import Wait
from taxiway.web.site import Html, PageFunction, Redirect, Sent, Site, View
from taxiway.web.words import listed, plural, with_query

LOOKS: dict[ReviewState, str] = {"ok": "pass", "due soon": "inconclusive", "overdue": "fail"}
FILTERS = ("project", "tier", "state")
SAID = {"continue": "goes on as it is", "restrict": "goes on within limits", "retire": "has to leave"}
COLUMNS = (
    "model", "version", "stage", "project", "owner", "use", "tier", "since", "every_days", "reviewed_at", "reviewed_by",
    "outcome", "findings", "due_at", "state", "reviewers",
)  # fmt: skip
FIRST_OF_FORMULA = ("=", "+", "-", "@", "\t", "\r")

ORDERS: dict[str, Callable[[Inventoried], Any]] = {
    "due": lambda entry: entry.due_at,
    "model": lambda entry: (entry.model, entry.version),
    "owner": lambda entry: entry.owner,
    "tier": lambda entry: TIERS.index(entry.tier),
    "stage": lambda entry: entry.stage,
    "reviewed": lambda entry: entry.reviewed_at or datetime.min.replace(tzinfo=entry.due_at.tzinfo),
}


class ReviewPages:
    def __init__(self, site: Site, reviews: Reviews) -> None:
        self.site = site
        self.reviews = reviews

    def inventory(self, view: View) -> Html:
        found, order, given = self._found(view)
        every = self.reviews.inventory(view.caller, ListInventory()).items if any(given.values()) else found
        values = {
            "title": "Inventory",
            "rows": [(entry, LOOKS[entry.state]) for entry in found],
            "answer": answer_for(found),
            "order": order,
            "url": view.url,
            "csv_url": with_query(view.url, order=order).replace("/inventory", "/inventory.csv", 1),
            "given": given,
            "is_narrowed": any(given.values()),
            "choices": {
                "project": sorted({entry.project for entry in every}),
                "tier": list(TIERS),
                "state": list(STATES),
            },
            "said": SAID,
        }
        return Html("gates/inventory.html", "models", values)

    def table(self, view: View) -> Sent:
        """What the page shows, as CSV."""
        found, _, _ = self._found(view)
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        writer.writerows([cell(getattr(entry, name)) for name in COLUMNS] for entry in found)
        return Sent(text.getvalue(), "inventory.csv", "text/csv")

    def _found(self, view: View) -> tuple[list[Inventoried], str, dict[str, str]]:
        """What fits the address, in its order."""
        given = {name: view.one(name) for name in FILTERS}
        order = view.one("order") or "due"
        if order.lstrip("-") not in ORDERS:
            raise BadField(field="order", value=repr(order), expected=f"one of {', '.join(ORDERS)}")
        found = self.reviews.inventory(view.caller, ListInventory(**given)).items
        return sorted(found, key=ORDERS[order.lstrip("-")], reverse=order.startswith("-")), order, given

    def panel(self, view: View, thing: str) -> str | None:
        """On the page of a version in use: when it is looked at again, what was found, and the form for who can."""
        found = parse(thing)
        entry = self.reviews.entry(found.name, found.version or 0)
        if entry is None:
            return None
        return self.site.fragment(
            "gates/reviews.html",
            entry=entry,
            look=LOOKS[entry.state],
            given=self.reviews.list(view.caller, model=entry.model, version=str(entry.version)).items,
            outcomes=[(outcome, f"It {SAID[outcome]}") for outcome in OUTCOMES],
            said=SAID,
            can=view.caller.can_approve and view.caller.name in entry.reviewers,
            action=f"/gates{href(entry.ref)}/reviews",
            form_token=view.form_token,
            sent=view.sent,
        )

    def record(self, view: View, fields: dict[str, str]) -> Redirect:
        model, version = view.path["model"], view.path["version"]
        body = convert({name: fields.get(name, "") for name in ("outcome", "comment", "findings")}, RecordReview)
        self.reviews.record(view.caller, body, model=model, version=version)
        return Redirect(f"{page_of(model, version)}#review")

    def waits(self, caller: Caller, projects: list[str]) -> dict[str, list[Wait]]:
        """The reviews that are due, by project, for who could give them."""
        found: dict[str, list[Wait]] = {}
        for entry in self.reviews.due_lately():
            if entry.project in projects:
                what = f"review {entry.model} version {entry.version}, {due_words(entry)}"
                key = f"review:{entry.ref}/{entry.due_at:%Y-%m-%d}/{entry.state}"
                url = f"{href(entry.ref)}#review"
                wait = Wait(tuple(entry.reviewers), what, url, entry.due_at, "review", key, entry.ref)
                found.setdefault(entry.project, []).append(wait)
        return found


def add(site: Site, reviews: Reviews, page: PageFunction) -> ReviewPages:
    """page: of a version, where a refused review is shown."""
    pages = ReviewPages(site, reviews)
    site.page("/inventory", pages.inventory, needs="gates.read", scope="platform")
    site.page("/inventory.csv", pages.table, needs="gates.read", scope="platform")
    site.page("/gates/models/{model}/versions/{version}/reviews", page, needs="models.read")
    site.form("/gates/models/{model}/versions/{version}/reviews", pages.record, page=page, needs="gates.approve")
    site.panel("models/version/decide", pages.panel)
    return pages


def answer_for(found: list[Inventoried]) -> str:
    """How the models in use stand, in a sentence."""
    if not found:
        return "No model in use fits"
    head = f"{plural(len(found), 'version')} in use"
    late = [f"{entry.model} v{entry.version}" for entry in found if entry.state == "overdue"]
    soon = sum(entry.state == "due soon" for entry in found)
    if late:
        names = listed(late) if len(late) <= 3 else plural(len(late), "version")
        return f"{head}; {names} {'is' if len(late) == 1 else 'are'} overdue for review"
    return f"{head}; {plural(soon, 'review')} due soon" if soon else f"{head}; no review is due"


def due_words(entry: Inventoried) -> str:
    return f"{'overdue since' if entry.state == 'overdue' else 'due on'} {entry.due_at:%Y-%m-%d}"


def cell(value: object) -> str:
    """A value as a spreadsheet takes it; text that it would calculate is kept from it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(FIRST_OF_FORMULA) else text
