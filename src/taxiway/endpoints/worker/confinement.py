"""What a worker gives up before it reads a model, and what of that this host really holds.

What is told was tried afterwards, from inside: a level that nobody tested would be a promise.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from taxiway.kernel.confining.calls import refuse_calls
from taxiway.kernel.confining.fence import fence
from taxiway.kernel.confining.user import leave_root

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
NOBODY = "nobody"
THREADS = 512


class Confinement(Struct, frozen=True):
    """What holds of a worker.

    files: it opens nothing but Python's, the system's libraries and its bundle, and writes nowhere. network: nothing
    outside can be reached. programs: it starts no program and no process. others: it can neither signal nor look into
    another process. user: whom it runs as.
    """

    files: bool = False
    network: bool = False
    programs: bool = False
    others: bool = False
    user: str = ""
    is_network_declared: bool = False

    @property
    def missing(self) -> list[str]:
        """What the host does not hold, in words."""
        held = {
            "files": self.files,
            "network": self.network or self.is_network_declared,
            "programs": self.programs,
            "other processes": self.others,
            "user": self.user != "root",
        }
        return [name for name, is_held in held.items() if not is_held]

    def __str__(self) -> str:
        network = "network declared" if self.is_network_declared else "no network" if self.network else ""
        words = {
            "files fenced": self.files,
            network: bool(network),
            "no programs": self.programs,
            "others out of reach": self.others,
        }
        held = ", ".join(word for word, is_held in words.items() if is_held) or "not confined"
        lacks = f"; not held here: {', '.join(self.missing)}" if self.missing else ""
        return f"{held}, as {self.user}{lacks}"


def confine(
    files: Sequence[Path],
    *,
    home: Path | None = None,
    network: bool = False,
    user: str = NOBODY,
    parent: bool = True,
) -> Confinement:
    """Confines this process for good. It has one thread yet.

    files: folders and files that it may read besides Python's and the system's. home: stays closed but for those,
    though it lies among Python's or the system's. parent: whether it ends with the process that made it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    limit()
    name = leave_root(user, files)
    if parent:  # after the user changed, which forgets it
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    fence(map(str, files), str(home or ""))
    refuse_calls(network=network)
    return reached(name, network=network)


def home_of(bundle: Path) -> Path | None:
    """The home that keeps a bundle, where it is one's; it may lie where Python or its modules do."""
    return bundle.parent.parent if bundle.parent.name == "bundles" else None


def limit() -> None:
    """The limits that every system has."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the gateway's to hear
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold callers' data
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # a worker answers; it writes no files
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    with contextlib.suppress(OSError, ValueError):
        # Those of its user and no more than these beyond: threads without end would leave others none.
        most = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2]) + THREADS
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    with contextlib.suppress(OSError):  # where memory runs out, rather a model than what serves it
        Path("/proc/self/oom_score_adj").write_text("500")


def reached(user: str, *, network: bool) -> Confinement:
    """What holds of this process, by trying it."""
    return Confinement(
        files=not lists_root(),
        network=not network and not opens_sockets(),
        programs=not forks(),
        others=not signals_parent(),
        user=user,
        is_network_declared=network,
    )


def lists_root() -> bool:
    try:
        os.scandir("/").close()
    except PermissionError:
        return False
    return True


def opens_sockets() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except PermissionError:
        return False
    return True


def forks() -> bool:
    try:
        pid = os.fork()
    except PermissionError:
        return False
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return True


def signals_parent() -> bool:
    try:
        os.kill(os.getppid(), 0)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True
    return True
