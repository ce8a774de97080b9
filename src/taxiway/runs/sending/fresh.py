"""Points that were just written to the spool, kept as they are to be sent, so that nobody has to read them again."""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager

MOST = 16_000  # points of a batch, and records that it is read from: one that is sent again is read from the file
MOST_CHUNKS = 4  # the older ones are let go, and read from the file after all: some 8 MB at most are kept

Rows = list[tuple[str, int, float]]  # key, step and value
Columns = tuple[list[int], list[int], list[float]]  # steps, times in microseconds since 1970, values


class Chunk:
    """Points whose records follow one another in a file, from one offset to another, as columns by metric.

    room: for how many more points, or records without any.
    """

    __slots__ = ("columns", "end", "file", "records", "room", "start")

    def __init__(self, file: object, start: int) -> None:
        self.file = file
        self.start = self.end = start
        self.room = MOST
        self.records = 0
        self.columns: dict[str, Columns] = {}


class Fresh:
    """The newest points of a stream. lock: held by who adds."""

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self.lock = lock
        self.chunks: deque[Chunk] = deque(maxlen=MOST_CHUNKS)
        self.newest = Chunk(None, 0)

    def add(self, file: object, start: int, end: int, at: int, rows: Rows) -> None:
        """Adds the points of a record that lies in the file from `start` to `end`."""
        chunk = self.newest
        size = len(rows) or 1
        if chunk.end != start or chunk.file is not file or (chunk.room < size and chunk.records):
            chunk = self.newest = Chunk(file, start)
            self.chunks.append(chunk)
        columns = chunk.columns
        for key, step, value in rows:
            if key not in columns:
                columns[key] = ([], [], [])
            steps, times, values = columns[key]
            steps.append(step)
            times.append(at)
            values.append(value)
        chunk.end = end
        chunk.records += 1
        chunk.room -= size

    def take(self, file: object, at: int) -> Chunk | None:
        """The chunk that begins there, which is the taker's from now on; what lies before it is forgotten."""
        with self.lock:
            while any(chunk.file is file for chunk in self.chunks):
                first = self.chunks[0]
                if first.file is file and first.start > at:
                    return None
                self.chunks.popleft()
                if first is self.newest:
                    self.newest = Chunk(None, 0)
                if first.file is file and first.start == at:
                    return first
            return None

    def start(self, file: object) -> int:
        """Where the first chunk of a file begins; 0 where there is none."""
        with self.lock:
            return next((chunk.start for chunk in self.chunks if chunk.file is file), 0)
