"""Questions to a server that the configuration names: bounded in time and size, to checked addresses, nowhere else."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from taxiway.hooks.addresses import Reach, read_url
from taxiway.hooks.posting import AGENT, NoAnswer, connect, deadline, said, sealed
from taxiway.kernel.errors import TaxiwayError

WHOLE_S = 8.0
MOST_BYTES = 512 << 10
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Fetcher:
    """Asks for JSON. reach: which hosts may be asked at all; no redirect is followed, no proxy asked."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach

    def ask(
        self, url: str, *, fields: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, object]]:
        """The status and the object of an answer; a form is sent where there are fields. Raises NoAnswer."""
        try:
            target = read_url(url, "the provider's address")
            addresses = self.reach.addresses(target)
        except TaxiwayError as e:
            raise NoAnswer(str(e)) from e
        plain = connect(target, addresses)
        given = {"Host": target.named, "Accept": "application/json", "Connection": "close", "User-Agent": AGENT}
        given |= headers or {}
        body = urlencode(fields).encode() if fields is not None else None
        if body is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(plain), deadline(plain, WHOLE_S) as is_over:
            try:
                connection = http.client.HTTPConnection(target.host, target.port)
                connection.auto_open = 0  # it never connects by itself: that would look the name up once more
                connection.sock = sealed(plain, target) if target.scheme == "https" else plain
                with contextlib.closing(connection):
                    connection.request("GET" if body is None else "POST", target.path, body, given)
                    reply = connection.getresponse()
                    data = reply.read(MOST_BYTES + 1)
            except (OSError, http.client.HTTPException) as e:
                is_late = is_over.is_set() or isinstance(e, TimeoutError)
                raise NoAnswer(f"it did not answer within {WHOLE_S:g} s" if is_late else said(e)) from e
        return reply.status, read_object(reply.status, data)


def read_object(status: int, data: bytes) -> dict[str, object]:
    """The JSON object of an answer. Raises NoAnswer."""
    if 300 <= status < 400:
        raise NoAnswer(f"it answered {status}, and redirects are not followed")
    if len(data) > MOST_BYTES:
        raise NoAnswer(f"its answer is longer than {MOST_BYTES:,} bytes")
    try:
        return msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError) as e:
        raise NoAnswer(f"it answered {status} with something that is no JSON object") from e
