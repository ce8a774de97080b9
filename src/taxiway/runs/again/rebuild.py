"""An environment made anew from a run's lock, by uv. What cannot be had is named, and the rest is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from taxiway.kernel.version import VERSION
from taxiway.runs.again.sameness import InputGap
from taxiway.runs.contract import Environment
from taxiway.runs.refusals import RebuildFailed, UvMissing

INSTALL_S = 1800.0
ONE_S = 300.0
REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(==[\w.!+-]+$| @ [a-z+]+:)")
UNREACHED = ("error sending request", "failed to fetch", "dns error", "connection refused", "network connectivity")


class Rebuilt(Struct, frozen=True):
    """An interpreter with the lock's packages, as far as they could be had."""

    python: Path
    gaps: list[InputGap]


def rebuild(lock: str, environment: Environment, folder: Path, tell: Callable[[str], None]) -> Rebuilt:
    """Makes a virtual environment in the folder. Raises UvMissing, RebuildFailed.

    Where the interpreter's exact version cannot be had, the nearest is taken and the server names the difference.
    """
    uv = Uv(find_uv())
    uv.make(environment.python, folder)
    python = folder / "bin" / "python"
    own = [line for line in lines_of(lock) if name_of(line) == "taxiway" and " @ file:" in line]
    lines = [line for line in lines_of(lock) if line not in own]
    tell(f"installing {len(lines)} packages for Python {environment.python}")
    problems = uv.install(lines, python, folder) if lines else {}
    gaps = [InputGap("environment", f"{name} could not be installed: {why}") for name, why in problems.items()]
    gaps += [
        InputGap("environment", f"{name_of(line)} comes from a folder, whose files may have changed since")
        for line in lines
        if " @ file:" in line and ".whl" not in line and name_of(line) not in problems
    ]
    is_named = any(name_of(line) == "taxiway" for line in lines_of(lock))
    if own or "taxiway" in problems or not is_named:
        stand_in(python, is_named=is_named)
    return Rebuilt(python, gaps)


class Uv:
    """uv, with the index that pip is set up for."""

    def __init__(self, program: str) -> None:
        self.program = program
        told = {**os.environ, "UV_NO_PROGRESS": "1", **index_of_pip()}
        self.variables = {name: value for name, value in told.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}

    def make(self, version: str, folder: Path) -> None:
        """An empty environment: of this version of Python, else of its series, else of ours. Raises RebuildFailed."""
        said = ""
        for python in (version, version.rpartition(".")[0], sys.executable):
            done = self.run("venv", "--quiet", "--no-project", "--python", python, str(folder), wait_s=ONE_S)
            if done.returncode == 0:
                return
            said = done.stderr
        raise RebuildFailed(python=version, cause=last_words(said))

    def install(self, lines: list[str], python: Path, folder: Path) -> dict[str, str]:
        """Installs all; where that fails, one by one. Gives why for each that could not be had."""
        file = folder / "requirements.lock"
        file.write_text("\n".join(lines) + "\n")
        into = ("pip", "install", "--quiet", "--no-deps", "--python", str(python))
        done = self.run(*into, "--requirement", str(file), wait_s=INSTALL_S)
        if done.returncode == 0:
            return {}
        is_away = any(words in done.stderr.lower() for words in UNREACHED)
        offline = ("--offline",) if is_away else ()  # what the cache has, without waiting for the index each time
        problems = {}
        for line in lines:
            wanted = line.partition("  #")[0]
            done = self.run(*into, *offline, wanted, wait_s=ONE_S)
            if done.returncode:
                problems[name_of(line)] = last_words(done.stderr)
        return problems

    def run(self, *words: str, wait_s: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self.program, *words], capture_output=True, text=True, check=False, timeout=wait_s, env=self.variables
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess([self.program, *words], 124, "", f"it took longer than {wait_s:.0f} s")


def find_uv() -> str:
    """The program. Raises UvMissing."""
    if find_spec("uv") is not None:
        from uv import find_uv_bin

        return str(find_uv_bin())
    found = shutil.which("uv")
    if found is None:
        raise UvMissing
    return found


def index_of_pip() -> Mapping[str, str]:
    """What pip is told of indexes, said so that uv hears it; uv's own variables win."""
    told = {
        "UV_DEFAULT_INDEX": ("PIP_INDEX_URL", "global.index-url"),
        "UV_INDEX": ("PIP_EXTRA_INDEX_URL", "global.extra-index-url"),
        "UV_FIND_LINKS": ("PIP_FIND_LINKS", "global.find-links"),
    }
    config = pip_config()
    found = {}
    for ours, (variable, key) in told.items():
        value = os.environ.get(variable) or config.get(key, "")
        if value and ours not in os.environ:
            found[ours] = ",".join(value.split()) if ours == "UV_FIND_LINKS" else value
    # pip looks a version up in every index; so must uv, then.
    return {**found, "UV_INDEX_STRATEGY": "unsafe-best-match"} if "UV_INDEX" in found else found


def pip_config() -> dict[str, str]:
    """pip's settings by key; empty where there is no pip."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True, timeout=ONE_S
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {key: value.strip("'\"") for key, _, value in pairs}


def stand_in(python: Path, *, is_named: bool) -> None:
    """Puts our own package into the environment, where it was not installed from an index: scripts import it.

    is_named: whether the lock has it; else it was found on a path, and is not said to be installed.
    """
    [libraries] = (python.parent.parent / "lib").glob("python*/site-packages")
    shutil.copytree(
        Path(__file__).parents[2],
        libraries / "taxiway",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    if is_named:
        said = libraries / f"taxiway-{VERSION}.dist-info"
        said.mkdir(exist_ok=True)
        (said / "METADATA").write_text(f"Metadata-Version: 2.1\nName: taxiway\nVersion: {VERSION}\n")


def lines_of(lock: str) -> list[str]:
    """What is to be installed. Nothing else: a lock comes from a server, and an option would do more than install."""
    return [line for line in lock.splitlines() if REQUIREMENT.match(line)]


def name_of(line: str) -> str:
    """The package that a line installs.

    >>> name_of("numpy==2.4.6"), name_of("own @ file:///src  # 0.1")
    ('numpy', 'own')
    """
    return line.partition("==")[0].partition(" @ ")[0].strip()


def last_words(said: str) -> str:
    """The end of what a program complained of, in a line."""
    lines = [line.strip(" ×╰─▶├│") for line in said.splitlines() if line.strip()]
    return " ".join(lines)[-300:] or "it gave no reason"
