"""A terminal's side of signing in: it listens on its own machine for the code that a browser there brings."""

from __future__ import annotations

import hmac
import platform
import secrets
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from taxiway.access.terminals.contract import PAGE
from taxiway.kernel.errors import TaxiwayError

WAIT_S = 300.0
TICK_S = 0.2
READ_S = 5.0
DONE = b"""<!doctype html><html lang="en"><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<title>Taxiway</title><p>The terminal has what it needs. You may close this page.</p></html>"""


class NobodyCame(TaxiwayError):
    """No browser brought a code in time."""

    status = 408
    wait_s: int

    def __str__(self) -> str:
        return (
            f"Nobody said yes in the browser within {self.wait_s} s. Run `taxiway access sign-in` again; where this "
            "machine has no browser, make a token on your account's page (/me) and set TAXIWAY_TOKEN."
        )


class Listener(HTTPServer):
    """Waits for one code on loopback, on any free port."""

    def __init__(self) -> None:
        self.state = secrets.token_urlsafe(24)
        self.verifier = secrets.token_urlsafe(48)
        self.code = ""
        super().__init__(("127.0.0.1", 0), Handler)
        self.timeout = TICK_S

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that breaks off is nobody's business."""

    def address(self, url: str, challenge: str, *, label: str, days: int) -> str:
        """The page of the server that asks the person."""
        asked = {"port": self.server_port, "state": self.state, "challenge": challenge, "days": days}
        return f"{url}{PAGE}?{urlencode({**asked, 'label': label or platform.node() or 'terminal'})}"

    def wait(self, wait_s: float = WAIT_S) -> str:
        """The code. Raises NobodyCame."""
        until = time.monotonic() + wait_s
        while not self.code:
            if time.monotonic() > until:
                raise NobodyCame(wait_s=round(wait_s))
            self.handle_request()
        return self.code


class Handler(BaseHTTPRequestHandler):
    """Takes the code from whoever knows the state, and nothing else from anybody."""

    server: Listener
    timeout = READ_S

    def do_GET(self) -> None:
        said = parse_qs(urlsplit(self.path).query)
        code, state = said.get("code", [""])[-1], said.get("state", [""])[-1]
        is_ours = hmac.compare_digest(state.encode(), self.server.state.encode()) and bool(code)
        self.send_response(200 if is_ours else 404)
        for name, value in (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        if is_ours:
            self.server.code = code
            self.wfile.write(DONE)

    def log_message(self, *_: object) -> None:
        """Nothing: the address holds the code."""


def fetch_code(listener: Listener, address: str, *, show: Callable[[str], None], is_browser: bool) -> str:
    """Has a browser ask the person, and waits for the code. Raises NobodyCame."""
    show(address)
    if is_browser:
        import webbrowser

        webbrowser.open(address)
    return listener.wait()
