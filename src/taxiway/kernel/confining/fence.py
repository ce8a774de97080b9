"""A fence around the files that a process may open: Python's and the system's own, and those it is given. (Landlock)"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

CREATE, ADD, RESTRICT = 444, 445, 446  # system calls, the same numbers on every architecture
BENEATH = 1
EXECUTE, WRITE, READ, LIST = 1, 2, 4, 8
EVERYTHING = (1 << 13) - 1  # what the first version of Landlock knows
REFER, TRUNCATE = 1 << 13, 1 << 14  # what the second and the third know as well
NO_STRANGERS = 0b11  # from the sixth on: no signals to processes outside of the fence, nor sockets of theirs
VERSION = 1
# Of /etc only what loaders, clocks and names are read from: it holds secrets, too, and the process may be root's.
ETC = (
    "alternatives", "ca-certificates", "fonts", "gai.conf", "group", "host.conf", "hosts", "ld.so.cache", "ld.so.conf",
    "ld.so.conf.d", "locale.alias", "localtime", "mime.types", "nsswitch.conf", "OpenCL", "os-release", "passwd", "pki",
    "protocols", "resolv.conf", "services", "ssl/certs", "ssl/openssl.cnf", "timezone",
)  # fmt: skip
SYSTEM = ("/usr", "/lib", "/lib64", "/sys", "/opt", *(f"/etc/{name}" for name in ETC))
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


def fence(files: Iterable[str], hidden: str = "") -> bool:
    """From here on this process and its forks open nothing else; False where the host has no such fence.

    It takes a process that can gain no privileges any more. Nor can it look into processes outside of the fence, or
    end them.

    hidden: a folder that stays closed, whichever of the places it lies in, but for what is given beneath it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    known = fence_version()
    held = EVERYTHING | (REFER if known > 1 else 0) | (TRUNCATE if known > 2 else 0)
    asked = struct.pack("=Q", held) if known < 6 else struct.pack("=QQQ", held, 0, NO_STRANGERS)
    rules = libc.syscall(CREATE, asked, len(asked), 0)
    if rules < 0:
        return False
    try:
        places = {*SYSTEM, *of_python(), *files}
        allowed = [each for place in places for each in around(place, hidden)]
        allowed += [(device, READ | WRITE) for device in DEVICES]
        for place, access in [*allowed, ("/proc", READ | LIST)]:
            allow(libc, rules, place, access)
        return bool(libc.syscall(RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def around(place: str, hidden: str) -> Iterator[tuple[str, int]]:
    """A place and how it may be opened; where it holds what is hidden, all in it but that, and the names of all.

    Modules are found by listing the folders that they may lie in, and a rule holds for all beneath.
    """
    real, closed = Path(place).resolve(), Path(hidden).resolve()
    if not hidden or not closed.is_relative_to(real):
        yield place, READ | LIST | EXECUTE
        return
    yield place, LIST
    for inner in real.iterdir() if real != closed else ():
        if not inner.is_symlink():
            yield from around(str(inner), hidden)


def fence_version() -> int:
    """The version of Landlock that the host has; -1 where it has none."""
    return int(ctypes.CDLL(None).syscall(CREATE, None, 0, VERSION))


def of_python() -> set[str]:
    """Where modules lie: the interpreter's folders, those of the path, and those of modules that are loaded."""
    loaded = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    tops = {str(Path(file).parent) for file in loaded if file}
    return {sys.prefix, sys.base_prefix, *(each for each in sys.path if each), *tops}


def allow(libc: ctypes.CDLL, rules: int, place: str, access: int) -> None:
    """Lets the process open what is there, or beneath it; what is not there needs no rule."""
    try:
        descriptor = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not Path(place).is_dir():
            access &= ~LIST
        libc.syscall(ADD, rules, BENEATH, struct.pack("=Qi", access, descriptor), 0)
    finally:
        os.close(descriptor)
