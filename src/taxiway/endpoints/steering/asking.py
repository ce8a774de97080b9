"""Asking the gateway on somebody's behalf: for the pages, whose readers carry no token."""

from __future__ import annotations

import http.client
from typing import Any

import msgspec

from taxiway.endpoints.contract import Answer, Invocation
from taxiway.endpoints.gateway.address import read_address
from taxiway.endpoints.refusals import GatewayAway
from taxiway.endpoints.steering.publishing import Publisher
from taxiway.kernel.errors import revive
from taxiway.kernel.transport import Fault

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
