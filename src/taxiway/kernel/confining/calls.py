"""System calls that a process can do without, refused from now on by a filter in the kernel. (seccomp)

The filter is written here rather than by a library: it is one list, and nobody has to install anything for it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Mapping

# Numbers of x86_64 and of aarch64; from 424 on they are the same everywhere. 0: the machine has no such call.
NETWORK = {
    "socket": (41, 198),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
}
PROGRAMS = {"execve": (59, 221), "execveat": (322, 281), "fork": (57, 0), "vfork": (58, 0)}
OTHERS = {  # processes: to look into them, to end them, to change how they run
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "tkill": (200, 130),
    "kcmp": (312, 272),
}
PACE = {  # of other processes: their rank, their cores, where their memory lies
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
}
LASTING = {  # memory, semaphores and queues that outlive a process and that others of its user reach
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
}
ATTRIBUTES = {  # of files: what Landlock leaves open
    "truncate": (76, 45),
    "chmod": (90, 0),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, 0),
    "fchown": (93, 55),
    "lchown": (94, 0),
    "fchownat": (260, 54),
    "utime": (132, 0),
    "utimes": (235, 0),
    "futimesat": (261, 0),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}
MACHINE = {  # mounts, namespaces, keys, modules, clocks, and ways round the fence
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
    "personality": (135, 92),
}
SPECIAL = {"kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261), "clone": (56, 220), "clone3": (435, 435)}
OWN = {  # how a process is scheduled: its own, which it calls 0
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
}
SIGNALLED = {  # who gets signals of a file: a way to send one to another process, before version 6 of the fence
    "fcntl": ((72, 25), (8, 15)),  # F_SETOWN, F_SETOWN_EX
    "ioctl": ((16, 29), (0x8901, 0x8902)),  # FIOSETOWN, SIOCSPGRP
}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # a column of the tables, the kernel's name for it

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST, SECOND = (
    0,
    4,
    16,
    24,
)  # offsets in what the kernel shows of a call; arguments: their lower halves
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
ABSENT = 0x00050000 | errno.ENOSYS
THREAD = 0x00010000  # a flag of clone
OTHER_NUMBERS = 0x40000000  # x86_64 has each call a second time from here on
SECCOMP = {"x86_64": 317, "aarch64": 277}
FILTER, ALL_THREADS = 1, 1

Step = tuple[int, int, int, int]  # what, where to when it holds, where to when not, with which number


def refuse_calls(*, network: bool) -> bool:
    """From here on this process cannot start programs or processes, reach others, change the machine, nor open sockets.

    network: whether it keeps its sockets. It takes a process that can gain no privileges any more. False where the
    machine or the kernel knows no such filter.
    """
    machine = platform.machine()
    if machine not in MACHINES:
        return False
    steps = program(machine, os.getpid(), network=network)
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(code, len(code))
    asked = struct.pack("@HP", len(steps), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.syscall(SECCOMP[machine], FILTER, ALL_THREADS, asked) == 0)


def program(machine: str, pid: int, *, network: bool) -> list[Step]:
    """The filter as the kernel reads it: each block decides about one call, or passes it on."""
    column, name = MACHINES[machine]
    special = {call: numbers[column] for call, numbers in SPECIAL.items()}
    steps: list[Step] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, name),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine == "x86_64":
        steps += [(AT_LEAST, 0, 1, OTHER_NUMBERS), (RETURN, 0, 0, REFUSE)]
    for number in refused(column, network=network):
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]
    own = [(numbers[column], 0) for numbers in OWN.values()]
    for number, right in ((special["kill"], pid), (special["tgkill"], pid), (special["prlimit64"], 0), *own):
        steps += [*when(number), (EQUAL, 1, 0, right), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    for numbers, (one, other) in SIGNALLED.values():
        steps += [(EQUAL, 0, 5, numbers[column]), (LOAD, 0, 0, SECOND), (EQUAL, 1, 0, one), (EQUAL, 0, 1, other)]
        steps += [(RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    steps += [*when(special["clone"]), (ANY_BIT, 1, 0, THREAD), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    # Its flags lie in memory, where a filter cannot look; libraries fall back on clone.
    steps += [(EQUAL, 0, 1, special["clone3"]), (RETURN, 0, 0, ABSENT)]
    return [*steps, (RETURN, 0, 0, ALLOW)]


def when(number: int) -> tuple[Step, Step]:
    """Where it is this call, its first argument is looked at by the three steps that follow; else they are skipped."""
    return (EQUAL, 0, 4, number), (LOAD, 0, 0, FIRST)


def refused(column: int, *, network: bool) -> Iterable[int]:
    """The numbers of all calls that are refused whatever is asked of them."""
    lists: list[Mapping[str, tuple[int, int]]] = [PROGRAMS, OTHERS, PACE, LASTING, ATTRIBUTES, MACHINE]
    if not network:
        lists.append(NETWORK)
    return sorted({numbers[column] for each in lists for numbers in each.values()} - {0})
