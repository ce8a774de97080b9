"""What a worker is taken before it reads a model: its network, most of its memory, and files to write."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Iterable
from typing import NamedTuple

from taxiway.kernel.confining.fence import fence

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
NEW_USER, NEW_NET, NEW_MOUNTS = 0x10000000, 0x40000000, 0x00020000
CHANGE_MOUNTS, HERE, AND_BELOW = 442, -100, 0x8000  # the system call has the same number on every architecture
READ_ONLY = struct.pack("=QQQQ", 1, 0, 0, 0)
MOST_PROCESSES = 512  # where it is in a namespace of its own: the user's other processes do not count there


class Confined(NamedTuple):
    """What not every host allows: that the network is cut, a fence stands around its files, and no disk is changed.

    is_still: not even the size and the mode of a file that its user owns; a fence alone leaves these open.
    """

    is_offline: bool
    is_fenced: bool
    is_still: bool = False

    def said(self) -> dict[str, str]:
        network, files = "cut" if self.is_offline else "not cut", "fenced" if self.is_fenced else "not fenced"
        return {"network": network, "files": files, "disk": "read-only" if self.is_still else "not read-only"}


def confine(memory_bytes: int, files: Iterable[str] = ()) -> Confined:
    """Confines this process for good, to these files and those of Python and the system."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    is_cut = hasattr(libc, "unshare") and libc.unshare(NEW_USER | NEW_NET) == 0
    is_still = is_cut and hold_still(libc)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold people's data
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # it answers; it writes no files
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    if is_cut:
        resource.setrlimit(resource.RLIMIT_NPROC, (MOST_PROCESSES, MOST_PROCESSES))
    if memory_bytes:
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    os.chdir("/")
    return Confined(is_offline=is_cut, is_fenced=fence(files), is_still=is_still)


def hold_still(libc: ctypes.CDLL) -> bool:
    """Makes everything that is mounted read-only, as this process and its forks see it."""
    if libc.unshare(NEW_MOUNTS) != 0:
        return False
    return bool(libc.syscall(CHANGE_MOUNTS, HERE, b"/", AND_BELOW, READ_ONLY, len(READ_ONLY)) == 0)
