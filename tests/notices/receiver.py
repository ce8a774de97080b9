"""A mail server on loopback, which keeps the letters that it is given and answers as it is asked to."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

PATIENCE_S = 20.0


class MailReceiver:
    """letters: as they came, in bytes. answers: what is said to the next ones instead of 250, by the command that they
    follow. held: while it is set, a letter that came is not answered."""

    def __init__(self) -> None:
        self.letters: list[bytes] = []
        self.answers: dict[str, list[str]] = {}
        self.held = threading.Event()
        self.came = threading.Condition()
        receiver = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                receiver.speak(self)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server.server_address[1]}?tls=none"

    def speak(self, handler: socketserver.StreamRequestHandler) -> None:
        """One conversation, as RFC 5321 has it."""

        def say(text: str) -> None:
            handler.wfile.write(f"{text}\r\n".encode())

        say("220 here")
        while line := handler.rfile.readline().decode(errors="replace"):
            command = line[:4].strip().upper()
            said = self.answers.get(command, [])
            if said:
                say(said.pop(0))
            elif command == "DATA":
                say("354 go on")
                self.take(b"".join(iter_data(handler)))
                while self.held.is_set():
                    time.sleep(0.01)
                ends = self.answers.get("END", [])
                say(ends.pop(0) if ends else "250 taken")
            elif command == "QUIT":
                say("221 bye")
                return
            else:
                say("250 yes")

    def take(self, letter: bytes) -> None:
        with self.came:
            self.letters.append(letter)
            self.came.notify_all()

    def wait(self, count: int) -> list[EmailMessage]:
        """The letters, once there are so many."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.letters) >= count, PATIENCE_S), f"{len(self.letters)} letters"
            return self.read()

    def read(self) -> list[EmailMessage]:
        return [message_from_bytes(each, policy=default) for each in self.letters]


def iter_data(handler: socketserver.StreamRequestHandler) -> Iterator[bytes]:
    while (line := handler.rfile.readline()) not in (b".\r\n", b""):
        yield line[1:] if line.startswith(b"..") else line


@contextmanager
def receiving() -> Iterator[MailReceiver]:
    receiver = MailReceiver()
    receiver.thread.start()
    try:
        yield receiver
    finally:
        receiver.held.clear()
        receiver.server.shutdown()
        receiver.server.server_close()
