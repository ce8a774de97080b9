"""Refusals and failures as an answer: problem+json for programs, a page for browsers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ExceptionHandler

from taxiway.kernel.errors import NotFound, TaxiwayError, Unexpected
from taxiway.web.edge import Speaker, problem, speaker
from taxiway.web.site import Site

NOTHING_THERE = "page or endpoint"


class MethodNotAllowed(TaxiwayError):
    """The address is right, what was to be done there is not."""

    status = 405
    method: str
    path: str
    allowed: list[str]

    def __str__(self) -> str:
        return f"{self.path} does not take {self.method}; it takes {' and '.join(self.allowed)}."


class PageUnknown(TaxiwayError):
    """A person followed an address at which there is no page."""

    status = 404
    path: str

    def __str__(self) -> str:
        return f"There is no page at {self.path}. Search for it by name in the field above."


def is_no_endpoint(refusal: TaxiwayError) -> bool:
    """Whether there is nothing at the address that was asked for."""
    return isinstance(refusal, NotFound) and refusal.kind == NOTHING_THERE


def is_unrouted(error: Exception) -> bool:
    """Whether the framework found nothing at an address."""
    return isinstance(error, HTTPException) and error.status_code == 404


def handlers(site: Site, dialects: Sequence[Speaker] = ()) -> dict[Any, ExceptionHandler]:
    """What answers when a handler raises, or none is found."""

    def refuse(request: Request, error: Exception) -> Response:
        refusal = as_refusal(request, error)
        dialect = speaker(dialects, request.url.path)
        if dialect is not None:
            answer = dialect.refuse(refusal)
        elif is_page(request):
            answer = site.refuse(request, PageUnknown(path=request.url.path) if is_unrouted(error) else refusal)
        else:
            answer = problem(refusal, request.scope["taxiway.request_id"])
        if isinstance(refusal, MethodNotAllowed):
            answer.headers["Allow"] = ", ".join(refusal.allowed)
        return answer

    return {TaxiwayError: refuse, HTTPException: refuse, Exception: refuse}


def as_refusal(request: Request, error: Exception) -> TaxiwayError:
    """The refusal that an exception stands for."""
    if isinstance(error, TaxiwayError):
        return error
    if isinstance(error, HTTPException) and error.status_code == 405:
        return MethodNotAllowed(method=request.method, path=request.url.path, allowed=methods_at(request))
    if isinstance(error, HTTPException) and error.status_code == 404:
        wanted = f"{request.method} {request.url.path}"
        return NotFound(kind=NOTHING_THERE, name=wanted, hint="`/api/openapi.json` lists every endpoint.")
    return Unexpected(detail="Something failed here.", request_id=request.scope["taxiway.request_id"])


def methods_at(request: Request) -> list[str]:
    """The methods that the address takes; the framework names those of its first route alone."""
    found: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            found |= route.methods or set()
    return sorted(found)


def is_page(request: Request) -> bool:
    """Whether a person is looking: a browser asks for HTML, and not under /api."""
    is_under_api = request.url.path.startswith(("/api/", "/health"))
    return not is_under_api and "text/html" in request.headers.get("accept", "")
