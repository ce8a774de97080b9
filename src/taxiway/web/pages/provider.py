"""Signing in with an identity provider: there, back with a code, and out again when the provider says so."""

from __future__ import annotations

import hmac
import logging
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from taxiway.access.provider.attempts import LIVES_S, Attempts
from taxiway.access.provider.port import Attempt, Configured
from taxiway.access.provider.refusals import AttemptUnknown, ProviderSaidNo, TokenUnfit
from taxiway.access.provider.service import SignIns
from taxiway.access.secrets import hash_secret
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import TaxiwayError
from taxiway.web.doorkeeper import COOKIE, check_form_token
from taxiway.web.edge import problem
from taxiway.web.pages.sign_in import SignIn, onward, set_session
from taxiway.web.site import Html, read_fields

log = logging.getLogger("taxiway.web")

START = "/sign-in/provider"
MARK_LENGTH = 12  # of the state, in a cookie's name: sign-ins in two tabs at once stay apart


class ProviderDoor:
    """The way in beside links, and the part of signing out that the provider has."""

    def __init__(self, desk: SignIn, configured: Configured, sign_ins: SignIns, attempts: Attempts) -> None:
        self.desk = desk
        self.site = desk.site
        self.configured = configured
        self.provider = configured.provider
        self.sign_ins = sign_ins
        self.attempts = attempts
        self.name = configured.mapping.provider
        self.host = urlsplit(configured.public_url).netloc

    async def begin(self, request: Request) -> Response:
        """Leads to the provider. Where the server was opened under another name, leads to its own one first: the
        provider comes back to that, and finds the cookie there."""
        if is_elsewhere(request, self.host):
            to = f"{self.configured.public_url}{START}?moved=1&next={quote(onward(request), safe='')}"
            return RedirectResponse(to, 303)
        try:
            return await run_in_threadpool(self._begin, request)
        except TaxiwayError as refusal:
            return await run_in_threadpool(self.desk.failed, request, refusal)

    def _begin(self, request: Request) -> Response:
        session, user = request.cookies.get(COOKIE, ""), ""
        if "connect" in request.query_params:
            check_form_token(request, request.query_params["connect"])
            caller = self.site.doorkeeper.identify(request, accepts_cookie=True)
            user = caller.name if caller is not None and caller.kind == "person" else ""
        before = hash_secret(session) if session else ""
        attempt, kept = self.attempts.begin(onward=onward(request), user=user, before=before)
        answer = RedirectResponse(self.provider.begin(attempt), 303, {"Cache-Control": "no-store"})
        answer.set_cookie(
            cookie_of(attempt.state),
            kept,
            max_age=int(LIVES_S),
            path=START,
            secure=self.configured.is_https,
            httponly=True,
            samesite="lax",  # the provider's answer comes from another site
        )
        return answer

    async def finish(self, request: Request) -> Response:
        """The provider's answer becomes a session. The page that says so leads on by itself: what follows a link from
        another site, a redirect included, comes without the session's cookie."""
        try:
            session, attempt = await run_in_threadpool(self._finish, request)
        except TaxiwayError as refusal:
            return await run_in_threadpool(self.desk.failed, request, refusal)
        html = Html("web/signed_in.html", "", {"title": "Signed in", "next": attempt.next or "/"})
        answer = await run_in_threadpool(self.site.render, request, None, html, None)
        is_https = self.configured.is_https
        set_session(answer, session, lives=self.sign_ins.session_lives, is_https=is_https)
        answer.delete_cookie(cookie_of(attempt.state), START, secure=is_https, httponly=True, samesite="lax")
        return answer

    def _finish(self, request: Request) -> tuple[str, Attempt]:
        said = request.query_params
        attempt = self._attempt(request, said.get("state", ""))
        if error := said.get("error"):
            raise ProviderSaidNo(provider=self.name, error=error if is_word(error) else "unknown")
        request_id = request.scope["taxiway.request_id"]
        try:
            if not hmac.compare_digest(said.get("iss", self.provider.issuer).encode(), self.provider.issuer.encode()):
                raise TokenUnfit(provider=self.name, problem="the answer came from another issuer (iss)")
            identity = self.provider.finish(said.get("code", ""), attempt)
        except TaxiwayError as refusal:
            if refusal.is_audited:
                self.sign_ins.ledger.refused(nobody(request_id), "access.sign_in", "user:unknown", refusal)
            raise
        return self.sign_ins.enter(identity, attempt, request_id, self.configured.public_url), attempt

    def _attempt(self, request: Request, state: str) -> Attempt:
        kept = request.cookies.get(cookie_of(state), "")
        found = self.attempts.find(kept, state) if kept and is_word(state) else None
        if found is None:
            raise AttemptUnknown(public_url=self.configured.public_url)
        return found

    async def ended(self, request: Request) -> Response:
        """The provider itself says that sessions have ended (back-channel logout)."""
        request_id = request.scope["taxiway.request_id"]
        try:
            fields = await read_fields(request)
            await run_in_threadpool(self._end, fields.get("logout_token", ""), request_id)
        except TaxiwayError as refusal:
            log.warning("a logout that the provider sent was refused: %s", refusal)
            return problem(self.desk.count(refusal), request_id)
        return Response(status_code=200, headers={"Cache-Control": "no-store"})

    def _end(self, token: str, request_id: str) -> None:
        self.sign_ins.end(self.provider.ended(token), request_id)

    def leave(self, session: str) -> str:
        """Where the session at the provider ends that opened this one; empty where none did."""
        token = self.sign_ins.id_token_of(session)
        return self.provider.leave(token) if token else ""


def add(desk: SignIn, configured: Configured, sign_ins: SignIns) -> None:
    """Before the desk's own routes: its links have the same form of address."""
    door = ProviderDoor(desk, configured, sign_ins, Attempts(sign_ins.keys))
    desk.offer(door.name, door.leave)
    desk.site.routes += [
        Route(START, door.begin, methods=["GET"]),
        Route(f"{START}/callback", door.finish, methods=["GET"]),
        Route(f"{START}/ended", door.ended, methods=["POST"]),
    ]


def is_elsewhere(request: Request, host: str) -> bool:
    """Whether the server was opened under another name than its own, and not led to that already."""
    return request.headers.get("host", "").lower() != host and "moved" not in request.query_params


def cookie_of(state: str) -> str:
    return f"taxiway_attempt_{state[:MARK_LENGTH]}"


def is_word(text: str) -> bool:
    return text.isascii() and len(text) <= 80 and text.replace("_", "").replace("-", "").isalnum()


def nobody(request_id: str) -> Caller:
    return Caller(name="anonymous", kind="person", door="page", request_id=request_id)
