"""How to use the platform from programs, and the API's description, drawn from what this server serves."""

from __future__ import annotations

from functools import cached_property
from itertools import groupby
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from taxiway.kernel.endpoint import Endpoint
from taxiway.web.openapi import describe, noun_of, plain_path
from taxiway.web.serve import JSON, Server
from taxiway.web.site import Html, Site, View


class Docs:
    def __init__(self, server: Server) -> None:
        self.server = server

    def show(self, view: View) -> Html:
        by_noun = groupby(sorted(self.endpoints, key=lambda e: (noun_of(e), e.path, e.method)), key=noun_of)
        values = {
            "title": "Documentation",
            "origin": view.origin,
            "count": len(self.endpoints),
            "nouns": [(noun, [(e, plain_path(e)) for e in endpoints]) for noun, endpoints in by_noun],
        }
        return Html("web/docs.html", "", values)

    def openapi(self, request: Request) -> Response:
        """The document, for generated clients; it says nothing of this server's content, so it needs no sign-in."""
        return Response(self.document, media_type=JSON)

    @property
    def endpoints(self) -> list[Endpoint[Any, Any]]:
        return [Endpoint.declared[key] for key in self.server.bound]

    @cached_property
    def document(self) -> bytes:
        return msgspec.json.encode(describe(self.endpoints))


def add(site: Site, server: Server) -> None:
    docs = Docs(server)
    site.page("/docs", docs.show, needs="access.self", scope="platform")
    site.routes.append(Route("/api/openapi.json", docs.openapi, methods=["GET"]))
