"""The pages of discussions: what was said of a thing on its own page, every discussion, and one alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup
from msgspec import Struct

from taxiway.access.roles import ROLES
from taxiway.discussions.contract import Comment, EditComment, ListThreads, Reply, StartThread, Thread, TurnThread
from taxiway.discussions.rules import unheard
from taxiway.discussions.service import Discussions
from taxiway.discussions.telling import page_of
from taxiway.kernel.caller import Caller
from taxiway.kernel.problems import convert
from taxiway.kernel.thing import parse
from taxiway.web.entries import short_ref
from taxiway.web.markdown import render_markdown
from taxiway.web.site import Found, Html, Redirect, Site, View
from taxiway.web.words import listed, plural

SLOTS = (
    "runs/run",
    "models/version",
    "datasets/version",
    "endpoints/endpoint",
    "gates/finding",
    "gates/proposal",
)
ANSWER_WORDS = {"agree": "agrees", "comment": "remarks", "decline": "declines to look"}
MOST_ON_A_PAGE = 100
MOST_OFFERED = 500


class Said(Struct, frozen=True):
    """A comment as a page shows it. unheard: the names that it mentions in vain."""

    comment: Comment
    html: Markup
    answer: str
    is_own: bool
    earlier: list[tuple[object, Markup]]
    unheard: list[str]


class Shown(Struct, frozen=True):
    """A discussion as a page shows it. people: whom a reply can mention."""

    thread: Thread
    said: list[Said]
    may_resolve: bool
    is_asked: bool
    people: list[str]


class DiscussionPages:
    def __init__(self, site: Site, discussions: Discussions) -> None:
        self.site = site
        self.discussions = discussions

    # --- reading ---

    def all(self, view: View) -> Html:
        """The discussions that one may read; what they are cut down to stands in the URL."""
        state = view.one("state", "open")
        asked = {name: view.one(name) for name in ("thing", "project", "whom") if view.one(name)}
        body = convert({**asked, "state": state, "limit": MOST_ON_A_PAGE}, ListThreads)
        found = self.discussions.list(view.caller, body).items
        sent = view.sent if view.sent.get("thing") else {}
        thing = sent.get("thing", body.thing)
        values = {
            "title": "Discussions",
            "found": found,
            "answer": answer_for(found, state, body.thing),
            "tabs": [(word, f"/discussions?{urlencode({**asked, 'state': key})}", key == state) for key, word in TABS],
            "thing": thing,
            "may_say": bool(thing),
            "roles": ROLES,
            "people": self._people(view, thing) if thing else [],
            "sent": view.sent,
        }
        return Html("discussions/all.html", "", values)

    def one(self, view: View) -> Html:
        thread = self.discussions.show(view.caller, discussion=view.path["discussion"])
        values = {
            "title": thread.opening or "Discussion",
            "shown": self._shown(view, thread, self._people(view, thread.thing)),
            "answer": answer_for_one(thread),
            "home": page_of(thread),
            "sent": view.sent,
        }
        return Html("discussions/one.html", "", values)

    def panel(self, view: View, thing: str) -> str | None:
        """What was said of a thing, and a way to say something."""
        found = self.discussions.of(thing)
        people = self._people(view, thing)
        threads = [self._shown(view, each, people) for each in found]
        return self.site.fragment(
            "discussions/panel.html",
            thing=thing,
            open=[each for each in threads if each.thread.is_open],
            resolved=[each for each in threads if not each.thread.is_open],
            form_token=view.form_token,
            sent={},
            refusal=None,
            people=people,
            roles=ROLES if parse(thing).kind != "path-proposal" else (),
        )

    def small(self, view: View, thing: str) -> str:
        """The same, within a part of a page."""
        people = self._people(view, thing)
        threads = [self._shown(view, each, people) for each in self.discussions.of(thing)]
        more: dict[str, Any] = {"form_token": view.form_token, "sent": {}, "refusal": None, "roles": ROLES}
        return self.site.fragment("discussions/small.html", thing=thing, threads=threads, people=people, **more)

    def find(self, caller: Caller, text: str, most: int) -> list[Found]:
        """Discussions in which the words were said."""
        found = self.discussions.find(caller, text, most)
        return [
            Found(each.opening or each.thing, page_of(each), f"{each.by} on {short_ref(each.thing)}") for each in found
        ]

    def _shown(self, view: View, thread: Thread, people: list[str]) -> Shown:
        said = [
            Said(
                each,
                render_said(each),
                ANSWER_WORDS.get(each.answer, ""),
                is_own=each.by == view.caller.name,
                unheard=unheard(each.text, each.mentions, each.by),
                earlier=[(edit.at, render_markdown(edit.text)) for edit in each.edits],
            )
            for each in thread.comments
        ]
        return Shown(
            thread,
            said,
            may_resolve=self.discussions.may_resolve(view.caller, thread),
            is_asked=view.caller.name in thread.waits_for,
            people=people,
        )

    def _people(self, view: View, thing: str) -> list[str]:
        """Whom a text about a thing can mention: who may read it, without the caller."""
        return [name for name in self.discussions.told(view.caller, thing) if name != view.caller.name][:MOST_OFFERED]

    # --- forms ---

    def start(self, view: View, fields: dict[str, str]) -> Redirect:
        people = fields.get("asked", "").replace(",", " ").replace("@", " ").split()
        given = {name: fields.get(name, "") for name in ("thing", "text", "role")}
        thread = self.discussions.start(view.caller, convert({**given, "asked": people}, StartThread))
        return Redirect(page_of(thread))

    def reply(self, view: View, fields: dict[str, str]) -> Redirect:
        body = convert({name: fields.get(name, "") for name in ("text", "answer")}, Reply)
        return back(self.discussions.reply(view.caller, body, discussion=view.path["discussion"]), fields)

    def edit(self, view: View, fields: dict[str, str]) -> Redirect:
        where = {"discussion": view.path["discussion"], "number": int(view.path["number"])}
        body = convert({"text": fields.get("text", "")}, EditComment)
        return back(self.discussions.edit(view.caller, body, **where), fields)

    def withdraw(self, view: View, fields: dict[str, str]) -> Redirect:
        where = {"discussion": view.path["discussion"], "number": int(view.path["number"])}
        return back(self.discussions.withdraw(view.caller, **where), fields)

    def turn(self, view: View, fields: dict[str, str]) -> Redirect:
        body = convert({name: fields.get(name, "") for name in ("state", "comment")}, TurnThread)
        return back(self.discussions.turn(view.caller, body, discussion=view.path["discussion"]), fields)


TABS = (("open", "Open"), ("resolved", "Resolved"), ("all", "All"))


def add(site: Site, discussions: Discussions) -> None:
    pages = DiscussionPages(site, discussions)
    site.page("/discussions", pages.all, needs="discussions.read", scope="platform")
    site.form("/discussions", pages.start, page=pages.all, needs="discussions.say", scope="platform")
    site.page("/discussions/{discussion}", pages.one, needs="discussions.read", scope="platform")
    forms = (("comments", pages.reply), ("state", pages.turn))
    comment = "comments/{number:int}"
    for form, act in (*forms, (comment, pages.edit), (f"{comment}/withdrawal", pages.withdraw)):
        path = f"/discussions/{{discussion}}/{form}"
        site.page(path, pages.one, needs="discussions.read", scope="platform")
        site.form(path, act, page=pages.one, needs="discussions.say", scope="platform")
    for slot in SLOTS:
        site.panel(slot, pages.panel)
    site.panel("monitors/alert", pages.small)
    site.finds("Discussions", pages.find)


def back(thread: Thread, fields: dict[str, str]) -> Redirect:
    """To the page that the form stood on."""
    return Redirect(f"/discussions/{quote(thread.id)}" if fields.get("back") == "alone" else page_of(thread))


def render_said(comment: Comment) -> Markup:
    """A comment as HTML, its mentions marked: in its text, never within what the text became."""
    return render_markdown(comment.text)


def answer_for(found: list[Thread], state: str, thing: str) -> str:
    """How many there are, in a sentence."""
    about = f" about {short_ref(thing)}" if thing else ""
    word = "discussion" if state == "all" else f"{state} discussion"
    return f"{plural(len(found), word) if found else f'No {word}s'}{about}"


def answer_for_one(thread: Thread) -> str:
    name = short_ref(thread.thing)
    if not thread.is_open:
        return f"{thread.resolved_by} resolved this discussion of {name}"
    if thread.waits_for:
        who = listed(thread.waits_for, "or" if thread.role else "and")
        return f"{who} {'is' if len(thread.waits_for) == 1 else 'are'} asked to look at {name}"
    return f"This discussion of {name} is open"
