"""The page of the audit log: entries newest first, narrowed down by the address, and the check of the whole log."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from taxiway.access.service import Access
from taxiway.audit.contract import ListEntries, TreeHead, Verification, VerifyLog, Witness
from taxiway.audit.held import read_heads
from taxiway.audit.service import Audit
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound
from taxiway.web.site import Html, Site, View
from taxiway.web.words import listed, plural, with_query

FILTERS = {
    "text": "with",
    "project": "in",
    "thing": "about",
    "actor": "by",
    "verb": "that are",
    "since": "since",
    "until": "before",
}
ON_A_PAGE = 50


class AuditPage:
    def __init__(self, audit: Audit, access: Access, witnesses: Callable[[], Page[Witness]]) -> None:
        self.audit = audit
        self.access = access
        self.witnesses = witnesses

    def show(self, view: View) -> Html:
        return self._page(view)

    def verify(self, view: View, fields: dict[str, str]) -> Html:
        """The page with the answer of a check of every entry; a head that was kept elsewhere counts too."""
        held = fields.get("held", "").strip()
        ask = VerifyLog(held=read_heads(held.encode()))
        return self._page(view, self.audit.verify(ask))

    def _page(self, view: View, verified: Verification | None = None) -> Html:
        given = {name: view.one(name) for name in FILTERS}
        ask = ListEntries(
            project=given["project"] or None,
            thing=given["thing"] or None,
            actor=given["actor"] or None,
            verb=given["verb"] or None,
            text=given["text"][:200],
            since=day_of("since", given["since"]),
            until=day_of("until", given["until"]),
            before=view.number("before", 0) if view.one("before") else None,
            limit=ON_A_PAGE,
        )
        visible = self.access.visible(view.caller)
        found = self.audit.entries(ask, visible)
        head = self._head()
        url = view.url.replace("/audit/verify", "/audit", 1)
        values = {
            "title": "Audit",
            "answer": self._answer(given, head, verified),
            "verified": verified,
            "found": found.items,
            "given": given,
            "is_narrowed": any(given.values()),
            "url": url,
            "head": head,
            "witnesses": self.witnesses().items,
            "seen": None if visible is None else self.audit.count(visible),
            "head_json": msgspec.json.encode(head).decode() if head else "",
            "newer": with_query(url, before=None) if view.one("before") else "",
            "older": with_query(url, before=found.next) if found.next else "",
            "sent": view.sent,
        }
        return Html("web/audit.html", "audit", values)

    def _head(self) -> TreeHead | None:
        try:
            return self.audit.head()
        except NotFound:
            return None

    def _answer(self, given: dict[str, str], head: TreeHead | None, verified: Verification | None) -> str:
        if verified is not None:
            if verified.is_intact:
                count = f"{plural(verified.entries, 'entry', 'entries')} and {plural(verified.heads, 'signed head')}"
                return f"The log holds: {count}, every hash and signature right"
            return f"The log does not hold: {verified.problem}"
        if head is None:
            return "Nothing has been changed yet"
        if any(given.values()):
            return f"Entries {listed([f'{word} {given[name]}' for name, word in FILTERS.items() if given[name]])}"
        return f"{plural(head.size, 'entry', 'entries')} under a signed head, each in the order it came"


def day_of(field: str, text: str) -> datetime | None:
    """A day of the address, from its beginning in UTC. Raises BadField."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as e:
        raise BadField(field=field, value=repr(text[:40]), expected="a day such as 2027-01-31") from e


def add(site: Site, audit: Audit, access: Access, witnesses: Callable[[], Page[Witness]]) -> None:
    page = AuditPage(audit, access, witnesses)
    site.page("/audit", page.show, needs="audit.read", scope="platform")
    site.form("/audit/verify", page.verify, page=page.show, needs="audit.read", scope="platform")
