"""A worker process as the gateway holds it: started, given requests, told to end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from taxiway.endpoints.blocks import BlockRows
from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.setup import PLAIN
from taxiway.endpoints.worker import wire
from taxiway.endpoints.worker.confinement import Confinement
from taxiway.endpoints.worker.hearing import Unheard, answers_of, check_outputs, error_of
from taxiway.endpoints.worker.job import Job
from taxiway.endpoints.worker.standing_still import KNOWN_ANSWERS, Watch, look
from taxiway.endpoints.worker.starting import Warm

WINDOW = {True: 64, False: 4}  # requests given to a worker ahead of its answers, by whether it batches

# A worker sees nothing of the gateway's environment, which may hold secrets; threads of BLAS and OpenMP would
# fight over the cores that the workers share.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "JOBLIB_MULTIPROCESSING": "0",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
}

Command = Callable[[ServedRevision, Path, int], list[str]]


class Limits(NamedTuple):
    """How much may wait, and how long."""

    queue: int = 256  # requests of one revision, waiting and in work
    deadline_s: float = 30.0  # also of each piece of a stream
    body_bytes: int = 8 << 20
    rows: int = 10_000
    body_wait_s: float = 10.0
    header_wait_s: float = 10.0
    behind_streams_s: float = 1.0  # how long a request waits where streams hold every worker


def worker_command(
    revision: ServedRevision, bundle: Path, descriptor: int, *, python: str = sys.executable
) -> list[str]:
    """How a worker of ours is started; tests give others."""
    # -I: no module of the working folder or the user's; -B: no files written; -u: a crash takes no last words along.
    here = [python, "-I", "-B", "-u", "-m", "taxiway.endpoints.worker.process"]
    return [*here, *told(revision, bundle), "--descriptor", str(descriptor)]


def told(revision: ServedRevision, bundle: Path) -> list[str]:
    """What a worker is told of what it serves."""
    what = ["--bundle", str(bundle), "--digest", revision.bundle_digest, "--endpoint", revision.endpoint]
    return [*what, *options(revision)]


def begin(command: list[str], channel: socket.socket, output: int) -> int:
    """The pid of a process with a command of its own. Raises OSError.

    To be called from the main thread: the worker asks to die with the thread that made it.
    """
    process = subprocess.Popen(
        command,
        env=ENVIRONMENT,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=[channel.fileno()],
    )
    process.returncode = 0  # who waits for it is the worker as it is held here
    return process.pid


def options(revision: ServedRevision) -> list[str]:
    """What a worker is told of how it runs."""
    code = ["--may-run-code"] if revision.may_run_code else []
    network = ["--network"] if revision.setup.network else []
    batch = ["--max-batch", str(revision.setup.max_batch), "--max-delay-ms", str(revision.setup.max_delay_ms)]
    return [*code, *network, "--sandbox", revision.setup.sandbox, *batch]


class Keeper(Protocol):
    """Who a worker belongs to, and hears what becomes of it."""

    def on_ready(self) -> None:
        """It may be given requests."""

    def on_answer(self) -> None:
        """It has room for more."""

    def on_death(self, worker: Worker, cpu_s: float) -> None:
        """It ended, whatever the cause, and had used this much processor time."""


class LogTail(asyncio.Protocol):
    """The last lines a worker printed; a chatty model costs no disk."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=20)
        self.rest = b""
        self.ended = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.rest = self.rest[-2000:]
        self.lines.extend(line.decode(errors="replace")[:500] for line in lines[-20:])

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


class Worker(asyncio.Protocol):
    """One process and the socket to it."""

    def __init__(self, keeper: Keeper) -> None:
        self.keeper = keeper
        self.frames = wire.Frames()
        self.in_flight: dict[int, Job] = {}
        self.streams = 0  # of them
        self.is_held_up = False  # it is not read, since a caller takes its stream slowly
        self.outbox: list[bytes] = []
        self.max_batch = PLAIN.max_batch
        self.ready: wire.Ready | None = None
        self.refused: wire.Refused | None = None
        self.confinement: Confinement | None = None  # as it was before the model was opened
        self.endpoint = ""
        self.transport: asyncio.WriteTransport | None = None
        self.started = self.progressed = time.monotonic()
        self.log = LogTail()
        self.pid = self.code = 0
        self.is_killed = False
        self.why = ""  # it was ended by us
        self.is_dismissed = False  # nobody needs it for now
        self.is_local = True  # whether nothing outside can keep it waiting
        self.watch = Watch()
        self.answered = 0
        self.slowest_s = 0.0  # from one answer to the next, with requests in hand
        self.gone = asyncio.Event()

    async def start(self, command: Command, served: ServedRevision, home: Path, warm: Warm | None = None) -> None:
        """As a fork of the warm process, where there is one. Raises OSError when no process can be made."""
        self.is_local, self.endpoint = not served.setup.network, served.endpoint
        self.max_batch = served.setup.max_batch
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        reading, writing = os.pipe()
        with theirs, contextlib.closing(os.fdopen(writing, "wb")):
            try:
                if warm is not None:
                    self.pid = await warm.fork(told(served, home / served.bundle), theirs, writing)
                else:
                    self.pid = begin(command(served, home / served.bundle, theirs.fileno()), theirs, writing)
            except OSError:
                ours.close()
                os.close(reading)
                raise
        await loop.connect_read_pipe(lambda: self.log, os.fdopen(reading, "rb"))
        await loop.connect_accepted_socket(lambda: self, ours)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's, so this cannot be asserted.
        self.transport = cast("asyncio.WriteTransport", transport)

    @property
    def room(self) -> int:
        """How many more requests the worker may be given now."""
        if self.ready is None or self.transport is None or self.transport.is_closing():
            return 0
        return 0 if self.streams else WINDOW[self.ready.is_batching] - len(self.in_flight)

    def give(self, number: int, job: Job) -> None:
        """Sends a request to the process."""
        if not self.in_flight:
            self.progressed = time.monotonic()
        self.in_flight[number] = job
        self.streams += job.is_stream
        job.given(self, number)
        assert self.transport is not None, "only a worker with room is given work"
        if not self.outbox:
            asyncio.get_running_loop().call_soon(self.flush)
        self.outbox.append(wire.frame(work_of(number, job)))

    def take_back(self, number: int) -> Job:
        """A request that the worker is done with."""
        job = self.in_flight.pop(number)
        self.streams -= job.is_stream
        return job

    def hold(self, *, is_on: bool) -> None:
        """Reads nothing more from the worker, or goes on; it waits with what it wants to say."""
        if self.transport is None or self.is_held_up == is_on or self.transport.is_closing():
            return
        self.is_held_up = is_on
        self.progressed = time.monotonic()
        reading = cast("asyncio.ReadTransport", self.transport)
        reading.pause_reading() if is_on else reading.resume_reading()

    def cancel(self, number: int) -> None:
        """Tells the worker that nobody wants the rest of a stream."""
        self.hold(is_on=False)
        if number in self.in_flight and self.transport is not None and not self.transport.is_closing():
            self.flush()
            self.transport.write(wire.frame(wire.Cancel(number)))

    def flush(self) -> None:
        """Sends what was given in this turn of the loop with one call."""
        if self.outbox and self.transport is not None:
            data, self.outbox = b"".join(self.outbox), []
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        try:
            for text in self.frames.feed(data):
                self.answered += 1
                self.slowest_s = max(self.slowest_s, now - self.progressed)
                self.progressed = now
                self.hear(wire.to_gateway.decode(text))
        except (ValueError, KeyError) as e:  # what is in hand is asked again, elsewhere
            self.why = f"a worker said what none of ours says: {e}"
            self.kill()
            if self.transport is not None:
                self.transport.abort()
            return
        self.keeper.on_answer()

    def hear(self, said: wire.FromWorker) -> None:
        """Raises ValueError and KeyError for what no worker of ours would say."""
        match said:
            case wire.Done() as done:
                job = self.in_flight[done.number]
                outputs = answers_of(done, 0 if job.is_stream else len(job.rows))
                self.take_back(done.number)
                if not job.future.done():
                    job.future.set_result(outputs)
            case wire.Piece() as piece:
                check_outputs([piece.data], 1)
                self.in_flight[piece.number].take(piece.data)
            case wire.Fault() as fault:
                job = self.take_back(fault.number)
                if not job.future.done():
                    job.future.set_exception(error_of(fault, self.endpoint))
            case _:
                self.hear_of_itself(said)

    def hear_of_itself(self, said: wire.FromWorker) -> None:
        """How it is, before it answers anything. Raises ValueError."""
        match said:
            case wire.Confined() as confined:
                if self.confinement is not None:
                    raise Unheard("once more how it is confined")
                self.confinement = confined.confinement
            case wire.Ready() as ready:
                if self.ready is not None:
                    raise Unheard("once more that it is ready")
                self.ready = ready
                self.keeper.on_ready()
            case wire.Refused() as refused:
                self.refused = refused

    def connection_lost(self, exc: Exception | None) -> None:
        self.kill()  # it may have closed its end without dying
        self.burial = asyncio.get_running_loop().create_task(self.bury())

    def stands_still(self) -> str:
        """Why it must go, in words; empty while it works, waits for work, or takes its time."""
        try:
            seen = look(self.pid)
        except OSError:
            return ""
        usual_s = self.slowest_s if self.is_local and not self.streams and self.answered > KNOWN_ANSWERS else None
        return self.watch.finds(seen, time.monotonic(), is_held=bool(self.in_flight), usual_s=usual_s)

    def kill(self) -> None:
        """Ends the process by force, once: after that its pid may be another's."""
        if not self.is_killed:
            self.is_killed = True
            os.kill(self.pid, signal.SIGKILL)

    async def bury(self) -> None:
        """Waits for the process and tells the keeper."""
        loop = asyncio.get_running_loop()
        _, status, usage = await loop.run_in_executor(None, os.wait4, self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        with contextlib.suppress(TimeoutError):  # its last words may still be in the pipe
            await asyncio.wait_for(self.log.ended.wait(), 0.2)
        self.gone.set()
        self.keeper.on_death(self, usage.ru_utime + usage.ru_stime)

    async def stop(self) -> None:
        """Ends the process: kindly, by the end of its input, then by force."""
        if self.transport is not None and not self.transport.is_closing():
            self.flush()
            self.transport.write_eof()
        for _ in range(2):
            try:
                await asyncio.wait_for(self.gone.wait(), 2.0)
            except TimeoutError:
                self.kill()

    def suspects(self) -> list[Job]:
        """The requests that may have been in work when the process died: the first, since order is kept."""
        found: list[Job] = []
        rows = 0
        for job in self.in_flight.values():
            if found and (not self.ready or not self.ready.is_batching or job.is_alone or found[0].is_alone):
                break
            rows += len(job.rows)
            if found and rows > self.max_batch:
                break
            found.append(job)
        return found


def work_of(number: int, job: Job) -> wire.Work:
    """A request as it is told to the process: a matrix as one, unless a stream is to answer row by row."""
    if isinstance(job.rows, BlockRows) and not job.is_stream:
        return wire.Work(number, [], is_alone=True, block=job.rows.block)
    rows = job.rows if isinstance(job.rows, list) else [*job.rows]
    return wire.Work(number, rows, job.is_alone, job.is_stream)
