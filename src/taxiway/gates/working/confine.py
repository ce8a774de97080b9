"""What a worker is taken before it reads a model: its network, most of its memory, and files to write."""

from __future__ import annotations

import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
NEW_USER, NEW_NET = 0x10000000, 0x40000000


def confine(memory_bytes: int) -> bool:
    """Confines this process for good; whether its network could be cut as well, which not every host allows."""
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
    return is_cut
