"""A process of root's gives its powers away: it becomes another user, or where that one could read nothing, a root
without any capability."""

from __future__ import annotations

import ctypes
import os
import pwd
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

PR_CAPBSET_DROP, PR_SET_SECUREBITS = 24, 28
NO_ROOT = 0b1111  # being root, or becoming it, brings no capabilities; and that is locked
VERSION_3 = 0x20080522
CAPSET = {"x86_64": 126, "aarch64": 91}


def leave_root(name: str, needed: Sequence[Path]) -> str:
    """What user this process is from now on, in words.

    name: of the user to become, if this one is root. needed: files and folders that must stay readable, besides
    Python's own; where they would not, it stays root and loses all that makes root more than others.
    Raises KeyError where there is no such user.
    """
    if os.geteuid() != 0:
        return pwd_name(os.geteuid())
    found = pwd.getpwnam(name)
    if found.pw_uid == 0 or not could_read(found, needed):
        return "root without capabilities" if drop_capabilities() else "root"
    os.setgroups([])
    os.setresgid(found.pw_gid, found.pw_gid, found.pw_gid)
    os.setresuid(found.pw_uid, found.pw_uid, found.pw_uid)
    return name


def pwd_name(uid: int) -> str:
    """A user's name; the number where it has none, as in some containers."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def could_read(user: pwd.struct_passwd, needed: Sequence[Path]) -> bool:
    """Whether that user may open all of it: tried in its name, and taken back."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(user.pw_gid)
    os.seteuid(user.pw_uid)
    try:
        return all(map(is_readable, [*needed, Path(sys.executable), Path(__file__), Path(os.__file__)]))
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def is_readable(path: Path) -> bool:
    try:
        if path.is_dir():
            return all(os.access(each, os.R_OK, effective_ids=True) for each in (path, *path.rglob("*")))
        return os.access(path, os.R_OK, effective_ids=True)
    except OSError:
        return False


def drop_capabilities() -> bool:
    """Gives up every capability of this process and its forks, for good; files of others are closed to it then."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECUREBITS, NO_ROOT, 0, 0, 0) != 0:
        return False
    for number in range(64):
        libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0)  # those that the kernel does not know are no loss
    header, nothing = struct.pack("=Ii", VERSION_3, 0), bytes(24)
    call = CAPSET.get(os.uname().machine)
    return call is not None and bool(libc.syscall(call, header, nothing) == 0)
