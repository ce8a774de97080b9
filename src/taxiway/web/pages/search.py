"""The search over everything: each noun adds how to find its things, and the page groups what they find."""

from __future__ import annotations

import re

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.ids import ID
from taxiway.kernel.thing import href, parse
from taxiway.web.entries import short_ref
from taxiway.web.site import Found, Html, Site, View
from taxiway.web.words import with_query

FEW, MANY = 8, 200
REF = re.compile(r"[a-z]+:[\w./@-]+")
THINGS = ("project", "dataset", "run", "model", "endpoint", "revision", "monitor", "path")


class Search:
    def __init__(self, site: Site, access: Access) -> None:
        self.site = site
        self.access = access

    def show(self, view: View) -> Html:
        text = view.one("q").strip()
        kind = view.one("kind")
        asked = {name: find for name, find in self.site.finders.items() if kind in ("", name)}
        most = MANY if kind else FEW
        groups = {name: find(view.caller, text, most + 1) for name, find in asked.items()} if text else {}
        values = {
            "title": "Search",
            "text": text,
            "kind": kind,
            "kinds": list(self.site.finders),
            "tabs": [(name, with_query(view.url, kind=name), name == kind) for name in self.site.finders],
            "named": named(text),
            "groups": {name: found[:most] for name, found in groups.items() if found},
            "longer": {name for name, found in groups.items() if len(found) > most},
            "url": view.url,
        }
        return Html("web/search.html", "", values)

    def people(self, caller: Caller, text: str, most: int) -> list[Found]:
        """People and service accounts; their page is what they did."""
        wanted = text.lower()
        fitting = [user for user in self.access.users(caller).items if wanted in f"{user.name} {user.display}".lower()]
        return [
            Found(user.display, href(f"user:{user.name}"), "service account" if user.kind == "service" else user.name)
            for user in fitting[:most]
        ]


def add(site: Site, access: Access) -> None:
    search = Search(site, access)
    site.finds("People", search.people)
    site.page("/search", search.show, needs="projects.read", scope="platform")


def named(text: str) -> Found | None:
    """The thing that the text names in full: a reference such as model:mortgage@3, or the id of a run."""
    ref = f"run:{text}" if ID.fullmatch(text) else text
    if not REF.fullmatch(ref) or parse(ref).kind not in THINGS:
        return None
    return Found(short_ref(ref), href(ref), "named in full")
