"""A server that answers any request at once with the same few bytes: what a client's own times amount to.

``python -m tools.serving.echo PORT``
"""

from __future__ import annotations

import select
import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
HEAD_END = b"\r\n\r\n"


def main() -> None:
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    waiting = select.epoll()
    waiting.register(listener, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    while True:
        for number, _ in waiting.poll():
            if number == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                waiting.register(connection, select.EPOLLIN)
            elif data := connections[number].recv(1 << 16):
                if HEAD_END in data:  # a request of these benches comes in one piece
                    connections[number].sendall(ANSWER)
            else:
                connections.pop(number).close()


if __name__ == "__main__":
    main()
