"""A server that throws away what it is sent and gives zeros back: what is left is what the client costs.

python -m tools.tracking.sink PORT
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECE = memoryview(bytearray(1 << 20))
ZEROS = bytes(1 << 20)


class Sink(BaseHTTPRequestHandler):
    """As much of MLflow's artifact proxy as its client needs."""

    protocol_version = "HTTP/1.1"
    size = 0  # of what was sent last, by whomever

    def do_PUT(self) -> None:
        Sink.size = left = int(self.headers["Content-Length"])
        while left:
            left -= self.rfile.readinto(PIECE[: min(left, len(PIECE))])
        self.say({})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say({"run": {"info": {"run_id": "0" * 32}}})

    def do_GET(self) -> None:
        if "?path=" in self.path or self.path == "/health":
            self.say({"files": []})
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(Sink.size))
        self.end_headers()
        left = Sink.size
        while left:
            left -= self.wfile.write(ZEROS[: min(left, len(ZEROS))])

    def say(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Sink).serve_forever()
