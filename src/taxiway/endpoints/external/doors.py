"""What may be done to endpoints that answer elsewhere, asked within every change of an endpoint."""

from __future__ import annotations

from sqlalchemy import Connection

from taxiway.endpoints.external import store
from taxiway.endpoints.external.refusals import EndpointExternal, EndpointHere

REGISTERING = "endpoints.register_external"
OF_BOTH = frozenset({"endpoints.stop", "endpoints.start"})


def check_kind(connection: Connection, endpoint: str, verb: str, *, is_there: bool = True) -> None:
    """Raises EndpointExternal for what only an endpoint that is served here can do, EndpointHere the other way."""
    is_external = store.is_external(connection, endpoint)
    if is_external and verb not in OF_BOTH | {REGISTERING}:
        raise EndpointExternal(endpoint=endpoint)
    if verb == REGISTERING and is_there and not is_external:
        raise EndpointHere(endpoint=endpoint)
