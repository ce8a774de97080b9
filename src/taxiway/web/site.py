"""Pages: a function that gives a template and its values, behind the same doorkeeper as the API."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, quote

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Scope
from taxiway.kernel.errors import BadField, NotFound, SignInNeeded, TaxiwayError
from taxiway.kernel.thing import href, parse
from taxiway.web.bodies import kind_of, read_body
from taxiway.web.doorkeeper import Doorkeeper, check_form_token, form_token
from taxiway.web.entries import short_ref, told
from taxiway.web.words import FILTERS

MOST_FORM_BYTES = 1 << 20
FORM = "application/x-www-form-urlencoded"


class View(Struct):
    """What a page's function is given: who looks, and what the URL says."""

    caller: Caller
    path: dict[str, Any]
    query: dict[str, list[str]]
    url: str
    is_login_on: bool = False
    origin: str = ""  # the server's own address, as the visitor knows it
    sent: dict[str, str] = {}  # what a form sent, so that a refused one comes back filled in
    form_token: str = ""  # for the forms of panels, which are rendered apart from their page

    def one(self, name: str, default: str = "") -> str:
        """A query value, the last one where it is given more than once."""
        values = self.query.get(name)
        return values[-1] if values else default

    def number(self, name: str, default: int) -> int:
        text = self.one(name, str(default))
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise BadField(field=name, value=repr(text), expected="a whole number")
        return int(text)


class Html(Struct):
    """A page to render. `section` is the entry of the main menu it belongs to."""

    template: str
    section: str
    values: dict[str, Any] = {}
    status: int = 200


class Sent(Struct):
    """A file to save instead of a page."""

    text: str
    name: str
    media_type: str


class Redirect(Struct):
    """Where to go after a form did its work."""

    to: str


class Found(Struct, frozen=True):
    """One thing that a search found. `note` says what it is about, in a few words."""

    name: str
    url: str
    note: str = ""


PageFunction = Callable[[View], Html]
AnyPage = Callable[[View], Html | Sent]
FormFunction = Callable[[View, dict[str, str]], Redirect | Html]
FlowFunction = Callable[[View, dict[str, str]], ASGIApp]
Panel = Callable[[View, str], str | None]
Finder = Callable[[Caller, str, int], list[Found]]
Namer = Callable[[list[str]], dict[str, str]]


class Site:
    """The pages. Nouns add theirs; higher nouns add panels to the pages of lower ones, and values for every page."""

    def __init__(self, doorkeeper: Doorkeeper, *, login: bool) -> None:
        self.doorkeeper = doorkeeper
        self.login = login
        self.routes: list[Route] = []
        self.panels: dict[str, list[Panel]] = {}
        self.everywhere: dict[str, Callable[[Caller], Any]] = {}
        self.finders: dict[str, Finder] = {}
        self.namers: dict[str, Namer] = {}
        loaders = {room: PackageLoader(f"taxiway.{room}") for room in rooms_with_templates()}
        self.environment = Environment(
            loader=PrefixLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.filters.update(FILTERS, href=href, short_ref=short_ref, told=told)

    def page(self, path: str, function: AnyPage, *, needs: str, scope: Scope = "project") -> None:
        """Serves a page on GET."""

        async def answer(request: Request) -> Response:
            try:
                view = await self._enter(request, needs, scope)
                html = await run_in_threadpool(function, view)
                if isinstance(html, Sent):
                    return as_file(html)
                return await run_in_threadpool(self.render, request, view.caller, html, None)
            except SignInNeeded:
                return RedirectResponse(f"/sign-in?next={quote(address(request), safe='')}", 303)
            except TaxiwayError as refusal:
                return await run_in_threadpool(self.refuse, request, refusal)

        self.routes.append(Route(path, answer, methods=["GET"]))

    def form(
        self, path: str, function: FormFunction, *, page: PageFunction, needs: str, scope: Scope = "project"
    ) -> None:
        """Serves a form on POST. A refusal is shown on `page`, rendered for the same path, in the service's words.

        function: leads on to another page, or gives one itself where something is shown this once.
        """

        async def answer(request: Request) -> Response:
            try:
                fields = await read_form(request)
                view = await self._enter(request, needs, scope, fields)
            except SignInNeeded:
                return RedirectResponse("/sign-in", 303)
            except TaxiwayError as refusal:
                return await run_in_threadpool(self.refuse, request, refusal)
            try:
                done = await run_in_threadpool(function, view, fields)
                if isinstance(done, Html):
                    return await run_in_threadpool(self.render, request, view.caller, done, None)
                return RedirectResponse(done.to, 303)
            except TaxiwayError as refusal:
                html = await run_in_threadpool(page, view)
                html.status = refusal.status
                return await run_in_threadpool(self.render, request, view.caller, html, refusal)

        self.routes.append(Route(path, answer, methods=["POST"]))

    def flow(self, path: str, function: FlowFunction, *, needs: str, scope: Scope = "project") -> None:
        """Serves on POST what a page's script reads as it is made. What is refused before that is told as to the API.

        function: the application that answers, once the fields were read.
        """

        async def answer(request: Request) -> ASGIApp:
            fields = await read_form(request)
            view = await self._enter(request, needs, scope, fields)
            return await run_in_threadpool(function, view, fields)

        self.routes.append(Route(path, answer, methods=["POST"]))

    async def _enter(self, request: Request, needs: str, scope: Scope, fields: dict[str, str] | None = None) -> View:
        caller = await run_in_threadpool(self.doorkeeper.identify, request, accepts_cookie=True)
        path = dict(request.path_params)
        where = path if self.doorkeeper.names_project(path) else {**path, **pick(fields or {}, "project")}
        admitted = await run_in_threadpool(
            self.doorkeeper.admit, caller, needs=needs, scope=scope, path=where, body=None
        )
        query = {name: request.query_params.getlist(name) for name in request.query_params}
        return View(
            caller=admitted,
            path=path,
            query=query,
            url=address(request),
            is_login_on=self.login,
            origin=f"{request.url.scheme}://{request.url.netloc}",
            sent=fields or {},
            form_token=form_token(request),
        )

    def panel(self, slot: str, draw: Panel) -> None:
        """Adds a panel to a slot such as ``models/version``: given the view and a reference, it gives HTML or None."""
        self.panels.setdefault(slot, []).append(draw)

    def finds(self, kind: str, find: Finder) -> None:
        """Adds a kind of thing to the search: given the caller, a text and how many at most, it gives what fits.

        kind: the heading of its results, such as ``Models``. It shows nothing that the caller may not see.
        """
        self.finders[kind] = find

    def names(self, kind: str, name: Namer) -> None:
        """Adds the names of a kind of thing whose references hold an id: given ids, each one's name if it has one."""
        self.namers[kind] = name

    def named(self, refs: Collection[str]) -> dict[str, str]:
        """What those of the things are called whose references hold only an id, by reference."""
        found: dict[str, str] = {}
        for kind, name in self.namers.items():
            ids = sorted({thing.name for thing in map(parse, refs) if thing.kind == kind})
            found |= {f"{kind}:{id_}": text for id_, text in (name(ids) if ids else {}).items()}
        return found

    def drawn(self, slot: str, view: View, thing: str) -> list[str]:
        """The panels of a slot for a thing, as HTML."""
        return [html for draw in self.panels.get(slot, []) if (html := draw(view, thing))]

    def fragment(self, template: str, **values: Any) -> str:
        """A template rendered for use within a page: what panels give."""
        return self.environment.get_template(template).render(values)

    def render(self, request: Request, caller: Caller | None, html: Html, refusal: TaxiwayError | None) -> Response:
        who = caller.name if caller and caller.kind != "local" else None
        common = {
            "section": html.section,
            "who": who,
            "url": request.url.path,
            "form_token": form_token(request),
            "refusal": refusal,
            "login": self.login,
        }
        shared = {name: value(caller) for name, value in self.everywhere.items()} if caller else {}
        values = {"projects": [], "inbox_count": 0, **shared, **common, **html.values}
        text = self.environment.get_template(html.template).render(values)
        return HTMLResponse(text, html.status, {"Cache-Control": "no-store"})

    def refuse(self, request: Request, refusal: TaxiwayError) -> Response:
        """The page for a refusal that has no page of its own."""
        is_missing = refusal.status == NotFound.status
        title = "There is nothing here" if is_missing else "That cannot be done now"
        html = Html("web/refused.html", "", {"title": title}, refusal.status)
        try:
            caller = self.doorkeeper.identify(request, accepts_cookie=True)
        except TaxiwayError:
            caller = None
        return self.render(request, caller, html, refusal)


def as_file(sent: Sent) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{sent.name}"', "Cache-Control": "no-store"}
    return Response(sent.text, media_type=sent.media_type, headers=headers)


def address(request: Request) -> str:
    """The page's own address without the host: its path and query."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, after its token was checked."""
    fields = await read_fields(request)
    check_form_token(request, fields.pop("form_token", ""))
    return fields


async def read_fields(request: Request) -> dict[str, str]:
    """The fields of a form as they were sent."""
    kind = kind_of(request)
    if kind != FORM:
        raise BadField(field="Content-Type", value=repr(kind), expected=FORM)
    data = await read_body(request, MOST_FORM_BYTES)
    if b"%00" in data or b"\0" in data:
        raise BadField(field="form", value="a NUL character", expected="text without it")
    return dict(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))


def pick(fields: dict[str, str], name: str) -> dict[str, str]:
    return {name: fields[name]} if name in fields else {}


def rooms_with_templates() -> list[str]:
    """The rooms of the house that have a folder of templates."""
    rooms = files("taxiway").iterdir()
    return sorted(room.name for room in rooms if room.is_dir() and room.joinpath("templates").is_dir())
