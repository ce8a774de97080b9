"""The inbox: one page for everything that waits for somebody, and that they should know."""

from __future__ import annotations

from urllib.parse import urlencode

from taxiway.kernel.problems import convert
from taxiway.notices.contract import ChangePreferences, ListNotices, MarkNotices, Notice, NoticeKind, Preferences
from taxiway.notices.service import Notices
from taxiway.web.site import Html, Redirect, Site, View
from taxiway.web.words import listed, plural

WORDS: dict[NoticeKind, str] = {
    "approval": "request",
    "waiver": "waiver",
    "review": "review",
    "look": "question",
    "finding": "finding",
    "proposal": "proposal",
    "alert": "alert",
    "step": "next step",
    "mention": "mention",
    "reply": "reply",
    "granted": "granted waiver",
    "glass": "broken glass",
    "warned": "warning of a gate",
    "stopped": "stopped endpoint",
    "fell_back": "revision that fell back",
    "decided": "decision",
}
BUTTONS: dict[NoticeKind, str] = {
    "approval": "Look and approve",
    "alert": "Look and acknowledge",
    "look": "Look and answer",
    "waiver": "Look and decide",
    "proposal": "Look and decide",
    "review": "Look and review",
}
MARKS: dict[NoticeKind, str] = {
    "alert": "fail",
    "glass": "fail",
    "stopped": "fail",
    "fell_back": "fail",
    "finding": "inconclusive",
    "warned": "inconclusive",
}
TABS = (("waiting", "Waiting"), ("unread", "Unread"), ("done", "Done"), ("all", "All"))
MOST_ON_A_PAGE = 200


class InboxPages:
    def __init__(self, site: Site, notices: Notices) -> None:
        self.site = site
        self.notices = notices

    def inbox(self, view: View) -> Html:
        """What waits is looked up anew here, so that nothing that only time brought about is missing."""
        show = view.one("show", "waiting")
        asked = {name: view.one(name) for name in ("kind", "project") if view.one(name)}
        body = convert({**asked, "show": show, "limit": MOST_ON_A_PAGE}, ListNotices)
        self.notices.refresh(view.caller)
        found = self.notices.list(view.caller, body).items
        todos = sorted((each for each in found if each.is_todo), key=lambda each: each.made_at)
        news = [each for each in found if not each.is_todo]
        waiting = [each for each in found if each.counts]
        beside = self.site.drawn("notices/inbox", view, "") if show == "waiting" and not asked else []
        values = {
            "title": "Inbox",
            "groups": [
                (title, each) for title, each in (("Waits for you", todos), ("What you should know", news)) if each
            ],
            "answer": answer_for(waiting) if show in ("waiting", "all") else answer_for_some(found, show),
            "tabs": [(word, f"/inbox?{urlencode({**asked, 'show': key})}", key == show) for key, word in TABS],
            "cut": [(name, value, f"/inbox?{urlencode({'show': show})}") for name, value in asked.items()],
            "show": show,
            "here": view.url,
            "words": WORDS,
            "buttons": BUTTONS,
            "marks": MARKS,
            "beside": beside,
        }
        return Html("notices/inbox.html", "", values)

    def mark(self, view: View, fields: dict[str, str]) -> Redirect:
        """One notice, or all that wait, become what the button says."""
        named = [fields["notice"]] if fields.get("notice") else []
        self.notices.mark(view.caller, convert({"state": fields.get("state", ""), "notices": named}, MarkNotices))
        here = fields.get("here", "")
        return Redirect(here if here.startswith("/inbox") else "/inbox")

    def open(self, view: View, fields: dict[str, str]) -> Redirect:
        """Reads a notice: marks it and leads to its thing."""
        found = self.notices.one(view.caller, view.path["notice"])
        self.notices.mark(view.caller, MarkNotices("read", [found.id]))
        return Redirect(found.url)

    def preferences(self, view: View) -> Html:
        found = self.notices.preferences(view.caller)
        values = {"title": "Notices by e-mail", "found": found, "answer": answer_for_mail(found), "sent": view.sent}
        return Html("notices/preferences.html", "", values)

    def prefer(self, view: View, fields: dict[str, str]) -> Redirect:
        hour = fields.get("hour", "")
        given: dict[str, object] = {name: fields[name] for name in ("address", "delivery") if name in fields}
        if hour:
            given["hour"] = int(hour) if hour.isdecimal() else hour
        body = convert(given, ChangePreferences)
        self.notices.change_preferences(view.caller, body)
        return Redirect("/inbox/preferences")


def add(site: Site, notices: Notices) -> None:
    pages = InboxPages(site, notices)
    site.page("/inbox", pages.inbox, needs="access.self", scope="platform")
    site.form("/inbox", pages.mark, page=pages.inbox, needs="access.self", scope="platform")
    site.page("/inbox/preferences", pages.preferences, needs="access.self", scope="platform")
    site.form("/inbox/preferences", pages.prefer, page=pages.preferences, needs="access.self", scope="platform")
    site.page("/inbox/{notice}", pages.inbox, needs="access.self", scope="platform")
    site.form("/inbox/{notice}", pages.open, page=pages.inbox, needs="access.self", scope="platform")
    site.everywhere["inbox_count"] = notices.count


def answer_for(waiting: list[Notice]) -> str:
    """What waits, by kind, in a sentence."""
    counts = {kind: sum(each.kind == kind for each in waiting) for kind in WORDS}
    parts = [plural(count, WORDS[kind]) for kind, count in counts.items() if count]
    if not parts:
        return "Nothing waits for you"
    return f"{listed(parts)} {'waits' if len(waiting) == 1 else 'wait'} for you"


def answer_for_some(found: list[Notice], show: str) -> str:
    if not found:
        return {"unread": "You have read everything", "done": "Nothing is done yet"}.get(show, "Nothing is here")
    return f"{plural(len(found), 'notice')} {'unread' if show == 'unread' else 'done, or gone by itself'}"


def answer_for_mail(found: Preferences) -> str:
    if found.delivery == "none":
        return "You get no notices by e-mail"
    when = "at once" if found.delivery == "at_once" else f"once a day, at {found.hour}:00 UTC"
    return f"You get notices by e-mail {when}"
