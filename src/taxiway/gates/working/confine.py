"""What a worker is taken before it reads a model: its network, most of its memory, and files to write."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Iterable
from typing import NamedTuple

from taxiway.gates.working.fence import fence

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
NEW_USER, NEW_NET = 0x10000000, 0x40000000


class Confined(NamedTuple):
    """What not every host allows: whether the network was cut, and whether a fence stands around its files."""

    is_offline: bool
    is_fenced: bool

    def said(self) -> dict[str, str]:
        network, files = "cut" if self.is_offline else "not cut", "fenced" if self.is_fenced else "not fenced"
        return {"network": network, "files": files}


def confine(memory_bytes: int, files: Iterable[str] = ()) -> Confined:
    """Confines this process for good, to these files and those of Python and the system."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    is_cut = hasattr(libc, "unshare") and libc.unshare(NEW_USER | NEW_NET) == 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold people's data
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it answers; it writes no files
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    os.chdir("/")
    return Confined(is_offline=is_cut, is_fenced=fence(files))
