"""What a run started from, found out without asking: sources, commit, interpreter and packages. Nothing leaves this
file before secrets were taken out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.kernel.settings import HOME_NAME
from taxiway.runs.capturing import environment as surroundings
from taxiway.runs.capturing.redact import is_secret_file, redact, redact_command
from taxiway.runs.contract import CaptureRun, Code, Environment

SOURCE_ENDINGS = frozenset((
    ".py", ".pyi", ".pyx", ".ipynb", ".r", ".jl", ".sh", ".sql", ".toml", ".cfg", ".ini", ".yaml", ".yml", ".md",
    ".rst", ".txt", ".c", ".h", ".cpp", ".cu", ".rs", ".go", ".js", ".ts",
))  # fmt: skip
SOURCE_NAMES = frozenset(("Makefile", "Dockerfile", "Snakefile", "Justfile"))
SKIPPED = frozenset((
    "node_modules", "site-packages", "dist", "build", "venv", "env", "wheels", "mlruns", "wandb", "data", "datasets",
    "outputs", "checkpoints",
))  # fmt: skip
MOST_FILES = 2_000
MOST_FILE_BYTES = 512 << 10
MOST_BYTES = 4 << 20
MOST_NAMED = 50
MOST_WALKED = 20_000
GIT_S = 10.0


class Snapshot(Struct, frozen=True):
    """Captured code with the texts that its digests stand for."""

    code: Code
    sources: bytes
    changes: bytes


class Surroundings(Struct, frozen=True):
    """An interpreter and its machine, its packages, and the lock that installs exactly those."""

    environment: Environment
    packages: dict[str, str]
    lock: bytes


def capture_code(folder: Path, *, is_tree: bool = True) -> Snapshot:
    """The sources under `folder` as they are now: in git, the tree that holds it with what differs from the commit.

    is_tree: False keeps to the folder itself. One that git does not know, such as that of an installed package, is
    read as a folder without git.
    """
    top = git(folder, "rev-parse", "--show-toplevel")
    if top is None or not (is_tree or git(folder, "ls-files", "-z", "--", ".")):
        texts, code = read_sources(folder, walk(folder))
        return Snapshot(placed(code, folder), msgspec.json.encode(texts, order="sorted"), b"")
    root = Path(top.strip())
    part = root if is_tree else folder
    commit = (git(root, "rev-parse", "--verify", "--quiet", "HEAD") or "").strip()
    branch = (git(root, "symbolic-ref", "--short", "--quiet", "HEAD") or "").strip()
    status = git(part, "status", "--porcelain", "-z", "--untracked-files=all", "--", ".") or ""
    changed = [entry[3:] for entry in status.split("\0") if len(entry) > 3 and entry[2] == " "]
    changed = [path for path in changed if HOME_NAME not in path.split("/")]
    tracked = (git(part, "ls-files", "-z", "--full-name", "--", ".") or "").split("\0")
    listed = dict.fromkeys([*changed, *filter(None, tracked)])
    texts, code = read_sources(root, listed)
    diff, redactions = redact(diff_of(root, part) if commit else "")
    code = msgspec.structs.replace(
        code,
        kind="git",
        commit=commit,
        branch=branch,
        is_dirty=bool(changed),
        redactions=code.redactions + redactions,
        redacted=[*code.redacted, *([f"what differs from the commit: {redactions}"] if redactions else [])],
    )
    return Snapshot(placed(code, root), msgspec.json.encode(texts, order="sorted"), diff.encode())


def placed(code: Code, root: Path) -> Code:
    """The code with where it stood, and from which folder of it this process works."""
    place, here = root.resolve(), Path.cwd().resolve()
    folder = str(here.relative_to(place)) if here.is_relative_to(place) else str(here)
    return msgspec.structs.replace(code, root=str(place), folder=folder)


def capture_files(root: Path, paths: Iterable[str], *, folder: str) -> Snapshot:
    """The named sources under `root`, whatever else is there. folder: the one of it that the program will run in."""
    texts, code = read_sources(root, paths)
    return Snapshot(
        msgspec.structs.replace(code, root=str(root.resolve()), folder=folder),
        msgspec.json.encode(texts, order="sorted"),
        b"",
    )


def diff_of(root: Path, part: Path) -> str:
    """What differs from the commit in a part of the tree, without the files that are left out for their names."""
    names = (git(part, "diff", "HEAD", "--name-only", "-z", "--", ".") or "").split("\0")
    shown = [name for name in names if name and is_source(name) and not is_secret_file(name)]
    if not shown:
        return ""
    text = git(root, "diff", "HEAD", "--no-color", "--no-ext-diff", "--", *shown[:MOST_FILES]) or ""
    return text if len(text) <= MOST_BYTES else text[:MOST_BYTES] + "\n(the rest was left out: too long)\n"


def git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None where it is missing, takes too long or refuses."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            check=False,
            timeout=GIT_S,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def walk(folder: Path) -> Iterator[str]:
    """The source files of a folder without git, in order; hidden folders, environments and data are not entered."""
    walked = 0
    for where, folders, files in os.walk(folder):
        here = Path(where)
        folders[:] = sorted(f for f in folders if not is_skipped(here / f))
        for name in sorted(files):
            walked += 1
            if walked > MOST_WALKED:
                return
            yield str((here / name).relative_to(folder))


def is_skipped(folder: Path) -> bool:
    name = folder.name
    is_apart = name.startswith((".", "__")) or name in SKIPPED or name.endswith(".egg-info")
    return is_apart or (folder / "pyvenv.cfg").exists()


def is_source(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name in SOURCE_NAMES or Path(name).suffix.lower() in SOURCE_ENDINGS


def read_sources(root: Path, paths: Iterable[str]) -> tuple[dict[str, str], Code]:
    """The texts of the source files among the paths, within the bounds, and what was left out."""
    texts: dict[str, str] = {}
    left_out: list[str] = []
    redacted: list[str] = []
    size = redactions = 0
    for path in paths:
        if is_secret_file(path):
            left_out.append(f"{path}: its name says that it holds secrets")
            continue
        if not is_source(path) or (text := read_text(root / path, left_out, path)) is None:
            continue
        if len(texts) >= MOST_FILES or size + len(text) > MOST_BYTES:
            left_out.append(f"{path}: the bound of {MOST_FILES:,} files and {MOST_BYTES >> 20} MiB is reached")
            continue
        texts[path], found = redact(text)
        size += len(text)
        redactions += found
        if found:
            redacted.append(f"{path}: {found}")
    if len(left_out) > MOST_NAMED:
        left_out = [*left_out[:MOST_NAMED], f"and {len(left_out) - MOST_NAMED:,} more"]
    kept = Code(kind="folder", files=len(texts), size_bytes=size, redactions=redactions, left_out=left_out)
    return texts, msgspec.structs.replace(kept, redacted=redacted[:MOST_NAMED])


def read_text(file: Path, left_out: list[str], path: str) -> str | None:
    """The text of a regular file; None for what is gone, is no file of its own, too long or no text."""
    try:
        if file.is_symlink() or not file.is_file():
            return None
        size = file.stat().st_size
        if size > MOST_FILE_BYTES:
            left_out.append(f"{path}: {size:,} bytes")
            return None
        return file.read_bytes().decode()
    except OSError:
        return None
    except UnicodeDecodeError:
        left_out.append(f"{path}: no UTF-8 text")
        return None


def capture_environment(program: str = "") -> Surroundings:
    """This interpreter and its packages; or, where `program` is another Python that answers, that one's."""
    is_other = is_python(program) and program != sys.executable
    said = (ask_python(program) if is_other else None) or surroundings.look_around()
    environment = msgspec.convert(said["environment"], Environment)
    head = f"# {environment.implementation} {environment.python} on {environment.platform}"
    lock, _ = redact("\n".join([head, *said["lock"]]) + "\n")
    return Surroundings(environment, dict(said["packages"]), lock.encode())


def is_python(program: str) -> bool:
    return Path(program).name.startswith("python")


def ask_python(program: str) -> dict[str, Any] | None:
    """What another interpreter says of itself; None where it does not answer."""
    script = Path(surroundings.__file__).read_text()
    try:
        done = subprocess.run([program, "-c", script], capture_output=True, check=True, timeout=GIT_S)
        found: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return found


def keep_snapshot(snapshot: Snapshot, upload: Callable[[bytes], str]) -> Code:
    """The code that was read, its texts uploaded. Where there is no source to keep, nothing stands for it."""
    sources = upload(snapshot.sources) if snapshot.code.files else ""
    changes = upload(snapshot.changes) if snapshot.changes else ""
    return msgspec.structs.replace(snapshot.code, sources=sources, changes=changes)


def capture_all(command: Sequence[str], code: Code, upload: Callable[[bytes], str], *, program: str = "") -> CaptureRun:
    """Everything a run started from, its files uploaded.

    upload: stores bytes and gives their digest. program: what runs it, where that is not this process.
    """
    found = capture_environment(program)
    return CaptureRun(
        command=redact_command(command),
        code=code,
        environment=found.environment,
        packages=found.packages,
        lock=upload(found.lock),
    )
