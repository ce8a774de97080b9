"""A worker gives up files, network, programs and other processes before it reads a model; tried from inside."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taxiway.doctor import examine_confinement
from taxiway.endpoints.refusals import NotConfined
from taxiway.endpoints.setup import Setup
from taxiway.endpoints.worker.confinement import Confinement
from taxiway.endpoints.worker.process import check_confined
from taxiway.kernel.confining import calls
from tests.endpoints.conftest import Site

# Becomes the user, is confined, and tries what a model's code could try. One line of JSON tells what was let through.
TRIES = """
import ctypes, fcntl, json, os, signal, socket, subprocess, sys, tempfile, threading
from pathlib import Path
from taxiway.endpoints.worker.confinement import confine
user, network, allowed, secret, own = sys.argv[1:]
if user:
    os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
parent = os.getppid()
held = confine([Path(allowed)], network=network == "yes", parent=False)
def unpinned():
    resource_limit = __import__("resource")
    resource_limit.prlimit(parent, resource_limit.RLIMIT_CORE, (0, 0))
own_pipe = os.pipe()[0]
def lasting():
    if ctypes.CDLL(None).shmget(0, 4096, 0o1666) < 0:
        raise PermissionError
tries = {
    "read what it was given": lambda: Path(allowed).read_text(),
    "read shadow": lambda: Path("/etc/shadow").read_text(),
    "read a key in a home": lambda: Path(secret).read_text(),
    "look into its parent": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
    "write beside the bundle": lambda: Path(allowed + ".more").write_text("x"),
    "write to tmp": lambda: tempfile.NamedTemporaryFile(dir="/tmp").write(b"x"),
    "truncate a file of its own": lambda: os.truncate(own, 0),
    "open a file of its own": lambda: open(own, "a").close(),
    "change a mode": lambda: os.chmod(own, 0o777),
    "open a socket": lambda: socket.socket(),
    "open a datagram socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "run a program": lambda: subprocess.run(["/bin/true"], check=True),
    "replace itself": lambda: os.execv("/bin/true", ["true"]),
    "fork": lambda: os.fork() or os._exit(0),
    "signal its parent": lambda: os.kill(parent, signal.SIGUSR1),
    "signal its group": lambda: os.kill(0, signal.SIGUSR1),
    "limit its parent": unpinned,
    "signal itself": lambda: os.kill(os.getpid(), 0),
    "slow its parent down": lambda: os.setpriority(os.PRIO_PROCESS, parent, 19),
    "choose its parent's core": lambda: os.sched_setaffinity(parent, {0}),
    "have signals sent to its parent": lambda: fcntl.fcntl(own_pipe, fcntl.F_SETOWN, parent),
    "take memory that outlives it": lasting,
    "start a thread": lambda: threading.Thread(target=int).start(),
}
done = []
for name, act in tries.items():
    try:
        act()
        done.append(name)
    except (OSError, subprocess.SubprocessError):
        pass
print(json.dumps({"done": done, "held": str(held), "missing": held.missing, "user": held.user}))
"""
HARMLESS = ["read what it was given", "signal itself", "start a thread"]


def tried(folder: Path, *, user: str = "", network: str = "no") -> dict[str, Any]:
    folder.chmod(0o755)
    files = [folder / name for name in ("allowed", "secret", "own")]
    for file in files:
        file.write_text("here")
        file.chmod(0o666)
    command = [sys.executable, "-I", "-B", "-u", "-c", TRIES, user, network, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    assert files[2].read_text() == "here"
    found: dict[str, Any] = msgspec.json.decode(done.stdout)
    return found


@pytest.fixture
def open_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every user reaches, though pytest's own is closed to others."""
    folder = tmp_path_factory.mktemp("open")
    for parent in (folder, *folder.parents[:3]):
        if parent.owner() == folder.owner() and parent != Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    return folder


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root")
def test_root_s_worker_does_nothing_but_what_a_model_needs(open_folder: Path) -> None:
    found = tried(open_folder)

    assert found["done"] == HARMLESS
    assert (found["missing"], found["user"] != "root") == ([], True)


def test_an_ordinary_user_s_worker_is_held_as_tightly(open_folder: Path) -> None:
    found = tried(open_folder, user="nobody" if os.geteuid() == 0 else "")

    assert found["done"] == HARMLESS
    assert found["missing"] == []


def test_a_declared_network_opens_sockets_and_nothing_else(open_folder: Path) -> None:
    found = tried(open_folder, network="yes")

    assert found["done"] == sorted([*HARMLESS, "open a socket", "open a datagram socket"], key=found["done"].index)
    assert len(found["done"]) == len(HARMLESS) + 2
    assert "network declared" in found["held"]


BESIDE = """
import os, sys, threading
from pathlib import Path
from taxiway.endpoints.worker.confinement import confine, home_of
top, bundle = map(Path, sys.argv[1:])
sys.path.append(str(top))
confine([bundle], home=home_of(bundle), parent=False)
import beside
for file in (bundle / "model.txt", top / "module" / "inner.txt", top / "home/keys/secret", top / "link/secret"):
    try:
        print(file.read_text())
    except PermissionError:
        print("closed")
is_over, threads = threading.Event(), 0
try:
    while threads < 3_000:
        threading.Thread(target=is_over.wait, daemon=True).start()
        threads += 1
except RuntimeError:
    pass
print("bounded" if threads < 3_000 or os.geteuid() == 0 else threads, flush=True)
print(Path("/proc/self/oom_score_adj").read_text().strip(), flush=True)
os._exit(0)
"""


def test_a_home_stays_closed_though_it_lies_among_modules(open_folder: Path) -> None:
    bundle = open_folder / "home" / "bundles" / "one"
    for file in (bundle / "model.txt", open_folder / "module" / "inner.txt", open_folder / "home" / "keys" / "secret"):
        file.parent.mkdir(parents=True)
        file.write_text(file.name)
    (open_folder / "beside.py").write_text("")
    (open_folder / "link").symlink_to(open_folder / "home" / "keys")

    command = [sys.executable, "-I", "-B", "-u", "-c", BESIDE, str(open_folder), str(bundle)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.stdout.splitlines() == ["model.txt", "inner.txt", "closed", "closed", "bounded", "500"], done.stderr


def test_what_a_host_does_not_hold_is_said() -> None:
    half = Confinement(files=True, network=False, programs=False, others=True, user="root")

    assert half.missing == ["network", "programs", "user"]
    assert str(half) == "files fenced, others out of reach, as root; not held here: network, programs, user"


def test_a_machine_that_is_not_known_is_not_filtered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "vax")

    assert not calls.refuse_calls(network=False)


@pytest.mark.parametrize("machine", calls.MACHINES)
def test_every_jump_of_the_filter_lands_within_it(machine: str) -> None:
    steps = calls.program(machine, 77, network=False)

    assert all(at + 1 + max(step[1], step[2]) < len(steps) for at, step in enumerate(steps[:-1]))
    assert steps[-1] == (calls.RETURN, 0, 0, calls.ALLOW)
    assert len(steps) < 4096


def test_the_gateway_tells_how_its_workers_are_held(shared: Site) -> None:
    said = shared.revision().confinement

    assert said is not None
    assert (said.files, said.network, said.programs, said.others) == (True, True, True, True)


def test_doctor_tells_what_this_machine_holds() -> None:
    found = examine_confinement()

    assert found.what == "workers"
    assert found.found.startswith("files fenced, no network, no programs, others out of reach, as ")


def test_a_required_sandbox_is_refused_where_it_does_not_hold() -> None:
    loose = Confinement(files=True, network=True, programs=False, others=True, user="nobody")

    with pytest.raises(NotConfined) as refused:
        check_confined("adder", "require", loose)
    check_confined("adder", "reachable", loose)

    assert refused.value.missing == ["programs"]
    assert Setup().sandbox == "reachable"
