"""One request to one receiver: to an address that was checked, within a time, and nowhere else.

No redirect is followed, no proxy is asked, and of the answer only its status is read.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from taxiway.hooks.addresses import Target
from taxiway.kernel.version import VERSION

CONNECT_S = 5.0
WHOLE_S = 10.0
MOST_ADDRESSES = 3
AGENT = f"taxiway/{VERSION}"


class Outcome(Struct, frozen=True):
    """What became of a request. status: 0 where no answer came."""

    status: int
    error: str
    took_ms: float = 0.0

    @property
    def is_delivered(self) -> bool:
        return 200 <= self.status < 300


class NoAnswer(Exception):
    """No answer came; its text says why."""


def post(
    target: Target, addresses: Sequence[str], headers: Mapping[str, str], body: str, *, whole_s: float = WHOLE_S
) -> Outcome:
    """Posts a body. addresses: where the target's host is, checked by who asks. Gives an outcome, whatever happens."""
    began = time.monotonic()
    try:
        status = ask(target, addresses, {"Host": target.named, **headers}, body, whole_s=whole_s)
    except NoAnswer as e:
        return Outcome(0, str(e), took(began))
    error = "" if 200 <= status < 300 else f"it answered {status}"
    if 300 <= status < 400:
        error += ", and redirects are not followed"
    return Outcome(status, error, took(began))


def took(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 1)


def ask(target: Target, addresses: Sequence[str], headers: Mapping[str, str], body: str, *, whole_s: float) -> int:
    """The status of the answer. Raises NoAnswer."""
    plain = connect(target, addresses)
    with contextlib.closing(plain), deadline(plain, whole_s) as is_over:
        try:
            connection = http.client.HTTPConnection(target.host, target.port)
            connection.auto_open = 0  # it never connects by itself: that would look the name up once more
            connection.sock = sealed(plain, target) if target.scheme == "https" else plain
            with contextlib.closing(connection):
                connection.request(
                    "POST", target.path, body.encode(), {**headers, "Connection": "close", "User-Agent": AGENT}
                )
                return connection.getresponse().status
        except (OSError, http.client.HTTPException) as e:
            is_late = is_over.is_set() or isinstance(e, TimeoutError)
            raise NoAnswer(f"it did not answer within {whole_s:g} s" if is_late else said(e)) from e


def connect(target: Target, addresses: Sequence[str]) -> socket.socket:
    """A connection to the first address that takes one. Raises NoAnswer."""
    failed: OSError = OSError("it has no address")
    for address in addresses[:MOST_ADDRESSES]:
        try:
            return socket.create_connection((address, target.port), timeout=CONNECT_S)
        except OSError as e:
            failed = e
    raise NoAnswer(said(failed)) from failed


def sealed(plain: socket.socket, target: Target) -> ssl.SSLSocket:
    """The connection in TLS; the certificate must be the host's own."""
    return ssl.create_default_context().wrap_socket(plain, server_hostname=target.host)


@contextlib.contextmanager
def deadline(plain: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """Cuts a connection when its time is over, however slowly bytes still drip; the event says that it was cut."""
    is_over = threading.Event()
    plain.settimeout(seconds)
    other = plain.dup()  # TLS takes the first one for itself

    def cut() -> None:
        is_over.set()
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()
        other.close()


def said(error: Exception) -> str:
    """An error of the network in words."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate does not hold: {error.verify_message}"
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}"
        case TimeoutError():
            return f"no connection within {CONNECT_S:g} s"
        case http.client.HTTPException():
            return "it did not answer as HTTP does"
        case _:
            return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
