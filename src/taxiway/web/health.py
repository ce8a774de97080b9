"""Whether the server lives: `/health`, answered as MLflow's server answers it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse

HEADER = "Taxiway-Status"  # by which our own are told from whoever else says OK


async def health(request: Request) -> PlainTextResponse:
    """Answered without a thread: it says that the server lives even where every thread is taken."""
    return PlainTextResponse("OK", headers={HEADER: "ready", "Cache-Control": "no-store"})
