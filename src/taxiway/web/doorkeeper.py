"""Who is at the door and may they come in: the one choke point before every handler."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from taxiway.access.contract import User
from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Scope
from taxiway.kernel.errors import BadField, NotAllowed, SignInNeeded
from taxiway.web.throttle import Throttle

COOKIE = "taxiway_session"
DOORS = ("sdk", "cli")
GUESSES = 150  # tokens that do not hold, from everybody together, before more of them wait
GUESS_EVERY_S = 0.5
MOST_REMEMBERED = 20_000


class Finder:
    """Finds the project of a thing that never moves to another one, and remembers what it found."""

    def __init__(self, find: Callable[[str], str]) -> None:
        self.find = find
        self.found: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        """Raises what `find` raises."""
        known = self.found.get(name)
        if known is None:
            known = self.find(name)
            if len(self.found) >= MOST_REMEMBERED:
                self.found.clear()
            self.found[name] = known
        return known


class Doorkeeper:
    """Identifies callers and admits them.

    project_of: for each name that paths carry (`model`, `run`, …), how to find the project it belongs to. Nouns
    register theirs when they are composed; a path whose project cannot be found is not served.
    """

    def __init__(self, access: Access, *, login: bool) -> None:
        self.access = access
        self.login = login
        self.guesses = Throttle(burst=GUESSES, every_s=GUESS_EVERY_S)
        self.project_of: dict[str, Callable[[str], str]] = {"project": lambda name: name}

    def identify(self, request: Request, *, accepts_cookie: bool, dialect: str = "") -> Caller | None:
        """The caller, or None where nobody signed in. A token that does not hold is refused, not ignored.
        Raises SignInNeeded, and TooManyAttempts after many of those.

        Cookies count for pages only: a browser sends them by itself, so they never carry an API call.
        dialect: whose client asks. It is the door then, and the token may come as the password of a Basic login.
        """
        door = dialect or request.headers.get("taxiway-door", "")
        doors = (*DOORS, dialect)
        request_id: str = request.scope["taxiway.request_id"]
        key = request.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 100:
            raise BadField(field="Idempotency-Key", value=repr(key[:20]), expected="a text of 1 to 100 characters")
        user: User | None = None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            if dialect and scheme.lower() == "basic":
                scheme, token = "bearer", password_in(token)
            user = self.access.user_of(token.strip(), "token") if scheme.lower() == "bearer" else None
            if user is None:
                self.guesses.failed()
                raise SignInNeeded(reason="The token is not valid, or not any more.")
        elif accepts_cookie and (session := request.cookies.get(COOKIE)):
            user = self.access.user_of(session, "session")
        if user is not None:
            return Caller(
                name=user.name,
                kind=user.kind,
                is_admin=user.is_admin,
                door=door if door in doors else "page" if accepts_cookie else "api",
                request_id=request_id,
                key=key,
            )
        if self.login and not request.scope.get("taxiway.is_socket", False):
            return None
        door = door if door in doors else "page" if accepts_cookie else "api"
        return Caller(name="local", kind="local", is_admin=True, door=door, request_id=request_id, key=key)

    async def identify_soon(self, request: Request, *, accepts_cookie: bool, dialect: str = "") -> Caller | None:
        """As `identify`, on the event loop: on a thread only where the database has to be asked."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if dialect and scheme.lower() == "basic":
            token = password_in(token)
        secret = token.strip() if scheme else request.cookies.get(COOKIE, "") if accepts_cookie else ""
        identify = functools.partial(self.identify, request, accepts_cookie=accepts_cookie, dialect=dialect)
        if not secret or self.access.is_known(secret):
            return identify()
        return await run_in_threadpool(identify)

    async def admit_soon(
        self, caller: Caller | None, *, needs: str, scope: Scope, path: Mapping[str, Any], body: object = None
    ) -> Caller:
        """As `admit`, on the event loop: on a thread only where the database has to be asked."""
        admit = functools.partial(self.admit, caller, needs=needs, scope=scope, path=path, body=body)
        if caller is None or scope == "open" or (scope == "platform" and caller.is_admin):
            return admit()
        project = self.known_project(path)
        if scope == "project" and project and self.access.is_settled(caller, project):
            return admit()
        return await run_in_threadpool(admit)

    def known_project(self, path: Mapping[str, Any]) -> str | None:
        """The project that the path is about, where it can be told without asking the database."""
        for name, value in path.items():
            if finder := self.project_of.get(name):
                return finder.found.get(str(value)) if isinstance(finder, Finder) else None
        return None

    def admit(
        self, caller: Caller | None, *, needs: str, scope: Scope, path: Mapping[str, Any], body: object = None
    ) -> Caller:
        """The caller, if they may do what the endpoint needs in the project that the request names.

        Raises SignInNeeded, NotAllowed, and NotFound for what is not there or is not theirs to read.
        """
        if caller is None:
            raise SignInNeeded(reason="This needs someone who is signed in.")
        if scope == "platform":
            self.access.require(caller, needs, None)
        elif scope == "project":
            kind, name, find = self.thing(path, body)
            self.access.admit(caller, needs, kind=kind, name=name, find=lambda: [find(name)])
        return caller

    def names_project(self, path: Mapping[str, Any]) -> bool:
        """Whether the path alone says which project a request is about."""
        return any(name in self.project_of for name in path)

    def thing(self, path: Mapping[str, Any], body: object) -> tuple[str, str, Callable[[str], str]]:
        """What a request is about, its name, and what finds its project by that."""
        for kind, value in path.items():
            if kind in self.project_of:
                return kind, str(value), self.project_of[kind]
        project = getattr(body, "project", None)
        if not isinstance(project, str) or not project:
            raise BadField(field="project", value=repr(project), expected="the name of a project")
        return "project", project, self.project_of["project"]


def password_in(credentials: str) -> str:
    """The password of a Basic login; empty where it is none."""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def form_token(request: Request) -> str:
    """What a page's forms carry, so that no other site can post them: bound to the session, or to the process."""
    secret = request.cookies.get(COOKIE, "")
    process: bytes = request.scope["taxiway.form_key"]
    return hmac.new(process, secret.encode(), hashlib.sha256).hexdigest()


def check_form_token(request: Request, given: str) -> None:
    if not hmac.compare_digest(form_token(request), given):
        raise NotAllowed(
            actor="This form",
            needs="a fresh page",
            where="this browser session: reload the page and send it again",
            who_can=[],
        )
