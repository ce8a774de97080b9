"""Scoring processes as the reading side holds them: given chunks in shared memory, asked for the answers in order."""

from __future__ import annotations

import mmap
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from msgspec import Struct

from taxiway.endpoints.scoring.refusals import ScorerDied, ScoringStopped
from taxiway.endpoints.scoring.wire import Chunk, Prepared, Refused, Scored, Stopped, to_reader
from taxiway.endpoints.worker.held import ENVIRONMENT
from taxiway.endpoints.worker.wire import Frames, frame

RECEIVE_BYTES = 1 << 20
LAST_WORDS = 20


class Loaded(Struct, frozen=True):
    """What is loaded, and how."""

    model: str
    folder: Path
    digest: str
    may_run_code: bool = False


class Scorer:
    """One process, one socket, one piece of memory."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.frames = Frames()
        self.ready: list[bytes] = []
        self.memory = os.memfd_create("taxiway-scoring")
        self.words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self.socket, theirs = socket.socketpair()
        with theirs:
            numbers = ["--descriptor", str(theirs.fileno()), "--memory", str(self.memory)]
            what = ["--bundle", str(loaded.folder), "--digest", loaded.digest, *numbers]
            code = ["--may-run-code"] if loaded.may_run_code else []
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-u", "-m", "taxiway.endpoints.scoring.process", *what, *code],
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=self.words,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno(), self.memory],
            )

    def prepared(self) -> Prepared:
        """Once the model is loaded. Raises ScorerDied."""
        match self._next():
            case Prepared() as prepared:
                return prepared
            case Refused() as refused:
                raise ScorerDied(model=self.loaded.model, reason=f"{refused.error}: {refused.reason}", last_words=[])
            case other:
                raise AssertionError(other)

    def give(self, batch: pa.RecordBatch, *, is_text: bool, keeps_on: bool, is_exact: bool = False) -> None:
        """Has it answer a chunk; its answers are to be taken before the next is given."""
        counted = pa.MockOutputStream()
        write_stream(counted, batch)
        size = counted.size()
        os.ftruncate(self.memory, max(size, os.fstat(self.memory).st_size))
        write_stream(pa.FixedSizeBufferWriter(pa.py_buffer(mmap.mmap(self.memory, size))), batch)
        self.socket.sendall(frame(Chunk(size, is_text, keeps_on, is_exact)))

    def take(self, first_row: int) -> Scored:
        """The answers to what was given. first_row: its place in the file. Raises ScoringStopped, ScorerDied."""
        match self._next():
            case Scored() as scored:
                return scored
            case Stopped() as stopped:
                raise ScoringStopped(row=first_row + max(stopped.row, 0), field=stopped.field, problem=stopped.problem)
            case other:
                raise AssertionError(other)

    def _next(self) -> Any:
        while not self.ready:
            try:
                data = self.socket.recv(RECEIVE_BYTES)
            except ConnectionError:
                data = b""
            if not data:
                raise self._death()
            self.ready.extend(self.frames.feed(data))
        return to_reader.decode(self.ready.pop(0))

    def _death(self) -> ScorerDied:
        code = self.process.wait(10)
        self.words.seek(0)
        lines = self.words.read().decode(errors="replace").splitlines()[-LAST_WORDS:]
        how = f"signal {-code}" if code < 0 else f"code {code}"
        return ScorerDied(model=self.loaded.model, reason=f"its process ended with {how}", last_words=lines)

    def close(self) -> None:
        """Ends the process, kindly, then by force."""
        self.socket.close()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.memory)
        self.words.close()


def write_stream(sink: Any, batch: pa.RecordBatch) -> None:
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
