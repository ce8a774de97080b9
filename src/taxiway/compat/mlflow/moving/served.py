"""Files behind an MLflow server's own door."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from io import BufferedReader, RawIOBase
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote, urlsplit

import msgspec

from taxiway.compat.mlflow.moving.trees import File, TreeUnreadable

if TYPE_CHECKING:
    from taxiway.compat.mlflow.moving.rest import RestSource

MOST_BYTES = 1 << 30


class ServedTree:
    """A run's files behind an MLflow server's own door."""

    root = ""

    def __init__(self, source: RestSource, place: str) -> None:
        self.source = source
        self.place = unquote(urlsplit(place).path).strip("/")

    def files(self) -> Iterator[File]:
        yield from self._within("")

    def _within(self, folder: str) -> Iterator[File]:
        path = quote(f"{self.place}/{folder}".rstrip("/"))
        answer = self._ask(f"{self.source.base}/api/2.0/mlflow-artifacts/artifacts?path={path}")
        for row in answer.get("files", []):
            name = f"{folder}/{row['path']}" if folder else row["path"]
            if row.get("is_dir"):
                yield from self._within(name)
            else:
                size = int(row.get("file_size", 0))
                yield File(name, size, str(size))

    def _ask(self, path: str) -> dict[str, Any]:
        response = self.source.send("GET", path)
        data = response.read(MOST_BYTES)
        if response.status != 200:
            raise TreeUnreadable(place=self.place, cause=f"the server answers {response.status}")
        return msgspec.json.decode(data, type=dict[str, Any])

    def open(self, path: str) -> IO[bytes]:
        """The file on a connection of its own, closed with it."""
        connection = self.source.open()
        where = quote(f"{self.place}/{path}")
        connection.request(
            "GET", f"{self.source.base}/api/2.0/mlflow-artifacts/artifacts/{where}", None, self.source.headers
        )
        response = connection.getresponse()
        if response.status != 200:
            connection.close()
            raise TreeUnreadable(place=f"{self.place}/{path}", cause=f"the server answers {response.status}")
        return cast("IO[bytes]", BufferedReader(Served(connection, response), 1 << 20))


class Served(RawIOBase):
    """An answer's body, whose end closes the connection."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse) -> None:
        self.connection = connection
        self.response = response

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # what BufferedReader gives
        return self.response.readinto(buffer)

    def close(self) -> None:
        self.connection.close()
        super().close()
