"""What a server asks of its disk, call by call, and what a disk would hold if the power went at any moment of it.

The kernel is asked through strace. What was written is lost unless the file was synced afterwards; a name that a file
was given is lost unless its folder was. The disk may hold any part of what was not synced.
"""

from __future__ import annotations

import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CALLS = "openat,write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat"
TRACE = f"trace={CALLS},sendto,sendmsg"
STARTED = re.compile(r"^(\d+) +(\w+)\((.*)$", re.DOTALL)
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
RESULT = re.compile(r"\)\s*= (-?\d+)")
OF_FILE = re.compile(r"^\d+<(\\x2f(?:\\x[0-9a-f]{2})*)>")
OF_ANSWER = re.compile(r"^\d+<TCP:\[[^\]]*->[^\]]*:(\d+)\]>")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
READY_WITHIN_S = 90.0


@dataclass(frozen=True)
class Write:
    """Bytes written to a file; at: None appends."""

    file: str
    at: int | None
    data: bytes


@dataclass(frozen=True)
class Cut:
    file: str
    size: int


@dataclass(frozen=True)
class Name:
    """A file that got another name; to: empty for one that was removed."""

    file: str
    to: str


@dataclass(frozen=True)
class Sync:
    """A file or folder on the disk, as it was when that was asked for. begun: how many events there were then."""

    file: str
    begun: int


@dataclass(frozen=True)
class Answer:
    """The first bytes of an answer, on their way. port: of the client."""

    port: int
    status: int


Event = Write | Cut | Name | Sync | Answer


def require_strace() -> None:
    """Fails, and never passes for green, where calls cannot be watched."""
    if shutil.which("strace") is None:
        pytest.fail("not run: strace is missing; `apt-get install strace`")
    tried = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.fail(f"not run: strace may not watch processes here: {tried.stderr[-300:]}")


@dataclass
class Traced:
    """A server that is watched."""

    port: int
    log: Path
    process: subprocess.Popen[bytes]

    def events(self) -> list[Event]:
        """What it asked until now; read it after the end."""
        with self.log.open(encoding="utf-8", errors="replace") as lines:
            return list(read_events(lines))


@contextmanager
def traced_server(home: Path, log: Path) -> Iterator[Traced]:
    """A server under strace; it is killed at the end of the block, as the power would."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = [sys.executable, "-m", "taxiway", "server", "--home", str(home), "--port", str(port)]
    watching = ["strace", "-f", "-yy", "-xx", "-s", str(1 << 24), "-e", TRACE, "-e", "signal=none", "-o", str(log)]
    process = subprocess.Popen([*watching, *server], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        until = time.monotonic() + READY_WITHIN_S
        while not answers(port):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        yield Traced(port, log, process)
    finally:
        kill_all(process)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kills what was started, and what that started."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        subprocess.run(["kill", "-KILL", child], check=False)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def read_events(lines: Iterator[str]) -> Iterator[Event]:
    """The events of a log of strace, in the order in which they took effect."""
    waiting: dict[str, tuple[str, str, int]] = {}
    count = 0
    for line in lines:
        found: list[Event] = []
        if started := STARTED.match(line):
            thread, call, said = started.groups()
            found += answer_in(said)  # it may go out before the call returns
            if said.rstrip().endswith("<unfinished ...>"):
                waiting[thread] = (call, said, count)
            elif (result := RESULT.search(said)) and int(result[1]) >= 0:
                found += effects(call, said, begun=count)
        elif resumed := RESUMED.match(line):
            thread, call, rest = resumed.groups()
            known = waiting.pop(thread, None)
            result = RESULT.search(rest) or re.search(r"= (-?\d+)", rest)
            if known is not None and result and int(result[1]) >= 0:
                found += effects(call, known[1], begun=known[2])
        count += len(found)
        yield from found


def answer_in(said: str) -> list[Event]:
    to = OF_ANSWER.match(said)
    text = TEXT.search(said)
    begin = bytes_of(text[1][:52]) if text else b""
    return [Answer(int(to[1]), int(begin[9:12]))] if to and begin.startswith(b"HTTP/1.1 ") else []


def effects(call: str, said: str, *, begun: int) -> list[Event]:
    """What a call did to files."""
    if call in ("openat", "rename", "renameat", "renameat2", "unlink", "unlinkat"):
        return effects_on_names(call, said)
    named = OF_FILE.match(said)
    if named is None:
        return []
    file = bytes_of(named[1]).decode()
    match call:
        case "fsync" | "fdatasync":
            return [Sync(file, begun)]
        case "ftruncate":
            return [Cut(file, last_number(said))]
        case "write" | "writev" | "pwrite64" | "pwritev":
            data = b"".join(bytes_of(text) for text in TEXT.findall(said))
            return [Write(file, last_number(said) if call.startswith("p") else None, data)]
    return []


def last_number(said: str) -> int:
    """The last argument of a call."""
    return int(re.findall(r", (\d+)", said.rpartition('"')[2])[-1])


def effects_on_names(call: str, said: str) -> list[Event]:
    names = [bytes_of(text).decode() for text in TEXT.findall(said)]
    if call == "openat":
        return [Cut(names[0], 0)] if "O_TRUNC" in said else []
    return [Name(names[0], names[1] if call.startswith("rename") else "")]


def bytes_of(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


# --- the disk after the power went ---


@dataclass
class Disk:
    """What stands on a disk. files: by path; kept: the events of each that are not known to be there."""

    files: dict[str, bytearray] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        match event:
            case Write(file, at, data):
                content = self.files.setdefault(file, bytearray())
                start = len(content) if at is None else at
                if len(content) < start:
                    content.extend(bytes(start - len(content)))
                content[start : start + len(data)] = data
            case Cut(file, size):
                content = self.files.setdefault(file, bytearray())
                del content[size:]
                content.extend(bytes(size - len(content)))
            case Name(file, to):
                content_or_none = self.files.pop(file, None)
                if to and content_or_none is not None:
                    self.files[to] = content_or_none
            case _:
                pass


def durable(events: list[Event], until: int) -> list[bool]:
    """Of the first events, which are on the disk for sure: their file was synced after them; for a name, its folder."""
    is_sure = [False] * until
    for sync in (event for event in events[:until] if isinstance(event, Sync)):
        for at, event in enumerate(events[: sync.begun]):
            match event:
                case Write(file, _, _) | Cut(file, _) if file == sync.file:
                    is_sure[at] = True
                case Name(file, to) if str(Path(to or file).parent) == sync.file:
                    is_sure[at] = True
                    mark_of_old_name(events, is_sure, file, to, at)
                case _:
                    pass
    return is_sure


def mark_of_old_name(events: list[Event], is_sure: list[bool], file: str, to: str, until: int) -> None:
    """What a file held under its old name was synced under that; it stays so under the new one."""
    if not to:
        return
    synced = [one.begun for one in events[:until] if isinstance(one, Sync) and one.file == file]
    for at, event in enumerate(events[: max(synced, default=0)]):
        if isinstance(event, Write | Cut) and event.file == file:
            is_sure[at] = True


def after_power_loss(base: Path, events: list[Event], until: int, draw: random.Random | None, share: float) -> Disk:
    """The files of `base` as a disk may hold them: all that is sure, and of the rest a share that is drawn."""
    disk = Disk({str(file): bytearray(file.read_bytes()) for file in base.rglob("*") if file.is_file()})
    sure = durable(events, until)
    for at, event in enumerate(events[:until]):
        if sure[at] or (draw is not None and draw.random() < share):
            disk.apply(event)
    return disk
