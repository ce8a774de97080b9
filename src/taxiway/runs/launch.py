"""`taxiway run`: another program as a run, with its output, sources, packages, exit code and processor time kept."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from msgspec import Struct

from taxiway.kernel.clock import now
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.kernel.settings import Settings
from taxiway.kernel.transport import Transport
from taxiway.runs.active import DELIVER_S, tell
from taxiway.runs.capturing.capture import Snapshot, capture_all, capture_code, keep_snapshot
from taxiway.runs.capturing.redact import redact, scrub, values_of_secrets
from taxiway.runs.contract import AddArtifact, Ending, FinishRun, Run, RunStatus
from taxiway.runs.refusals import ProgramMissing, ProgramUnknown
from taxiway.runs.sending.recorder import Recorder, opening
from taxiway.runs.system import Watching

if TYPE_CHECKING:
    import resource

log = logging.getLogger("taxiway")

MOST_KEPT_BYTES = 16 << 20  # of each stream
PIECE = 64 << 10
SCRIPTS = (".py", ".r", ".R", ".jl", ".sh")
DRAIN_S = 5.0
CAPTURE_S = 60.0
LOOK_UP_S = 0.5


class Launched(Struct, frozen=True):
    """How a launched program ended, and the run that was kept of it."""

    run: str
    name: str
    status: RunStatus
    exit_code: int
    cpu_s: float


class Stream:
    """One output of the program: passed on as it comes, and kept up to a bound."""

    def __init__(self, source: IO[bytes], onto: BinaryIO) -> None:
        self.source = source
        self.onto = onto
        self.kept: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `text`
        self.size_bytes = 0
        self.thread = threading.Thread(target=self._pass_on, daemon=True)
        self.thread.start()

    def _pass_on(self) -> None:
        is_heard = True
        while piece := os.read(self.source.fileno(), PIECE):
            if room := max(MOST_KEPT_BYTES - self.size_bytes, 0):
                self.kept.write(piece[:room])
            self.size_bytes += len(piece)
            if is_heard:
                is_heard = self._show(piece)

    def _show(self, piece: bytes) -> bool:
        """Whether somebody still reads: the program goes on when the reader of a pipe has left."""
        try:
            self.onto.write(piece)
            self.onto.flush()
        except BrokenPipeError:
            return False
        return True

    def text(self) -> str:
        """What was kept, secrets taken out, once the program has ended."""
        self.thread.join(DRAIN_S)  # something it left running may hold the stream open for ever
        with self.kept:
            self.kept.seek(0)
            text, _ = redact(self.kept.read(MOST_KEPT_BYTES).decode("utf-8", "replace"))
        text = scrub(text, values_of_secrets(os.environ))
        if self.size_bytes > MOST_KEPT_BYTES:
            text += f"\n(the other {self.size_bytes - MOST_KEPT_BYTES:,} bytes were not kept)\n"
        if not self.thread.is_alive():
            self.source.close()
        return text


class Program(Struct, frozen=True):
    """What is launched. snapshot: the sources as they are before it starts. folder: where it works."""

    command: Sequence[str]
    path: str
    snapshot: Snapshot
    folder: Path


class Launch:
    """One program on its way, as a run. out: where its output goes on to."""

    def __init__(self, recorder: Recorder, run: Run, program: Program, out: BinaryIO | None = None) -> None:
        self.recorder = recorder
        self.run = run
        self.program = program
        self.out = out or sys.stdout.buffer
        self.capture = threading.Thread(target=self._look_around, daemon=True)
        self.system_s = 0.0  # between samples of what the machine does; 0 takes none

    def execute(self, environment: Mapping[str, str]) -> Launched:
        """Runs the program to its end and keeps what it did."""
        self.capture.start()
        watching = Watching(self.recorder.points, self.system_s)
        with Forwarding() as signals:
            child = subprocess.Popen(  # the program that the user asked for
                self.program.command,
                executable=self.program.path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=self.program.folder,
            )
            signals.to(child.pid)
            out = Stream(opened(child.stdout), self.out)
            err = Stream(opened(child.stderr), sys.stderr.buffer)
            status, used = reap(child.pid)
            signals.to(None)
        watching.stop()
        child.returncode = os.waitstatus_to_exitcode(status)
        code = child.returncode if child.returncode >= 0 else 128 - child.returncode
        cpu_s = used.ru_utime + used.ru_stime
        ended = self._finish(code, cpu_s, out.text(), err.text())
        return Launched(ended.id, ended.name, ended.status, code, cpu_s)

    def _finish(self, code: int, cpu_s: float, out: str, err: str) -> Run:
        """Keeps the output and ends the run as the program ended."""
        for name, text in (("logs/stdout.txt", out), ("logs/stderr.txt", err)):
            if text:
                self.recorder.keep(text.encode(), AddArtifact(name, "", "text/plain"))
        self.capture.join(CAPTURE_S)
        status: Ending = "finished" if code == 0 else "stopped" if code in STOPPED else "failed"
        failure = "" if code == 0 else last_line(err) or f"exit code {code}"
        ending = FinishRun(status, cpu_s=cpu_s, exit_code=code, failure=failure, ended_at=now())
        ended, outcome = self.recorder.finish(self.run, ending, DELIVER_S)
        tell(outcome, f"run {ended.name or ended.id}", self.recorder.stream.folder)
        return ended

    def _look_around(self) -> None:
        """Keeps what the program starts from. A failure costs the capture, never the run."""
        try:
            upload = self.recorder.upload
            code = keep_snapshot(self.program.snapshot, upload)
            self.recorder.say_capture(capture_all(self.program.command, code, upload, program=self.program.path))
        except (TaxiwayError, OSError, ValueError) as e:
            log.warning("run %s: what it started from could not be kept: %s", self.run.id, e)


STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


def launch(
    transport: Transport, settings: Settings, command: Sequence[str], *, name: str, home: Path | None
) -> Launched:
    """Opens a run, runs the command as it, and gives how it ended.

    home: the folder's own home, where this process works on one; the program reaches it through its socket.
    Raises ProgramMissing and ProgramUnknown, before anything is opened.
    """
    path = shutil.which(command[0]) if command else None
    if path is None:
        raise ProgramUnknown(program=command[0]) if command else ProgramMissing()
    name = name or script_of(command)
    body = opening(project=settings.project, experiment=settings.experiment, name=name, tags={})
    recorder = Recorder(transport, settings, body.id or new_id(), name)
    run = recorder.open(body)
    snapshot = capture_code(Path.cwd())  # before the program can write beside its sources
    program = Program(command, path, snapshot, Path.cwd())
    started = Launch(recorder, run, program)
    started.system_s = settings.system_s
    return started.execute(variables_of(run, settings, home))


def variables_of(run: Run, settings: Settings, home: Path | None) -> dict[str, str]:
    """The variables by which a launched program finds the run that was opened for it."""
    told = {
        **os.environ,
        "PYTHONUNBUFFERED": os.environ.get("PYTHONUNBUFFERED", "1"),  # or its prints would come when it ends
        "TAXIWAY_RUN": run.id,
        "TAXIWAY_PROJECT": run.project,
        "TAXIWAY_EXPERIMENT": run.experiment,
    }
    if home is not None:
        return {**told, "TAXIWAY_HOME": str(home)}
    return {**told, "TAXIWAY_URL": settings.url} if settings.url else told


class Forwarding:
    """Has a Ctrl-C and a SIGTERM end the program, not us, so that its end is recorded.

    In a terminal, a Ctrl-C reaches the program by itself: it is not sent twice. One that comes before the program
    runs is sent once it does; one that comes after its end is ours to leave be while the record is written.
    """

    NUMBERS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.is_terminal = os.isatty(0)
        self.pid: int | None = None
        self.early: list[int] = []
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Forwarding:
        self.before = {number: signal.signal(number, self._forward) for number in self.NUMBERS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def to(self, pid: int | None) -> None:
        """From now on to this process; None once it has ended."""
        self.pid = pid
        while pid is not None and self.early:
            self._send(pid, self.early.pop(0))

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and self.is_terminal:
            return
        if self.pid is None:
            self.early.append(number)
        else:
            self._send(self.pid, number)

    def _send(self, pid: int, number: int) -> None:
        with suppress(ProcessLookupError):  # it ended this very moment
            os.kill(pid, number)


def reap(pid: int) -> tuple[int, resource.struct_rusage]:
    """Waits for the end of a process and gives its status and what it used.

    Python hears of a signal between two steps of its own. One that comes right before a wait begins would be heard
    of only after it, when the program has ended: another thread waits, and this one looks up now and then.
    """
    ended: list[tuple[int, int, resource.struct_rusage]] = []
    waiting = threading.Thread(target=lambda: ended.append(os.wait4(pid, 0)), name="taxiway-wait", daemon=True)
    waiting.start()
    while waiting.is_alive():
        waiting.join(LOOK_UP_S)
    _, status, used = ended[0]
    return status, used


def opened(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise TypeError("the program was started without this stream")
    return stream


def script_of(command: Sequence[str]) -> str:
    """What a run is called that nobody named: the script that it runs; empty where there is none.

    >>> script_of(["python", "-u", "src/train.py", "--alpha", "1"])
    'train.py'
    """
    scripts = (word for word in command if Path(word).suffix in SCRIPTS and not word.startswith("-"))
    return Path(next(scripts, "")).name[:200]


def last_line(text: str) -> str:
    """The last line that says something: of a traceback, the exception."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:2000] if lines else ""
