"""Signing in and out in a browser: a link is shown first and spent by a button, so that previews do not spend it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from taxiway.access.contract import LinkSpent
from taxiway.access.service import SESSION_LIVES, Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import TaxiwayError
from taxiway.web.doorkeeper import COOKIE
from taxiway.web.site import Html, Site, read_fields, read_form
from taxiway.web.throttle import Throttle

LINK = re.compile(r"tw_link_[\w-]+")
UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


class SignIn:
    """The pages that are open to everybody."""

    def __init__(self, site: Site, access: Access, throttle: Throttle) -> None:
        self.site = site
        self.access = access
        self.throttle = throttle
        self.provider = ""
        self.leave_provider: Callable[[str], str] = lambda session: ""

    def offer(self, provider: str, leave: Callable[[str], str]) -> None:
        """Has the page offer an identity provider. leave: where one signs out there, given a session of ours."""
        self.provider = provider
        self.leave_provider = leave

    async def explain(self, request: Request) -> Response:
        """How one gets in; where someone is in already, the way on."""
        caller = await run_in_threadpool(self._caller, request)
        return await run_in_threadpool(self._page, request, caller, None, "")

    async def look_up(self, request: Request) -> Response:
        """The link that somebody pasted leads to its own page."""
        fields = await read_fields(request)
        found = LINK.search(fields.get("link", ""))
        onward = f"?next={quote(local(fields.get('next', '')), safe='')}"
        return RedirectResponse(f"/sign-in/{found[0] if found else 'unknown'}{onward}", 303)

    async def ask(self, request: Request) -> Response:
        """Whom a link signs in, and the button that does it."""
        link = request.path_params["link"]
        user = await run_in_threadpool(self.access.user_of, link, "link")
        if user is None:
            return await run_in_threadpool(self.failed, request, LinkSpent())
        values = {"title": f"Sign in as {user.display}", "user": user, "next": onward(request), "url_link": link}
        return await run_in_threadpool(self.site.render, request, None, Html("web/sign_in_link.html", "", values), None)

    async def enter(self, request: Request) -> Response:
        """Spends the link and opens a session under a new name, ending the one this browser had.

        The form has no token: an older session's cookie stays away from a page that was reached from a mail and
        comes along with its form, so a token bound to it could not match. The edge checks the form's origin.
        """
        await read_fields(request)
        try:
            session = await run_in_threadpool(self._open_session, request)
        except TaxiwayError as refusal:
            return await run_in_threadpool(self.failed, request, refusal)
        answer = RedirectResponse(onward(request) or "/", 303)
        set_session(answer, session, lives=SESSION_LIVES, is_https=is_https(request))
        return answer

    def _open_session(self, request: Request) -> str:
        before = self._caller(request)
        session = self.access.sign_in(request.path_params["link"], request.scope["taxiway.request_id"])
        if before is not None and before.kind != "local":
            self.access.sign_out(before, request.cookies[COOKIE])
        return session

    async def leave(self, request: Request) -> Response:
        """Ends the session on the server, not in the browser alone."""
        await read_form(request)
        caller = await run_in_threadpool(self._caller, request)
        leave_url = ""
        if caller is not None and COOKIE in request.cookies:
            leave_url = await run_in_threadpool(self.leave_provider, request.cookies[COOKIE])
            await run_in_threadpool(self.access.sign_out, caller, request.cookies[COOKIE])
        answer: Response = RedirectResponse("/sign-in", 303)
        if leave_url:  # a redirect of a form to another site is refused by our own content policy: a page asks
            answer = await run_in_threadpool(self._page, request, None, None, "Signed out", leave_url)
        answer.delete_cookie(COOKIE, path="/", secure=is_https(request), httponly=True, samesite="strict")
        return answer

    def _caller(self, request: Request) -> Caller | None:
        return self.site.doorkeeper.identify(request, accepts_cookie=True)

    def failed(self, request: Request, refusal: TaxiwayError) -> Response:
        """The page with why somebody did not come in, or that this went wrong too often."""
        return self._page(request, None, self.count(refusal), "Sign in")

    def count(self, refusal: TaxiwayError) -> TaxiwayError:
        """Counts a failure; gives why it failed, or that too much did."""
        try:
            self.throttle.failed()
        except TaxiwayError as too_many:
            return too_many
        return refusal

    def _page(
        self,
        request: Request,
        caller: Caller | None,
        refusal: TaxiwayError | None,
        title: str,
        leave_url: str = "",
    ) -> Response:
        values = {
            "title": title or "Sign in",
            "next": onward(request),
            "name": caller.name if caller and caller.kind != "local" else "",
            "provider": self.provider,
            "leave_url": leave_url,
        }
        status = refusal.status if refusal else 200
        answer = self.site.render(request, caller, Html("web/sign_in.html", "", values, status), refusal)
        if refusal and refusal.retry_after_s:
            answer.headers["Retry-After"] = str(round(refusal.retry_after_s))
        return answer


def desk_of(site: Site, access: Access) -> SignIn:
    return SignIn(site, access, Throttle())


def add(desk: SignIn) -> None:
    desk.site.routes += [
        Route("/sign-in", desk.explain, methods=["GET"]),
        Route("/sign-in", desk.look_up, methods=["POST"]),
        Route("/sign-in/{link}", desk.ask, methods=["GET"]),
        Route("/sign-in/{link}", desk.enter, methods=["POST"]),
        Route("/sign-out", desk.leave, methods=["POST"]),
    ]


def onward(request: Request) -> str:
    """Where to go after signing in, if the address says a page of ours."""
    return local(request.query_params.get("next", ""))


def local(address: str) -> str:
    """The address when it is a path on this server; else nothing.

    Browsers read ``//x`` and ``/\\x`` as another host, and drop tabs and line ends before they look.

    >>> local("/models/fraud?tab=card"), local("//evil.test"), local("https://evil.test"), local("/\\\\evil.test")
    ('/models/fraud?tab=card', '', '', '')
    """
    if not address.startswith("/") or address.startswith("//") or UNSAFE.search(address):
        return ""
    return "" if address.startswith("/sign-") else address


def set_session(answer: Response, session: str, *, lives: timedelta, is_https: bool) -> None:
    """Has the browser keep a session, out of reach of scripts and of other sites."""
    answer.set_cookie(
        COOKIE,
        session,
        max_age=int(lives.total_seconds()),
        path="/",
        secure=is_https,
        httponly=True,
        samesite="strict",
    )


def is_https(request: Request) -> bool:
    """Whether the browser speaks HTTPS, also where something in front of us takes it off: a form names its origin."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
