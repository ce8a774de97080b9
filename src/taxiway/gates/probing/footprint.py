"""What a model takes of memory: how far a process grows when it loads and asks it, measured in forks of one."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import msgspec

STATUS = Path("/proc/self/status")
FAILED = b"!"


class NotMeasured(ValueError):
    """A fork that gave no number."""


def growths(load_and_ask: Callable[[], object], times: int) -> list[float]:
    """The growth in megabytes of so many forks, each of which does it once. Raises NotMeasured.

    A first fork, which does not count, tells which libraries it takes; they are loaded before the others fork, so that
    what counts is the model's own.
    """
    for name in msgspec.json.decode(in_fork(lambda: taken(load_and_ask)), type=list[str]):
        with contextlib.suppress(Exception):
            import_module(name)
    gc.collect()
    gc.freeze()
    return [float(in_fork(lambda: str(grown(load_and_ask)).encode())) for _ in range(times)]


def taken(load_and_ask: Callable[[], object]) -> bytes:
    before = set(sys.modules)
    load_and_ask()
    return msgspec.json.encode([name for name in sys.modules if name not in before and name != "__main__"])


def grown(load_and_ask: Callable[[], object]) -> float:
    """How far this process grows at most, in megabytes; pages of libraries' files are not counted."""
    forget_peak()
    before = status()
    kept = load_and_ask()
    after = status()
    del kept
    files = max(after["RssFile"] - before["RssFile"], 0)
    return max(after["VmHWM"] - before["VmRSS"] - files, 0) * 1024 / 1e6


def status() -> dict[str, int]:
    """Sizes of this process, in KiB."""
    lines = (line.split(":") for line in STATUS.read_text(encoding="ascii").splitlines())
    return {name: int(value.split()[0]) for name, value in lines if value.strip().endswith("kB")}


def forget_peak() -> None:
    """Has the peak be counted from here on, where the host lets us; else an earlier one counts too."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return


def in_fork(make: Callable[[], bytes]) -> bytes:
    """What a fork of this process makes. Raises NotMeasured."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reads)
        said = FAILED
        try:
            said = make()
        except BaseException as e:  # noqa: BLE001 - a plug-in call, at the end of its process
            said = FAILED + f"{type(e).__name__}: {e}".encode()
        finally:
            with os.fdopen(writes, "wb") as out:
                out.write(said)
            os._exit(0)
    os.close(writes)
    with os.fdopen(reads, "rb") as answer:
        data = answer.read()
    os.waitpid(pid, 0)
    if not data or data.startswith(FAILED):
        raise NotMeasured(data.removeprefix(FAILED).decode(errors="replace") or "its process ended by force")
    return data
