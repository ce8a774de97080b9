"""Requests byte by byte, as no client library would send them, and what comes back."""

from __future__ import annotations

import json
import socket
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Reply(NamedTuple):
    """What a server sent until it closed. status: of the first answer; 0 where there was none."""

    status: int
    head: str
    body: bytes
    answers: int  # how many there were

    @property
    def code(self) -> str:
        """MLflow's error code; empty where there is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return ""
        return str(found.get("error_code", "")) if isinstance(found, dict) else ""


def send(url: str, request: bytes, *, timeout_s: float = 10) -> Reply:
    """Sends bytes as they are and reads until the other side closes, or is silent for that long."""
    parts = urlsplit(url)
    found = b""
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout_s) as line:
        try:
            line.sendall(request)
            while piece := line.recv(1 << 16):
                found += piece
        except OSError:  # it closed while something was still on its way, or says nothing more
            pass
    head, _, body = found.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head.startswith(b"HTTP/") else 0
    return Reply(status, head.decode("latin-1").lower(), body, found.count(b"HTTP/1.1 "))


def ask(
    url: str, method: str, target: str, body: bytes = b"", *, token: str = "", headers: dict[str, str] | None = None
) -> Reply:
    """One request whose target stands in its first line exactly as given."""
    given = {"Host": urlsplit(url).netloc, "Connection": "close"}
    given |= {"Authorization": f"Bearer {token}"} if token else {}
    if method not in ("GET", "HEAD", "OPTIONS"):
        given |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
    given |= headers or {}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return send(url, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + body)


def ask_json(url: str, method: str, target: str, body: object) -> Any:
    """What a request with a JSON body is told, as values."""
    return json.loads(ask(url, method, target, json.dumps(body).encode()).body)
