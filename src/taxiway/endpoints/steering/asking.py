"""Asking the gateway on somebody's behalf: for the pages, whose readers carry no token."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from taxiway.endpoints.contract import Answer, Invocation
from taxiway.endpoints.gateway.address import read_address
from taxiway.endpoints.gateway.stream_forms import LINES
from taxiway.endpoints.refusals import GatewayAway
from taxiway.endpoints.steering.forwarding import Forwarder
from taxiway.endpoints.steering.publishing import Publisher
from taxiway.kernel.errors import revive
from taxiway.kernel.transport import Fault

JSON = b"application/json"
WAIT_S = 40.0  # longer than the gateway's own deadline


def ask(publisher: Publisher, endpoint: str, row: dict[str, Any]) -> Answer:
    """The answer for one row. The caller's right to ask was checked before.

    Raises what the gateway refuses with, and GatewayAway.
    """
    home = publisher.home
    address = read_address(home)
    log = str(home / "gateway" / "gateway.log")
    if address is None or not address.is_alive():
        raise GatewayAway(reason="none runs; `taxiway server` starts it", log=log)
    headers = {"Host": "localhost", "Content-Type": "application/json", "Authorization": f"Bearer {publisher.token}"}
    connection = http.client.HTTPConnection(address.host, address.port, timeout=WAIT_S)
    try:
        connection.request(
            "POST", f"/endpoints/{endpoint}/invocations", msgspec.json.encode(Invocation([row])), headers
        )
        reply = connection.getresponse()
        data = reply.read()
    except (OSError, http.client.HTTPException) as e:
        raise GatewayAway(reason=str(e) or type(e).__name__, log=log) from e
    finally:
        connection.close()
    if reply.status >= 400:
        fault = msgspec.json.decode(data, type=Fault)
        raise revive(fault.error, fault.facts)
    return msgspec.json.decode(data, type=Answer)


def in_pieces(forwarder: Forwarder, endpoint: str, row: dict[str, Any]) -> ASGIApp:
    """What answers a page with the pieces of one row, a line for each, as long as its reader stays.

    The caller's right to ask was checked before.
    """
    body = msgspec.json.encode(Invocation([row]))

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", JSON), (b"accept", LINES), (b"content-length", b"%d" % len(body))]
        path = f"/endpoints/{endpoint}/invocations"
        asked = {**scope, "path": path, "headers": headers, "path_params": {"endpoint": endpoint}}
        await forwarder(asked, first(body, receive), send)

    return answer


def first(body: bytes, receive: Receive) -> Callable[[], Any]:
    """A request's messages: this body, and then what is heard of the caller."""
    told = [{"type": "http.request", "body": body, "more_body": False}]

    async def hear() -> Message:
        return told.pop() if told else await receive()

    return hear
